// SPDX-License-Identifier: BSL-1.0
// Inference of networks of awkward sizes, and of networks drawn at random.
#include <support/predictions.hpp>
#include <support/topologies.hpp>

TEST_CASE("networks of awkward sizes predict what their formulas say")
{
    topologies::Sizes::each([]<class Net>() { predictions::check<Net>(); });
}

TEST_CASE("networks drawn at random predict what their formulas say")
{
    topologies::each_random<200, 8>([]<class Net>() { predictions::check<Net>(); });
}
