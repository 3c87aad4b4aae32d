// SPDX-License-Identifier: BSL-1.0
// Gradients of convolutions, pools and batch normalisation: odd sizes, strides that do not divide, one channel, channels
// that fill no vector, padding of each kind.
#include <support/gradients.hpp>

using namespace tenon;
using gradients::check;

TEST_CASE("Conv2D")
{
    check<Network<Input<5, 4, 1>, Conv2D<3, Kernel<3>>>>(MeanSquaredError{}, {1, 5});
    check<Network<Input<7, 6, 2>, Conv2D<5, Kernel<3>>, ReLU, Flatten, Dense<3>>>(CrossEntropy{});
    check<Network<Input<6, 5, 3>, Tanh, Conv2D<17, Kernel<2, 3>, NoBias>, Sigmoid>>();
    check<Network<Input<5, 5, 17>, Tanh, Conv2D<33, Kernel<1>>, GELU>>();
}
TEST_CASE("Conv2D: strides, dilations, padding")
{
    check<Network<Input<8, 7, 2>, Tanh, Conv2D<4, Kernel<3>, Stride<2>>>>();
    check<Network<Input<8, 7, 2>, Tanh, Conv2D<4, Kernel<3>, Stride<3, 2>, Padding<Same>>>>();
    check<Network<Input<8, 7, 2>, Tanh, Conv2D<4, Kernel<2>, Padding<Same>>>>();
    check<Network<Input<8, 9, 2>, Tanh, Conv2D<4, Kernel<3>, Dilation<2>, Padding<1, 2>>>>();
    check<Network<Input<6, 6, 2>, Tanh, Conv2D<4, Kernel<4>, Padding<3, 0, 1, 2>, Stride<2>>>>();
}
TEST_CASE("Conv2D in groups")
{
    check<Network<Input<5, 6, 4>, Tanh, Conv2D<6, Kernel<3>, Groups<2>>>>();
    check<Network<Input<5, 6, 3>, Tanh, Conv2D<6, Kernel<3>, Groups<3>, Padding<Same>>, Tanh>>();
}
TEST_CASE("more images than one block of the weight gradient takes")
{
    check<Network<Input<9, 9, 3>, Conv2D<4, Kernel<3>, Padding<Same>>, GlobalAveragePool2D>>(MeanSquaredError{}, {37});
}
TEST_CASE("Conv1D")
{
    check<Network<Input<11, 3>, Conv1D<6, Kernel<3>, Padding<Same>>, Tanh, Conv1D<4, Kernel<2>, Stride<2>>>>();
    check<Network<Input<16, 1>, Conv1D<5, Kernel<3>, Dilation<4>>, ReLU, Flatten, Dense<2>>>();
}
TEST_CASE("DepthwiseConv2D and SeparableConv2D")
{
    check<Network<Input<8, 9, 5>, Tanh, DepthwiseConv2D<Kernel<3>, Stride<2>, Padding<Same>>>>();
    check<Network<Input<6, 7, 1>, DepthwiseConv2D<Kernel<2, 3>, NoBias>, Tanh, DepthwiseConv2D<Kernel<3>, Dilation<2>>>>();
    check<Network<Input<6, 7, 17>, Tanh, SeparableConv2D<5, Kernel<3>>>>();
}
TEST_CASE("pools")
{
    check<Network<Input<7, 6, 3>, Tanh, MaxPool2D<2>>>();
    check<Network<Input<7, 6, 17>, Tanh, MaxPool2D<3, Stride<2>, Padding<Same>>>>();
    check<Network<Input<9, 3>, Tanh, MaxPool1D<2>, AveragePool1D<2, Padding<Same>>>>();
    check<Network<Input<7, 6, 3>, Tanh, AveragePool2D<2>>>();
    check<Network<Input<7, 6, 3>, Tanh, AveragePool2D<3, Stride<2>, Padding<Same>>>>();
    check<Network<Input<4, 5, 6>, Tanh, GlobalAveragePool2D>>();
    check<Network<Input<4, 5, 6>, Tanh, GlobalMaxPool2D>>();
}
TEST_CASE("a convolution and its pool in one pass: over the chosen outputs, and over the whole map")
{
    // Channels and filters fill registers of doubles: 8 with AVX-512.
    check<Network<Input<7, 6, 8>, Tanh, Conv2D<8, Kernel<3>>, MaxPool2D<2>>>();
    check<Network<Input<9, 8, 16>, Tanh, Conv2D<48, Kernel<3>, Padding<Same>>, ReLU, MaxPool2D<2>, Flatten, Dense<3>>>(
        CrossEntropy{});
    check<Network<Input<9, 11, 8>, Tanh, Conv2D<16, Kernel<2, 3>, Stride<2, 1>>, ReLU, MaxPool2D<2>>>();
    check<Network<Input<11, 8, 24>, Tanh, Conv2D<8, Kernel<3, 1>, Dilation<2, 1>, NoBias>, MaxPool2D<2>>>();
    check<Network<Input<6, 6, 8>, Tanh, Conv2D<8, Kernel<1>>, MaxPool2D<2>>>();
    // They do not.
    check<Network<Input<7, 6, 3>, Tanh, Conv2D<5, Kernel<3>>, ReLU, MaxPool2D<2>, Flatten, Dense<3>>>(CrossEntropy{});
    check<Network<Input<8, 9, 4>, Tanh, Conv2D<6, Kernel<3>, Groups<2>, Padding<Same>>, MaxPool2D<2>>>();
    check<Network<Input<7, 7, 8>, Tanh, Conv2D<8, Kernel<3>, Dilation<2>, Padding<1, 2>>, MaxPool2D<2>>>();
}
TEST_CASE("Conv2D by Winograd's scheme")
{
    check<Network<Input<12, 11, 8>, Tanh, Conv2D<8, Kernel<3>, Padding<Same>>, Tanh>>(MeanSquaredError{}, {1, 3});
    check<Network<Input<11, 13, 8>, Tanh, Conv2D<16, Kernel<3>, Padding<0, 1, 1, 0>>, Tanh>>(MeanSquaredError{}, {2});
}
TEST_CASE("BatchNorm")
{
    check<Network<Input<7>, Dense<5>, BatchNorm, Tanh>>(MeanSquaredError{}, {2, 5, 17});
    check<Network<Input<4, 5, 3>, BatchNorm, ReLU, Flatten, Dense<2>>>(CrossEntropy{});
    check<Network<Input<5, 4, 3>, Residual<Conv2D<3, Kernel<3>, Padding<Same>>, BatchNorm, ReLU>, GlobalAveragePool2D>>();
}
TEST_CASE("a residual network in small")
{
    using Block = Residual<Conv2D<6, Kernel<3>, Padding<Same>>, BatchNorm, ReLU, Conv2D<6, Kernel<3>, Padding<Same>>,
                           BatchNorm>;
    check<Network<Input<8, 8, 2>, Conv2D<6, Kernel<3>, Padding<Same>>, BatchNorm, ReLU, Repeat<2, Sequential<Block, ReLU>>,
                  Concat<Conv2D<2, Kernel<1>>, Sequential<Conv2D<5, Kernel<3>, Padding<Same>>, ReLU>>, MaxPool2D<2>,
                  GlobalAveragePool2D, Dense<3>>>(CrossEntropy{});
}
TEST_CASE("Add: branches with and without parameters, and a projection shortcut")
{
    check<Network<Input<6, 6, 3>, Tanh,
                  Add<Sequential<Conv2D<5, Kernel<3>, Stride<2>, Padding<Same>>, BatchNorm, ReLU>,
                      Conv2D<5, Kernel<1>, Stride<2>>, Sequential<MaxPool2D<2>, Conv2D<5, Kernel<1>>, Sigmoid>>,
                  Tanh, GlobalAveragePool2D>>();
    check<Network<Input<7>, Add<Dense<4>, Sequential<Dense<6>, Tanh, Dense<4>>>, Softmax>>(CrossEntropy{});
}
