// SPDX-License-Identifier: BSL-1.0
// Gradients of layers that have parameters, look at a whole vector, draw, or only rename.
#include <support/gradients.hpp>

using namespace tenon;
using gradients::check;

TEST_CASE("PReLU")
{
    check<Network<Input<7>, PReLU>>();
    check<Network<Input<6>, Dense<9>, PReLU, Dense<4>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<2, 3, 5>, PReLU>>();
}
TEST_CASE("LayerNorm")
{
    check<Network<Input<7>, LayerNorm>>();
    check<Network<Input<6>, Dense<9>, LayerNorm, Dense<4>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<3, 5>, LayerNorm>>();
    check<Network<Input<2, 3, 17>, LayerNorm>>();
    check<Network<Input<4, 2>, LayerNormWith<VarianceEpsilon<1, 10>>, Flatten, Dense<3>>>();
    check<Network<Input<4, 1>, LayerNorm, Flatten, Dense<3>>>();
}
TEST_CASE("Softmax and LogSoftmax, at the end and before it")
{
    check<Network<Input<7>, Softmax>>();
    check<Network<Input<7>, LogSoftmax>>();
    check<Network<Input<6>, Dense<9>, Softmax, Dense<4>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<6>, Dense<17>, LogSoftmax, Dense<4>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<3, 5>, Softmax>>();
    check<Network<Input<2, 3, 5>, LogSoftmax>>();
    check<Network<Input<6>, Dense<5>, Softmax, Dense<4>, Softmax>>(CrossEntropy{});
}
TEST_CASE("Dropout at several rates, its mask held")
{
    check<Network<Input<12>, Dropout<Rate<1, 2>>>>();
    check<Network<Input<6>, Dense<9>, Dropout<Rate<1, 5>>, Dense<4>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<6>, Dense<9>, Tanh, Dropout<Rate<9, 10>>, Dense<4>>>(MeanSquaredError{}, {5, 17});
    check<Network<Input<6>, Dropout<Rate<0>>, Dense<9>, Dropout<Rate<1, 3>>>>();
    check<Network<Input<6>, Dropout<Rate<1, 4>>, Dropout<Rate<1, 4>>, Dense<3>>>();
}
TEST_CASE("Dense with and without bias")
{
    check<Network<Input<7>, Dense<3, NoBias>>>(MeanSquaredError{}, {1, 2, 5, 17});
    check<Network<Input<7>, Dense<5, NoBias>, Tanh, Dense<3, NoBias>, SiLU>>();
    check<Network<Input<7>, Dense<3>>>(MeanSquaredError{}, {1, 2, 5, 17});
}
TEST_CASE("Reshape and Flatten at every place")
{
    check<Network<Input<2, 3>, Flatten, Dense<6>, Reshape<3, 2>, LayerNorm, Flatten, Dense<4>, Reshape<2, 2>>>();
    check<Network<Input<2, 3>, Flatten, Reshape<3, 2>, ReLU, Reshape<6>, Flatten>>();
    check<Network<Input<6>, Dense<8>, Flatten, Tanh, Reshape<2, 2, 2>>>();
    check<Network<Input<2, 3>, Flatten>>();
    check<Network<Input<12>, Dense<12>, Reshape<2, 3, 2>, Softmax, PReLU>>();
}
