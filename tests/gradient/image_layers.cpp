// SPDX-License-Identifier: BSL-1.0
// Gradients of the layers that make images larger, normalise groups of channels, or drop whole channels.
#include <support/gradients.hpp>

using namespace tenon;
using gradients::check;

TEST_CASE("ZeroPadding2D")
{
    check<Network<Input<4, 3, 1>, Tanh, ZeroPadding2D<Padding<1>>>>(MeanSquaredError{}, {1, 5});
    check<Network<Input<3, 4, 5>, Tanh, ZeroPadding2D<Padding<1, 2>>, Conv2D<3, Kernel<3>>>>();
    check<Network<Input<3, 2, 17>, Tanh, ZeroPadding2D<Padding<0, 3, 2, 0>>, Tanh>>();
    check<Network<Input<6, 7, 3>, ZeroPadding2D<Padding<0, 1, 0, 1>>, DepthwiseConv2D<Kernel<3>, Stride<2>>>>();
}
TEST_CASE("Upsample2D, nearest and bilinear")
{
    check<Network<Input<3, 2, 1>, Tanh, Upsample2D<2>>>(MeanSquaredError{}, {1, 5});
    check<Network<Input<2, 3, 17>, Tanh, Upsample2D<3>, Conv2D<2, Kernel<2>>>>();
    check<Network<Input<3, 4, 3>, Conv2D<5, Kernel<2>>, ReLU, Upsample2D<1>>>();
    check<Network<Input<3, 2, 1>, Tanh, Upsample2D<2, Interpolation<Bilinear>>>>(MeanSquaredError{}, {1, 5});
    check<Network<Input<2, 4, 17>, Tanh, Upsample2D<3, Interpolation<Bilinear>>, GlobalAveragePool2D>>();
    check<Network<Input<1, 3, 5>, Tanh, Upsample2D<4, Interpolation<Bilinear>>, Tanh>>();
    check<Network<Input<3, 3, 2>, Tanh, Upsample2D<1, Interpolation<Bilinear>>>>();
}
TEST_CASE("SpatialDropout, its mask held")
{
    check<Network<Input<4, 3, 6>, Tanh, SpatialDropout<Rate<1, 2>>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<7, 65>, Conv1D<70, Kernel<2>>, ReLU, SpatialDropout<Rate<1, 5>>, Tanh>>();
    check<Network<Input<5, 4, 3>, SpatialDropout<Rate<0>>, Conv2D<5, Kernel<2>>, SpatialDropout<Rate<2, 3>>>>();
}
TEST_CASE("GroupNorm")
{
    check<Network<Input<4, 3, 6>, GroupNorm<Groups<2>>>>(MeanSquaredError{}, {1, 5, 17});
    check<Network<Input<4, 3, 6>, Tanh, GroupNorm<Groups<1>>, ReLU, GlobalAveragePool2D>>(MeanSquaredError{}, {3});
    check<Network<Input<5, 3>, Conv1D<6, Kernel<2>>, GroupNorm<VarianceEpsilon<1, 10>, Groups<6>>, Tanh>>();
    check<Network<Input<7>, Dense<34>, GroupNorm<Groups<17>>, Dense<3>>>(CrossEntropy{});
    check<Network<Input<3, 3, 1>, GroupNorm<Groups<1>>, Flatten, Dense<2>>>();
    check<Network<Input<3, 3, 33>, Residual<Conv2D<33, Kernel<3>, Padding<Same>>, GroupNorm<Groups<3>>, ReLU>>>();
}
TEST_CASE("Conv2DTranspose")
{
    check<Network<Input<3, 2, 1>, Conv2DTranspose<3, Kernel<3>>>>(MeanSquaredError{}, {1, 5});
    check<Network<Input<3, 4, 2>, Tanh, Conv2DTranspose<5, Kernel<3>, Stride<2>>, ReLU, GlobalAveragePool2D>>();
    check<Network<Input<3, 4, 2>, Tanh, Conv2DTranspose<5, Kernel<3>, Stride<2>, Padding<Same>>, Tanh>>();
    check<Network<Input<3, 2, 17>, Tanh, Conv2DTranspose<33, Kernel<4, 2>, Stride<2>, Padding<Same>, NoBias>, GELU>>();
    check<Network<Input<2, 3, 3>, Tanh, Conv2DTranspose<4, Kernel<5, 4>, Stride<3, 2>, Padding<Same>>>>();
    check<Network<Input<2, 3, 3>, Tanh, Conv2DTranspose<4, Kernel<1>, Stride<2>>>>();
    check<Network<Input<2, 3, 3>, Tanh, Conv2DTranspose<4, Kernel<2, 3>, Stride<3, 4>, Padding<Same>>>>();
    check<Network<Input<1, 1, 6>, Tanh, Conv2DTranspose<1, Kernel<4>>, Sigmoid>>();
    check<Network<Input<3, 3, 2>, Tanh, Conv2DTranspose<4, Kernel<3>, Padding<Same>>>>();
}
TEST_CASE("an autoencoder of images")
{
    check<Network<Input<6, 6, 2>, Conv2D<5, Kernel<3>, Stride<2>, Padding<Same>>, GroupNorm<Groups<5>>, ReLU,
                  SpatialDropout<Rate<1, 5>>, Conv2DTranspose<3, Kernel<3>, Stride<2>, Padding<Same>>, BatchNorm, ReLU,
                  Conv2D<2, Kernel<3>, Padding<Same>>>>(MeanSquaredError{}, {2, 37});
}
