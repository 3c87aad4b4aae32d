// SPDX-License-Identifier: BSL-1.0
//
// Networks in int8 on the board, against the outputs that the host's kernels gave: returns the number of outputs that differ
// in any bit.
#include "networks.hpp"

#include <corners.hpp>
#include <everything.hpp>
#include <perceptron.hpp>

using namespace tenon::literals;
using namespace firmware;

// With vectors, rows are copied and kernels filled up to whole registers.
static_assert(TENON_SIMD || tenon::cost<Perceptron, tenon::Int8>::flash <= 102_KiB);
static_assert(TENON_SIMD || tenon::cost<Perceptron, tenon::Int8>::ram == 784 + 128 + 10);

int main()
{
    int wrong = perceptron::self_test<Perceptron>() + everything::self_test<Everything>();
#if !defined(SMALL_BOARD)
    wrong += corners::self_test<Corners>();
#endif
    return wrong;
}
