// SPDX-License-Identifier: BSL-1.0
// Inference of blocks in blocks.
#include <support/predictions.hpp>
#include <support/topologies.hpp>

TEST_CASE("blocks predict what their formulas say")
{
    topologies::Blocks::each([]<class Net>() { predictions::check<Net>(); });
}
