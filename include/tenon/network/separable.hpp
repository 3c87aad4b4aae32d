// SPDX-License-Identifier: BSL-1.0
// SeparableConv2D: two convolutions under one name.
#pragma once

#include <tenon/layers/conv.hpp>
#include <tenon/network/blocks.hpp>

namespace tenon::inline TENON_ISA {

// A depthwise convolution without bias, then a 1 × 1 convolution (Chollet 2017). The options go to the depthwise part.
template <std::size_t Filters, class... Options>
using SeparableConv2D = Sequential<DepthwiseConv2D<Options..., NoBias>, Conv2D<Filters, Kernel<1>>>;

}  // namespace tenon
