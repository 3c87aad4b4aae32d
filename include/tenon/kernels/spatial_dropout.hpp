// SPDX-License-Identifier: BSL-1.0
// Channels multiplied by a factor of their own, or dropped.
#pragma once

#include <tenon/kernels/elementwise.hpp>

namespace tenon::inline TENON_ISA::kernels {

// For one sample: y[p, c] = keeps(c) ? x[p, c] · scale : 0 at all positions p.   x, y: (positions, channels), y may be x
// keeps is asked once for each channel. A dropped value is 0 whatever x was, infinite ones included.
template <class T, class Keeps>
constexpr void spatial_dropout(std::size_t positions, std::size_t channels, T scale, Keeps keeps, const T* x, T* y)
{
    // By stretches of channels, whose factors stay in a small array.
    constexpr std::size_t stretch = 64;
    for (std::size_t first = 0; first < channels; first += stretch) {
        const std::size_t count = channels - first < stretch ? channels - first : stretch;
        T factor[stretch]{};
        for (std::size_t c = 0; c < count; ++c) factor[c] = keeps(first + c) ? scale : T(0);
        for (std::size_t p = 0; p < positions; ++p)
            combine(count, x + p * channels + first, static_cast<const T*>(factor), y + p * channels + first,
                    []<class P>(P value, P own) TENON_LAMBDA_INLINE {
                        return select(own > P(typename P::value_type(0)), value * own, P(typename P::value_type(0)));
                    });
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
