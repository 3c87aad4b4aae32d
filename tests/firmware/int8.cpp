// SPDX-License-Identifier: BSL-1.0
//
// Networks in int8 on the board, against the outputs that the host's kernels gave: returns the number of outputs that differ
// in any bit.
#include "networks.hpp"

#include <corners.hpp>
#include <everything.hpp>
#include <perceptron.hpp>
#if !TENON_SIMD
#    include <perceptron_90.hpp>
#endif

using namespace tenon::literals;
using namespace firmware;

// With vectors, rows are copied and kernels filled up to whole registers.
static_assert(TENON_SIMD || tenon::cost<Perceptron, tenon::Int8>::flash <= 102_KiB);
static_assert(TENON_SIMD || tenon::cost<Perceptron, tenon::Int8>::ram == 784 + 128 + 10);

#if !TENON_SIMD
namespace {

// The same perceptron with lists in the place of its first kernel, in a session.
int count_wrong_without_zeros()
{
    const auto& weights = perceptron_90::weights<Perceptron>;
    tenon::SparseSession<std::remove_cvref_t<decltype(weights)>> session{weights};
    const auto output = session.run(
        tenon::TensorView<const signed char, Perceptron::input_shape>{perceptron_90::golden_input_0});
    int wrong = 0;
    for (std::size_t i = 0; i < output.size(); ++i) wrong += output[i] != perceptron_90::golden_output_0[i];
    return wrong;
}

}  // namespace
#endif

int main()
{
    int wrong = perceptron::self_test<Perceptron>() + everything::self_test<Everything>();
#if !TENON_SIMD
    wrong += count_wrong_without_zeros();
#endif
#if !defined(SMALL_BOARD)
    wrong += corners::self_test<Corners>();
#endif
    return wrong;
}
