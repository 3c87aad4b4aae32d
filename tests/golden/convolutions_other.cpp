// SPDX-License-Identifier: BSL-1.0
// Convolutions along sequences, channel by channel, and followed by activation and pool, against PyTorch.
#include "data/convolutions.hpp"
#include "images.hpp"

#include <tenon/network/separable.hpp>

using namespace tenon;
using golden::compare;
namespace data = golden::convolutions;

TEST_CASE("Conv1D follows PyTorch, and Keras's rule for Same")
{
    compare<Network<Input<9, 3>, Conv1D<4, Kernel<3>>>>("sequence_valid", data::sequence_valid);
    compare<Network<Input<7, 1>, Conv1D<3, Kernel<2>, NoBias>>>("sequence_one_channel", data::sequence_one_channel);
    compare<Network<Input<7, 2>, Conv1D<3, Kernel<4>, Padding<Same>>>>("sequence_same_4", data::sequence_same_4);
    compare<Network<Input<8, 2>, Conv1D<3, Kernel<3>, Stride<2>, Padding<Same>>>>("sequence_same_stride_2",
                                                                                  data::sequence_same_stride_2);
    compare<Network<Input<10, 2>, Conv1D<3, Kernel<5>, Stride<3>, Padding<Same>>>>("sequence_same_stride_3",
                                                                                   data::sequence_same_stride_3);
    compare<Network<Input<16, 2>, Conv1D<3, Kernel<3>, Dilation<4>>>>("sequence_dilated", data::sequence_dilated);
    compare<Network<Input<8, 2>, Conv1D<3, Kernel<3>, Dilation<2>, Padding<0, 0, 4, 0>>>>("sequence_causal",
                                                                                          data::sequence_causal);
    compare<Network<Input<6, 2>, Conv1D<3, Kernel<3>, Padding<2>>>>("sequence_padding_2", data::sequence_padding_2);
    compare<Network<Input<6, 4>, Conv1D<6, Kernel<3>, Groups<2>>>>("sequence_groups", data::sequence_groups);
    compare<Network<Input<3, 17>, Conv1D<9, Kernel<2>>>>("sequence_17", data::sequence_17);
}

TEST_CASE("DepthwiseConv2D follows PyTorch, and Keras's rule for Same")
{
    compare<Network<Input<5, 4, 5>, DepthwiseConv2D<Kernel<3>>>>("depthwise", data::depthwise);
    compare<Network<Input<4, 5, 1>, DepthwiseConv2D<Kernel<2, 3>>>>("depthwise_one_channel",
                                                                    data::depthwise_one_channel);
    compare<Network<Input<3, 3, 17>, DepthwiseConv2D<Kernel<2>, NoBias>>>("depthwise_17", data::depthwise_17);
    compare<Network<Input<6, 7, 3>, DepthwiseConv2D<Kernel<3>, Stride<2>, Padding<Same>>>>(
        "depthwise_same_stride_2", data::depthwise_same_stride_2);
    compare<Network<Input<5, 4, 3>, DepthwiseConv2D<Kernel<2>, Padding<Same>>>>("depthwise_same_2",
                                                                                data::depthwise_same_2);
    compare<Network<Input<7, 6, 3>, DepthwiseConv2D<Kernel<3>, Dilation<2>, Padding<Same>>>>("depthwise_dilated",
                                                                                             data::depthwise_dilated);
    compare<Network<Input<5, 4, 3>, DepthwiseConv2D<Kernel<3>, Stride<2, 1>, Padding<2, 0, 1, 2>>>>(
        "depthwise_padding_each", data::depthwise_padding_each);
    compare<Network<Input<3, 2, 3>, DepthwiseConv2D<Kernel<2>, Padding<3>>>>("depthwise_padding_beyond_kernel",
                                                                             data::depthwise_padding_beyond_kernel);
}

TEST_CASE("SeparableConv2D follows PyTorch")
{
    compare<Network<Input<5, 4, 3>, SeparableConv2D<4, Kernel<3>>>>("separable", data::separable);
    compare<Network<Input<6, 5, 3>, SeparableConv2D<5, Kernel<3>, Stride<2>, Padding<Same>>>>(
        "separable_same_stride_2", data::separable_same_stride_2);
    compare<Network<Input<2, 3, 17>, SeparableConv2D<5, Kernel<2>>>>("separable_17", data::separable_17);
}

TEST_CASE("a convolution, its activation and its pool follow PyTorch")
{
    compare<Network<Input<8, 7, 2>, Conv2D<5, Kernel<3>, Padding<Same>>, ReLU, MaxPool2D<2>>>("relu_pool",
                                                                                              data::relu_pool);
    compare<Network<Input<6, 6, 1>, Conv2D<17, Kernel<3>>, ReLU, MaxPool2D<2>>>("relu_pool_17", data::relu_pool_17);
    compare<Network<Input<7, 7, 2>, Conv2D<3, Kernel<2>, Padding<Same>>, MaxPool2D<2>>>("pool", data::pool);
    compare<Network<Input<5, 4, 2>, Conv2D<3, Kernel<3>>, ReLU>>("relu", data::relu);
    compare<Network<Input<5, 4, 2>, Conv2D<3, Kernel<3>>, SiLU>>("silu", data::silu);
    compare<Network<Input<6, 5, 2>, Conv2D<3, Kernel<2>>, Tanh, AveragePool2D<2, Padding<Same>>>>("tanh_average",
                                                                                                  data::tanh_average);
}
