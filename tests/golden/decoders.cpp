// SPDX-License-Identifier: BSL-1.0
// What decoders and generators are made of, against PyTorch: Conv2DTranspose, Upsample2D, ZeroPadding2D, GroupNorm.
#include "data/decoders.hpp"
#include "images.hpp"

using namespace tenon;
using golden::compare;
namespace data = golden::decoders;

TEST_CASE("Conv2DTranspose follows PyTorch, and Keras's rules for Same and Valid")
{
    compare<Network<Input<3, 4, 2>, Conv2DTranspose<3, Kernel<3>>>>("transposed", data::transposed);
    compare<Network<Input<3, 4, 2>, Conv2DTranspose<3, Kernel<3>, Padding<Same>>>>("transposed_same",
                                                                                   data::transposed_same);
    compare<Network<Input<3, 4, 2>, Conv2DTranspose<3, Kernel<2>, Padding<Same>>>>("transposed_same_2",
                                                                                   data::transposed_same_2);
    compare<Network<Input<3, 4, 2>, Conv2DTranspose<3, Kernel<3>, Stride<2>>>>("transposed_stride_2",
                                                                               data::transposed_stride_2);
    compare<Network<Input<3, 2, 3>, Conv2DTranspose<2, Kernel<2>, Stride<2>, Padding<Same>>>>(
        "transposed_2_stride_2", data::transposed_2_stride_2);
    compare<Network<Input<3, 4, 2>, Conv2DTranspose<3, Kernel<3>, Stride<2>, Padding<Same>>>>(
        "transposed_3_stride_2_same", data::transposed_3_stride_2_same);
    compare<Network<Input<3, 2, 2>, Conv2DTranspose<3, Kernel<4>, Stride<2>, Padding<Same>>>>(
        "transposed_4_stride_2_same", data::transposed_4_stride_2_same);
    compare<Network<Input<2, 3, 2>, Conv2DTranspose<2, Kernel<5>, Stride<3>, Padding<Same>>>>(
        "transposed_5_stride_3_same", data::transposed_5_stride_3_same);
    compare<Network<Input<2, 3, 2>, Conv2DTranspose<3, Kernel<2>, Stride<3>>>>("transposed_2_stride_3",
                                                                               data::transposed_2_stride_3);
    compare<Network<Input<3, 2, 2>, Conv2DTranspose<3, Kernel<1>, Stride<2>, Padding<Same>>>>(
        "transposed_1_stride_2_same", data::transposed_1_stride_2_same);
    compare<Network<Input<3, 2, 2>, Conv2DTranspose<3, Kernel<2, 5>, Stride<3, 2>, Padding<Same>>>>(
        "transposed_each", data::transposed_each);
    compare<Network<Input<3, 2, 2>, Conv2DTranspose<3, Kernel<4, 1>, Stride<1, 3>>>>("transposed_each_valid",
                                                                                     data::transposed_each_valid);
    compare<Network<Input<3, 3, 1>, Conv2DTranspose<1, Kernel<3>, NoBias, Stride<2>>>>("transposed_one_channel",
                                                                                       data::transposed_one_channel);
    compare<Network<Input<2, 2, 17>, Conv2DTranspose<3, Kernel<2>, Stride<2>, Padding<Same>>>>("transposed_17",
                                                                                               data::transposed_17);
    compare<Network<Input<1, 2, 3>, Conv2DTranspose<17, Kernel<3>, Stride<2>, Padding<Same>>>>("transposed_to_17",
                                                                                               data::transposed_to_17);
    compare<Network<Input<1, 1, 5>, Conv2DTranspose<3, Kernel<4>, Stride<2>>>>("transposed_one_pixel",
                                                                               data::transposed_one_pixel);
}

TEST_CASE("Upsample2D follows PyTorch's interpolate with align_corners=False")
{
    compare<Network<Input<3, 4, 3>, Upsample2D<2>>>("nearest_2", data::nearest_2);
    compare<Network<Input<2, 3, 2>, Upsample2D<3>>>("nearest_3", data::nearest_3);
    compare<Network<Input<1, 3, 1>, Upsample2D<4>>>("nearest_4_one_row", data::nearest_4_one_row);
    compare<Network<Input<1, 2, 17>, Upsample2D<2>>>("nearest_2_of_17", data::nearest_2_of_17);
    compare<Network<Input<3, 4, 3>, Upsample2D<2, Interpolation<Bilinear>>>>("bilinear_2", data::bilinear_2);
    compare<Network<Input<2, 3, 2>, Upsample2D<3, Interpolation<Bilinear>>>>("bilinear_3", data::bilinear_3);
    compare<Network<Input<1, 3, 1>, Upsample2D<4, Interpolation<Bilinear>>>>("bilinear_4_one_row",
                                                                             data::bilinear_4_one_row);
    compare<Network<Input<1, 2, 17>, Upsample2D<2, Interpolation<Bilinear>>>>("bilinear_2_of_17",
                                                                              data::bilinear_2_of_17);
}

TEST_CASE("ZeroPadding2D follows PyTorch's pad")
{
    compare<Network<Input<3, 4, 3>, ZeroPadding2D<Padding<1>>>>("zeros_1", data::zeros_1);
    compare<Network<Input<3, 2, 2>, ZeroPadding2D<Padding<1, 2>>>>("zeros_1_2", data::zeros_1_2);
    compare<Network<Input<1, 2, 17>, ZeroPadding2D<Padding<0, 1, 2, 0>>>>("zeros_each", data::zeros_each);
}

TEST_CASE("GroupNorm follows PyTorch")
{
    compare<Network<Input<3, 2, 6>, GroupNorm<Groups<2>>>>("groups_2_of_6", data::groups_2_of_6);
    compare<Network<Input<2, 3, 5>, GroupNorm<Groups<1>>>>("groups_1_of_5", data::groups_1_of_5);
    compare<Network<Input<3, 3, 4>, GroupNorm<Groups<4>>>>("groups_4_of_4", data::groups_4_of_4);
    compare<Network<Input<1, 2, 34>, GroupNorm<Groups<17>>>>("groups_17_of_34", data::groups_17_of_34);
    compare<Network<Input<2, 1, 34>, GroupNorm<Groups<2>>>>("groups_2_of_34", data::groups_2_of_34);
    compare<Network<Input<3, 2, 6>, GroupNorm<Groups<3>, VarianceEpsilon<1, 100000>>>>("groups_as_pytorch",
                                                                                       data::groups_as_pytorch);
    compare<Network<Input<8>, GroupNorm<Groups<2>>>>("groups_of_features", data::groups_of_features);
    compare<Network<Input<5, 6>, GroupNorm<Groups<3>>>>("groups_of_sequence", data::groups_of_sequence);
}
