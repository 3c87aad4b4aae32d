// SPDX-License-Identifier: BSL-1.0
// Convolutions whose channels fill vectors against PyTorch, alone and with a pool behind them: where other schemes than the
// window's products one by one may compute them.
#include "data/wide_convolutions.hpp"
#include "images.hpp"

using namespace tenon;
using golden::compare_digest;
namespace data = golden::wide_convolutions;

TEST_CASE("wide Conv2D follows PyTorch")
{
    compare_digest<Network<Input<5, 5, 16>, Conv2D<16, Kernel<3>, Padding<Same>>>>("same_16_16", data::same_16_16);
    compare_digest<Network<Input<8, 7, 16>, Conv2D<32, Kernel<3>>, ReLU>>("valid_16_32_relu", data::valid_16_32_relu);
    compare_digest<Network<Input<6, 7, 32>, Conv2D<16, Kernel<3>, Padding<2>>>>("padding_2_32_16",
                                                                                data::padding_2_32_16);
    compare_digest<Network<Input<7, 6, 16>, Conv2D<48, Kernel<3>, Padding<2, 0, 1, 2>>>>("padding_each_16_48",
                                                                                         data::padding_each_16_48);
    compare_digest<Network<Input<6, 6, 16>, Conv2D<16, Kernel<3>, NoBias, Padding<Same>>>>("without_bias_16_16",
                                                                                           data::without_bias_16_16);
    compare_digest<Network<Input<5, 6, 16>, Conv2D<16, Kernel<3>, Padding<Same>>, Tanh>>("tanh_16_16",
                                                                                         data::tanh_16_16);
    compare_digest<Network<Input<9, 8, 16>, Conv2D<32, Kernel<3>, Stride<2>, Padding<Same>>>>("stride_2_16_32",
                                                                                              data::stride_2_16_32);
    compare_digest<Network<Input<9, 8, 16>, Conv2D<16, Kernel<3>, Dilation<2>>>>("dilated_16_16", data::dilated_16_16);
    compare_digest<Network<Input<33, 16>, Conv1D<16, Kernel<3>, Padding<Same>>>>("row_16_16", data::row_16_16);
    compare_digest<Network<Input<7, 7, 16>, Conv2D<16, Kernel<5>, Padding<Same>>>>("kernel_5_16_16",
                                                                                   data::kernel_5_16_16);
    compare_digest<Network<Input<6, 5, 17>, Conv2D<33, Kernel<3>, Padding<Same>>>>("same_17_33", data::same_17_33);
}

TEST_CASE("wide Conv2D with a pool behind it follows PyTorch")
{
    using Pool = MaxPool2D<2>;
    compare_digest<Network<Input<8, 8, 16>, Conv2D<16, Kernel<3>, Padding<Same>>, ReLU, Pool>>("relu_pool_16_16",
                                                                                               data::relu_pool_16_16);
    compare_digest<Network<Input<9, 7, 16>, Conv2D<32, Kernel<3>, Padding<Same>>, ReLU, Pool>>(
        "relu_pool_odd_16_32", data::relu_pool_odd_16_32);
    compare_digest<Network<Input<8, 9, 32>, Conv2D<16, Kernel<3>>, Pool>>("pool_32_16", data::pool_32_16);
    compare_digest<Network<Input<5, 6, 16>, Conv2D<16, Kernel<3>, Padding<2, 1, 0, 2>>, Pool>>(
        "pool_padding_16_16", data::pool_padding_16_16);
    compare_digest<Network<Input<8, 7, 16>, Conv2D<16, Kernel<2>>, ReLU, Pool>>("relu_pool_2_16_16",
                                                                                data::relu_pool_2_16_16);
    compare_digest<Network<Input<9, 8, 16>, Conv2D<16, Kernel<5>>, ReLU, Pool>>("relu_pool_5_16_16",
                                                                                data::relu_pool_5_16_16);
    compare_digest<Network<Input<13, 12, 16>, Conv2D<16, Kernel<3>, Stride<2>>, ReLU, Pool>>(
        "relu_pool_stride_2_16_16", data::relu_pool_stride_2_16_16);
    compare_digest<Network<Input<10, 9, 3>, Conv2D<16, Kernel<3>>, ReLU, Pool>>("relu_pool_3_16", data::relu_pool_3_16);
    compare_digest<Network<Input<12, 12, 1>, Conv2D<32, Kernel<3>>, ReLU, Pool>>("relu_pool_1_32",
                                                                                 data::relu_pool_1_32);
    compare_digest<Network<Input<6, 6, 64>, Conv2D<8, Kernel<3>>, ReLU, Pool>>("relu_pool_64_8", data::relu_pool_64_8);
    compare_digest<Network<Input<7, 8, 20>, Conv2D<20, Kernel<3>>, ReLU, Pool>>("relu_pool_20_20",
                                                                                data::relu_pool_20_20);
    compare_digest<Network<Input<6, 6, 16>, Conv2D<16, Kernel<3>>, ReLU, Pool>>("relu_pool_16_16_many",
                                                                                data::relu_pool_16_16_many, 37);
}
