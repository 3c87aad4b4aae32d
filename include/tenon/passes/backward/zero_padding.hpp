// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/zero_padding.hpp>

namespace tenon::inline TENON_ISA {

template <class Amount, class In, class T>
void backward(Bound<ZeroPadding2D<Amount>, In>, std::size_t rows, auto, const auto&, const T*, const T*, const T* dy,
              T* dx)
{
    if (dx != nullptr)
        kernels::zero_pad_gradient(rows, passes::padded_shape<typename ZeroPadding2D<Amount>::zeros, In>, dy, dx);
}

}  // namespace tenon
