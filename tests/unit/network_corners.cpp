// SPDX-License-Identifier: BSL-1.0
// Inference of the networks where memory plans break (tests/support/topologies.hpp).
#include <support/predictions.hpp>
#include <support/topologies.hpp>

TEST_CASE("networks at the corners predict what their formulas say")
{
    topologies::Corners::each([]<class Net>() { predictions::check<Net>(); });
}
