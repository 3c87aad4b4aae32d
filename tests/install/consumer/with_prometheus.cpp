// SPDX-License-Identifier: BSL-1.0
#include <tenon/monitoring/prometheus.hpp>

int main()
{
    const tenon::monitoring::Prometheus metrics;
    return metrics.port() > 0 ? 0 : 1;
}
