// SPDX-License-Identifier: BSL-1.0
// Runs the builds that this processor can run, and compares them with the first.
#include "report.hpp"

#include <cmath>
#include <cstdio>

namespace {

bool runs_scalar() { return true; }
bool runs_sse2() { return true; }
bool runs_avx() { return __builtin_cpu_supports("avx"); }
bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool runs_avx512()
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

int failures = 0;

void require(bool holds, const Report& report, const char* what)
{
    if (holds) return;
    std::printf("%s: %s\n", report.build, what);
    ++failures;
}

}  // namespace

int main()
{
    const Report first = report_of_scalar();
    int compared = 0;
    const auto compare = [&](bool can_run, Report (*build)()) {
        if (!can_run) return;
        const Report report = build();
        ++compared;
        require(report.topology == first.topology, report, "another topology hash");
        require(report.weights == first.weights, report, "other first weights");
        require(report.fine_weights == first.fine_weights, report, "other first weights in double");
        require(report.orthogonal == first.orthogonal, report, "other orthogonal weights");
        require(report.order == first.order, report, "another order of rows");
        require(report.mask == first.mask, report, "another mask of Dropout");
        for (int i = 0; i < 10; ++i)
            require(std::fabs(report.probabilities[i] - first.probabilities[i]) < 1e-6, report, "other predictions");
        require(std::fabs(report.trained_loss / first.trained_loss - 1) < 0.02, report, "another loss after training");
        require(report.trained_accuracy > 0.95, report, "has not learned");
        std::printf("%-7s loss %.6f accuracy %.4f\n", report.build, report.trained_loss, report.trained_accuracy);
    };
#define TENON_TEST_COMPARE(name) compare(runs_##name(), report_of_##name);
    TENON_TEST_BUILDS(TENON_TEST_COMPARE)
    std::printf("%d builds compared\n", compared);
    return failures == 0 ? 0 : 1;
}
