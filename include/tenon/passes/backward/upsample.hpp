// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/upsample.hpp>

namespace tenon::inline TENON_ISA {

template <std::size_t Factor, class... Options, class In, class T>
void backward(Bound<Upsample2D<Factor, Options...>, In>, std::size_t rows, auto, const auto&, const T*, const T*, T* dy,
              T* dx, const TrainingContext<T>& context)
{
    if (dx == nullptr) return;
    const T* const d = dy;
    if constexpr (Upsample2D<Factor, Options...>::interpolation::mode == Bilinear)
        kernels::upsample_bilinear_gradient(rows, passes::upsample_shape<Factor, In>, d, dx, context.workspace);
    else
        kernels::upsample_nearest_gradient(rows, passes::upsample_shape<Factor, In>, d, dx);
}

}  // namespace tenon
