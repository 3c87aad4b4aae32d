// SPDX-License-Identifier: BSL-1.0
// Gradients of blocks, blocks in blocks, specs used more than once, and chains that begin without parameters.
#include <support/gradients.hpp>

using namespace tenon;
using gradients::check;

namespace {

using Inner = Residual<Dense<7>, PReLU, Dense<6>>;

}  // namespace

TEST_CASE("one block")
{
    check<Network<Input<6>, Sequential<Dense<5>, Tanh, Dense<3>>>>();
    check<Network<Input<6>, Residual<Dense<9>, GELU, Dense<6>>, Dense<2>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<6>, Residual<Dense<6>, ReLU>, Dense<2>>>();
    check<Network<Input<6>, Residual<Tanh>, Dense<2>>>();
    check<Network<Input<6>, Dense<6>, Residual<LayerNorm>>>();
    check<Network<Input<6>, Concat<Dense<3>, Dense<4>>, Dense<2>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<2, 3>, Concat<ReLU, LayerNorm, PReLU>>>();
    check<Network<Input<6>, Repeat<3, Dense<5>>, Dense<2>>>();
    check<Network<Input<6>, Dense<5>, Repeat<3, Sequential<Dense<4>, SiLU>>>>();
}
TEST_CASE("views and nothing but views inside blocks")
{
    check<Network<Input<6>, Residual<Flatten>, Dense<2>>>();
    check<Network<Input<6>, Dense<6>, Concat<Flatten, Reshape<6>>, Dense<2>>>();
    check<Network<Input<6>, Dense<6>, Sequential<Reshape<2, 3>>, LayerNorm, Sequential<Flatten, Dense<2>>>>();
    check<Network<Input<6>, Dense<6>, Sequential<Reshape<3, 2>, Flatten>>>();
}
TEST_CASE("blocks in blocks, and a spec used again")
{
    check<Network<Input<6>, Inner, Inner, Dense<2>>>();
    check<Network<Input<6>, Repeat<3, Inner>, Concat<Inner, Dense<2>, Inner>>>();
    check<Network<Input<6>, Residual<Inner, Tanh, Residual<Residual<Dense<6>>, ReLU>>>>(MeanSquaredError{}, {1, 5});
    check<Network<Input<6>, Concat<Sequential<Inner, Concat<Dense<2>, ELU>>, Repeat<2, Dense<3>>>, Dense<2>>>();
    check<Network<Input<6>, Sequential<Sequential<Sequential<Dense<3>>>, Sigmoid>, Sequential<Dense<2>>>>();
    check<Network<Input<6>, Concat<Concat<Dense<2>, Dense<3>>, Residual<Softplus>>, LayerNorm>>();
}
TEST_CASE("Dropout and LayerNorm inside blocks: their tapes lie apart")
{
    using Noisy = Residual<Dense<6>, Dropout<Rate<1, 3>>, LayerNorm>;
    check<Network<Input<6>, Repeat<3, Noisy>, Concat<Noisy, Sequential<Noisy, LayerNorm>>, Dense<2>>>(
        MeanSquaredError{}, {2, 17});
    check<Network<Input<6>, LayerNorm, Noisy, LayerNorm, Concat<LayerNorm, Dropout<Rate<1, 2>>>>>();
}
TEST_CASE("chains that begin without parameters")
{
    check<Network<Input<6>, ReLU, Dense<3>>>();
    check<Network<Input<2, 3>, Flatten, Tanh, Dense<3>>>();
    check<Network<Input<6>, Dropout<Rate<1, 4>>, LeakyReLU, Dense<3>>>();
    check<Network<Input<6>, Softmax, Concat<ReLU, Tanh>, Dense<3>>>();
    check<Network<Input<6>, ReLU, Tanh, SiLU>>();
}
TEST_CASE("blocks before a loss that absorbs the end")
{
    check<Network<Input<6>, Inner, Concat<Dense<2>, Dense<3>>, Softmax>>(CrossEntropy{}, {1, 5, 17});
    check<Network<Input<6>, Inner, Concat<Dense<2>, Dense<3>>, Sigmoid>>(BinaryCrossEntropy{});
}
