// SPDX-License-Identifier: BSL-1.0
//
// The naive twin of kernels/zero_padding.hpp. For tests.
#pragma once

#include <tenon/kernels/zero_padding.hpp>

namespace tenon::inline TENON_ISA::kernels::reference {

// y value by value: x where the position lies inside, else 0.
template <class T>
void zero_pad(std::size_t rows, const PaddedShape& s, const T* x, T* y)
{
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < s.top + s.height + s.bottom; ++i)
            for (std::size_t j = 0; j < s.left + s.width + s.right; ++j)
                for (std::size_t c = 0; c < s.channels; ++c) {
                    const bool inside = i >= s.top && i < s.top + s.height && j >= s.left && j < s.left + s.width;
                    *y++ = inside ? x[((r * s.height + i - s.top) * s.width + j - s.left) * s.channels + c] : T(0);
                }
}

// dx: each output value's gradient goes where the value came from.
template <class T>
void zero_pad_gradient(std::size_t rows, const PaddedShape& s, const T* dy, T* dx)
{
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < s.top + s.height + s.bottom; ++i)
            for (std::size_t j = 0; j < s.left + s.width + s.right; ++j)
                for (std::size_t c = 0; c < s.channels; ++c, ++dy)
                    if (i >= s.top && i < s.top + s.height && j >= s.left && j < s.left + s.width)
                        dx[((r * s.height + i - s.top) * s.width + j - s.left) * s.channels + c] = *dy;
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
