// SPDX-License-Identifier: BSL-1.0
// Convolutions in two dimensions against PyTorch: strides, dilations, groups, and every kind of padding.
#include "data/convolutions.hpp"
#include "images.hpp"

using namespace tenon;
using golden::compare;
namespace data = golden::convolutions;

TEST_CASE("Conv2D without padding follows PyTorch")
{
    compare<Network<Input<5, 4, 1>, Conv2D<3, Kernel<3>>>>("valid", data::valid);
    compare<Network<Input<7, 6, 3>, Conv2D<4, Kernel<3>, Stride<2>>>>("stride_2", data::stride_2);
    compare<Network<Input<8, 7, 2>, Conv2D<3, Kernel<2>, Stride<3>>>>("stride_3_skips", data::stride_3_skips);
    compare<Network<Input<7, 9, 2>, Conv2D<3, Kernel<3>, Stride<3, 2>>>>("stride_each", data::stride_each);
    compare<Network<Input<8, 9, 2>, Conv2D<3, Kernel<3>, Dilation<2, 3>>>>("dilated", data::dilated);
    compare<Network<Input<8, 9, 2>, Conv2D<3, Kernel<3>, Dilation<2>, Stride<2>>>>("dilated_stride_2",
                                                                                   data::dilated_stride_2);
    compare<Network<Input<4, 3, 3>, Conv2D<5, Kernel<4, 3>>>>("whole_image", data::whole_image);
    compare<Network<Input<3, 8, 2>, Conv2D<3, Kernel<1, 5>>>>("row_kernel", data::row_kernel);
}

TEST_CASE("Conv2D with Padding<Same> follows Keras's rule")
{
    compare<Network<Input<5, 4, 2>, Conv2D<3, Kernel<3>, Padding<Same>>>>("same_3", data::same_3);
    compare<Network<Input<5, 4, 2>, Conv2D<3, Kernel<2>, Padding<Same>>>>("same_2", data::same_2);
    compare<Network<Input<6, 5, 1>, Conv2D<2, Kernel<4>, Padding<Same>>>>("same_4", data::same_4);
    compare<Network<Input<6, 8, 2>, Conv2D<3, Kernel<3>, Stride<2>, Padding<Same>>>>("same_3_stride_2_even",
                                                                                     data::same_3_stride_2_even);
    compare<Network<Input<7, 5, 2>, Conv2D<3, Kernel<3>, Stride<2>, Padding<Same>>>>("same_3_stride_2_odd",
                                                                                     data::same_3_stride_2_odd);
    compare<Network<Input<7, 8, 2>, Conv2D<3, Kernel<3>, Stride<2>, Padding<Same>>>>("same_3_stride_2_mixed",
                                                                                     data::same_3_stride_2_mixed);
    compare<Network<Input<5, 6, 2>, Conv2D<3, Kernel<2>, Stride<2>, Padding<Same>>>>("same_2_stride_2",
                                                                                     data::same_2_stride_2);
    compare<Network<Input<7, 8, 2>, Conv2D<3, Kernel<3, 2>, Stride<3, 2>, Padding<Same>>>>(
        "same_3_by_2_stride_3_by_2", data::same_3_by_2_stride_3_by_2);
    compare<Network<Input<8, 7, 1>, Conv2D<2, Kernel<5>, Stride<3>, Padding<Same>>>>("same_5_stride_3",
                                                                                     data::same_5_stride_3);
    compare<Network<Input<5, 6, 3>, Conv2D<4, Kernel<1>, Stride<2>, Padding<Same>>>>("same_1_stride_2",
                                                                                     data::same_1_stride_2);
    compare<Network<Input<7, 8, 2>, Conv2D<3, Kernel<2>, Stride<3>, Padding<Same>>>>("same_2_stride_3",
                                                                                     data::same_2_stride_3);
    compare<Network<Input<2, 3, 2>, Conv2D<3, Kernel<5>, Padding<Same>>>>("same_larger_than_image",
                                                                          data::same_larger_than_image);
    compare<Network<Input<6, 5, 2>, Conv2D<3, Kernel<3>, Dilation<2>, Padding<Same>>>>("same_dilated",
                                                                                       data::same_dilated);
    compare<Network<Input<6, 7, 2>, Conv2D<3, Kernel<2>, Dilation<1, 3>, Padding<Same>>>>("same_dilated_even",
                                                                                          data::same_dilated_even);
    compare<Network<Input<8, 3, 2>, Conv2D<3, Kernel<3, 1>, Padding<Same>>>>("column_kernel", data::column_kernel);
}

TEST_CASE("Conv2D with zeros by number follows PyTorch")
{
    compare<Network<Input<4, 5, 2>, Conv2D<3, Kernel<3>, Padding<1>>>>("padding_1", data::padding_1);
    compare<Network<Input<5, 4, 2>, Conv2D<3, Kernel<2, 3>, Padding<1, 2>>>>("padding_1_2", data::padding_1_2);
    compare<Network<Input<6, 5, 2>, Conv2D<3, Kernel<4>, Stride<2>, Padding<3, 0, 1, 2>>>>("padding_each",
                                                                                           data::padding_each);
    compare<Network<Input<7, 6, 2>, Conv2D<3, Kernel<3>, Stride<2>, Dilation<2>, Padding<2, 1, 0, 3>>>>(
        "padding_stride_2_dilated", data::padding_stride_2_dilated);
}

TEST_CASE("Conv2D over channels that fill no vector, and in groups, follows PyTorch")
{
    compare<Network<Input<4, 4, 5>, Conv2D<3, Kernel<3>>>>("channels_5", data::channels_5);
    compare<Network<Input<3, 3, 17>, Conv2D<3, Kernel<2>, Padding<Same>>>>("channels_17", data::channels_17);
    compare<Network<Input<3, 4, 2>, Conv2D<17, Kernel<2>>>>("filters_17", data::filters_17);
    compare<Network<Input<2, 3, 2>, Conv2D<33, Kernel<2>>>>("filters_33", data::filters_33);
    compare<Network<Input<2, 2, 17>, Conv2D<9, Kernel<1>>>>("one_by_one", data::one_by_one);
    compare<Network<Input<3, 3, 1>, Conv2D<17, Kernel<3>, NoBias, Padding<Same>>>>("without_bias", data::without_bias);
    compare<Network<Input<5, 4, 4>, Conv2D<6, Kernel<3>, Groups<2>>>>("groups_2", data::groups_2);
    compare<Network<Input<5, 6, 4>, Conv2D<6, Kernel<3>, Groups<2>, Stride<2>, Padding<Same>>>>(
        "groups_2_same_stride_2", data::groups_2_same_stride_2);
    compare<Network<Input<2, 3, 10>, Conv2D<34, Kernel<1, 2>, Groups<2>>>>("groups_2_wide", data::groups_2_wide);
    compare<Network<Input<5, 4, 3>, Conv2D<6, Kernel<3>, Groups<3>, Padding<Same>>>>("groups_of_one",
                                                                                     data::groups_of_one);
}

TEST_CASE("Conv2D over more images than one block of the weight gradient takes follows PyTorch")
{
    compare<Network<Input<3, 3, 1>, Conv2D<1, Kernel<3>, Padding<Same>>>>("many_images", data::many_images);
}
