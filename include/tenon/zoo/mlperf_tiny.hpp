// SPDX-License-Identifier: BSL-1.0
// The four networks of the MLPerf Tiny benchmark (Banbury et al. 2021) as types, layer by layer as its reference models in
// Keras are written, with the published numbers of parameters.
#pragma once

#include <tenon/layers/layers.hpp>
#include <tenon/network/add.hpp>
#include <tenon/network/network.hpp>

namespace tenon::inline TENON_ISA::zoo {

namespace detail {

template <std::size_t Filters, class... Options>
using ConvNormRelu = Sequential<Conv2D<Filters, Options...>, BatchNorm, ReLU>;

// Two convolutions beside a shortcut: the input itself, or a strided 1 × 1 convolution where the shape changes.
template <std::size_t Filters>
using PlainBlock = Sequential<Residual<Conv2D<Filters, Kernel<3>, Padding<Same>>, BatchNorm, ReLU,
                                       Conv2D<Filters, Kernel<3>, Padding<Same>>, BatchNorm>,
                              ReLU>;
template <std::size_t Filters>
using DownBlock = Sequential<Add<Sequential<Conv2D<Filters, Kernel<3>, Stride<2>, Padding<Same>>, BatchNorm, ReLU,
                                            Conv2D<Filters, Kernel<3>, Padding<Same>>, BatchNorm>,
                                 Conv2D<Filters, Kernel<1>, Stride<2>, Padding<Same>>>,
                             ReLU>;

// A depthwise convolution, then a 1 × 1 convolution, both normalised.
template <std::size_t Filters, std::size_t Step = 1>
using DepthwiseBlock = Sequential<DepthwiseConv2D<Kernel<3>, Stride<Step>, Padding<Same>>, BatchNorm, ReLU,
                                  Conv2D<Filters, Kernel<1>, Padding<Same>>, BatchNorm, ReLU>;

template <std::size_t Units>
using DenseNormRelu = Sequential<Dense<Units>, BatchNorm, ReLU>;

}  // namespace detail

// Image classification, CIFAR-10.
using ResNet8 = Network<Input<32, 32, 3>, detail::ConvNormRelu<16, Kernel<3>, Padding<Same>>, detail::PlainBlock<16>,
                        detail::DownBlock<32>, detail::DownBlock<64>, AveragePool2D<8>, Flatten, Dense<10>, Softmax>;
static_assert(ResNet8::parameter_count == 78'666, "tenon: ResNet-8 has its published number of parameters.");

// Keyword spotting, Speech Commands: 49 frames of 10 coefficients.
using DsCnn =
    Network<Input<49, 10, 1>, detail::ConvNormRelu<64, Kernel<10, 4>, Stride<2>, Padding<Same>>, Dropout<Rate<1, 5>>,
            Repeat<4, detail::DepthwiseBlock<64>>, Dropout<Rate<2, 5>>, GlobalAveragePool2D, Dense<12>, Softmax>;
static_assert(DsCnn::parameter_count == 24'908, "tenon: DS-CNN has its published number of parameters.");

// Visual wake words: MobileNetV1 with a quarter of the filters.
using MobileNetV1Quarter =
    Network<Input<96, 96, 3>, detail::ConvNormRelu<8, Kernel<3>, Stride<2>, Padding<Same>>, detail::DepthwiseBlock<16>,
            detail::DepthwiseBlock<32, 2>, detail::DepthwiseBlock<32>, detail::DepthwiseBlock<64, 2>,
            detail::DepthwiseBlock<64>, detail::DepthwiseBlock<128, 2>, Repeat<5, detail::DepthwiseBlock<128>>,
            detail::DepthwiseBlock<256, 2>, detail::DepthwiseBlock<256>, AveragePool2D<3>, Flatten, Dense<2>, Softmax>;
static_assert(MobileNetV1Quarter::parameter_count == 221'794,
              "tenon: MobileNetV1-0.25 has its published number of parameters.");

// Anomaly detection, ToyADMOS: an autoencoder of spectrogram windows.
using Autoencoder = Network<Input<640>, Repeat<4, detail::DenseNormRelu<128>>, detail::DenseNormRelu<8>,
                            Repeat<4, detail::DenseNormRelu<128>>, Dense<640>>;
static_assert(Autoencoder::parameter_count == 269'992,
              "tenon: the autoencoder has its published number of parameters.");

}  // namespace tenon::zoo
