// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include "../graph_tenon.hpp"

#include <tenon/network/add.hpp>

namespace contest::with_tenon {

using namespace tenon;

template <std::size_t Filters>
using PlainBlock = Sequential<
    Residual<Conv2D<Filters, Kernel<3>, Padding<Same>>, ReLU, Conv2D<Filters, Kernel<3>, Padding<Same>>>, ReLU>;
template <std::size_t Filters>
using DownBlock = Sequential<Add<Sequential<Conv2D<Filters, Kernel<3>, Stride<2>, Padding<Same>>, ReLU,
                                            Conv2D<Filters, Kernel<3>, Padding<Same>>>,
                                 Conv2D<Filters, Kernel<1>, Stride<2>, Padding<Same>>>,
                             ReLU>;
template <std::size_t Filters, std::size_t Step = 1>
using DepthwiseBlock = Sequential<DepthwiseConv2D<Kernel<3>, Stride<Step>, Padding<Same>>, ReLU,
                                  Conv2D<Filters, Kernel<1>>, ReLU>;

template <>
struct NetworkOf<contest::ResNet8> {
    using type = Network<Input<32, 32, 3>, Conv2D<16, Kernel<3>, Padding<Same>>, ReLU, PlainBlock<16>, DownBlock<32>,
                         DownBlock<64>, AveragePool2D<8>, Flatten, Dense<10>>;
};
template <>
struct NetworkOf<contest::DsCnn> {
    using type = Network<Input<49, 10, 1>, Conv2D<64, Kernel<10, 4>, Stride<2>, Padding<Same>>, ReLU,
                         Repeat<4, DepthwiseBlock<64>>, GlobalAveragePool2D, Dense<12>>;
};
template <>
struct NetworkOf<contest::MobileNetV1Quarter> {
    using type = Network<Input<96, 96, 3>, Conv2D<8, Kernel<3>, Stride<2>, Padding<Same>>, ReLU, DepthwiseBlock<16>,
                         DepthwiseBlock<32, 2>, DepthwiseBlock<32>, DepthwiseBlock<64, 2>, DepthwiseBlock<64>,
                         DepthwiseBlock<128, 2>, Repeat<5, DepthwiseBlock<128>>, DepthwiseBlock<256, 2>,
                         DepthwiseBlock<256>, AveragePool2D<3>, Flatten, Dense<2>>;
};

const bool enlisted = enlist_graphs<Contestant>("zoo_inference", "tenon", Role::tenon, ZooCases{});

}  // namespace contest::with_tenon
