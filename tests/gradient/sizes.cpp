// SPDX-License-Identifier: BSL-1.0
// Gradients of Dense and its neighbours at sizes that fill no register, whole ones and one more, for awkward numbers of rows.
#include <support/gradients.hpp>

using namespace tenon;
using gradients::check;

namespace {

template <std::size_t In, std::size_t Out>
void check_size()
{
    check<Network<Input<In>, Dense<Out>, Tanh, Dense<3>>>(MeanSquaredError{}, {1, 2, 5, 17});
}

}  // namespace

TEST_CASE("1") { check_size<1, 1>(), check_size<1, 17>(), check_size<33, 1>(); }
TEST_CASE("7") { check_size<7, 7>(), check_size<7, 65>(); }
TEST_CASE("16 and 17") { check_size<16, 16>(), check_size<17, 17>(), check_size<16, 17>(), check_size<17, 16>(); }
TEST_CASE("33 and 65") { check_size<33, 33>(), check_size<65, 33>(), check_size<33, 65>(), check_size<65, 65>(); }
TEST_CASE("row-wise layers")
{
    check<Network<Input<5>, Dense<33>, LayerNorm, PReLU, Dense<65>, Softmax, Dense<17, NoBias>, GELU>>(
        MeanSquaredError{}, {1, 2, 5, 17});
}
