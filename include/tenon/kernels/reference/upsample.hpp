// SPDX-License-Identifier: BSL-1.0
//
// The naive twin of kernels/upsample.hpp: each output value by its place among the pixels' centres. For tests.
#pragma once

#include <tenon/kernels/upsample.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::kernels::reference {

// How much the input pixel at `pixel` counts for the output position `i` of an axis: 1 at its centre, falling to 0 at its
// neighbours' (bilinear); 1 for the pixel that the centre lies in (nearest). Beyond the border its pixel counts.
template <class T>
T upsample_weight(std::size_t i, std::size_t pixel, std::size_t factor, std::size_t extent, bool bilinear)
{
    if (!bilinear) return T(i / factor == pixel);
    const T last = static_cast<T>(extent - 1);
    T place = (static_cast<T>(i) + T(0.5)) / static_cast<T>(factor) - T(0.5);
    place = place < 0 ? T(0) : place > last ? last : place;
    const T distance = std::fabs(place - static_cast<T>(pixel));
    return distance < 1 ? 1 - distance : T(0);
}

// y[i, j] = Σ over all pixels of weight · x.
template <class T>
void upsample(std::size_t rows, const UpsampleShape& s, bool bilinear, const T* x, T* y)
{
    for (std::size_t r = 0; r < rows; ++r, x += s.size())
        for (std::size_t i = 0; i < s.factor * s.height; ++i)
            for (std::size_t j = 0; j < s.factor * s.width; ++j)
                for (std::size_t c = 0; c < s.channels; ++c, ++y) {
                    *y = 0;
                    for (std::size_t a = 0; a < s.height; ++a)
                        for (std::size_t b = 0; b < s.width; ++b)
                            *y += upsample_weight<T>(i, a, s.factor, s.height, bilinear) *
                                  upsample_weight<T>(j, b, s.factor, s.width, bilinear) *
                                  x[(a * s.width + b) * s.channels + c];
                }
}

// dx[a, b] = Σ over all outputs of weight · dy.
template <class T>
void upsample_gradient(std::size_t rows, const UpsampleShape& s, bool bilinear, const T* dy, T* dx)
{
    const std::size_t out_width = s.factor * s.width;
    for (std::size_t r = 0; r < rows; ++r, dy += s.factor * s.factor * s.size())
        for (std::size_t a = 0; a < s.height; ++a)
            for (std::size_t b = 0; b < s.width; ++b)
                for (std::size_t c = 0; c < s.channels; ++c, ++dx) {
                    *dx = 0;
                    for (std::size_t i = 0; i < s.factor * s.height; ++i)
                        for (std::size_t j = 0; j < out_width; ++j)
                            *dx += upsample_weight<T>(i, a, s.factor, s.height, bilinear) *
                                   upsample_weight<T>(j, b, s.factor, s.width, bilinear) *
                                   dy[(i * out_width + j) * s.channels + c];
                }
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
