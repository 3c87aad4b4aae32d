// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/zero_padding.hpp>
#include <tenon/layers/zero_padding.hpp>
#include <tenon/passes/context.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

template <class Zeros, class In>
inline constexpr kernels::PaddedShape padded_shape{In::extents[0], In::extents[1], In::last,    Zeros::top,
                                                   Zeros::bottom,  Zeros::left,    Zeros::right};

}  // namespace passes

template <class Amount, class In, class T>
constexpr void forward(Bound<ZeroPadding2D<Amount>, In>, std::size_t rows, auto, const T* x, T* y)
{
    kernels::zero_pad(rows, passes::padded_shape<typename ZeroPadding2D<Amount>::zeros, In>, x, y);
}

}  // namespace tenon
