// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/upsample.hpp>
#include <tenon/layers/upsample.hpp>
#include <tenon/passes/context.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

template <std::size_t Factor, class In>
inline constexpr kernels::UpsampleShape upsample_shape{In::extents[0], In::extents[1], In::last, Factor};

}  // namespace passes

template <std::size_t Factor, class... Options, class In, class T, class Context>
constexpr void forward(Bound<Upsample2D<Factor, Options...>, In>, std::size_t rows, auto, const T* x, T* y,
                       [[maybe_unused]] const Context& context)
{
    if constexpr (Upsample2D<Factor, Options...>::interpolation::mode == Bilinear)
        kernels::upsample_bilinear(rows, passes::upsample_shape<Factor, In>, x, y, context.workspace);
    else
        kernels::upsample_nearest(rows, passes::upsample_shape<Factor, In>, x, y);
}

}  // namespace tenon
