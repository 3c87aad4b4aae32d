// SPDX-License-Identifier: BSL-1.0
// Pooling windows over images, channels last: each pack of channels is taken through the window. All extents are values.
#pragma once

#include <tenon/kernels/elementwise.hpp>

namespace tenon::inline TENON_ISA::kernels {

// A pooling window: the input's extents, the window, its steps, the padding before, and the number of positions.
struct PoolShape {
    std::size_t height, width, channels;
    std::size_t window_height, window_width;
    std::size_t stride_height, stride_width;
    std::size_t top, left;
    std::size_t out_height, out_width;
};

namespace detail {

struct Span {
    std::size_t begin, end;
};

// The part of a window at `position` that lies inside [0, extent).
constexpr Span window_span(std::size_t position, std::size_t stride, std::size_t before, std::size_t window,
                           std::size_t extent)
{
    const std::size_t first = position * stride, last = first + window;
    return {first < before ? 0 : first - before, last < before ? 0 : last - before < extent ? last - before : extent};
}

// f(offset of the output pixel, first row, last row, first column, last column) for every position of every image.
template <class F>
TENON_ALWAYS_INLINE constexpr void for_each_window(std::size_t rows, const PoolShape& s, F f)
{
    std::size_t out = 0;
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < s.out_height; ++i) {
            const Span h = window_span(i, s.stride_height, s.top, s.window_height, s.height);
            for (std::size_t j = 0; j < s.out_width; ++j, out += s.channels) {
                const Span w = window_span(j, s.stride_width, s.left, s.window_width, s.width);
                f(r * s.height * s.width * s.channels, out, h, w);
            }
        }
}

}  // namespace detail

// y = the largest value of each window.   x: (rows, h, w, c), y: (rows, h', w', c)
template <class T>
constexpr void max_pool(std::size_t rows, const PoolShape& s, const T* x, T* y)
{
    detail::for_each_window(rows, s, [&](std::size_t image, std::size_t out, detail::Span h, detail::Span w) {
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            const T* first = x + image + (h.begin * s.width + w.begin) * s.channels + c;
            P most = detail::load<P>(first, whole, lanes);
            for (std::size_t a = h.begin; a < h.end; ++a)
                for (std::size_t b = w.begin; b < w.end; ++b) {
                    const P value = detail::load<P>(x + image + (a * s.width + b) * s.channels + c, whole, lanes);
                    most = select(value > most, value, most);
                }
            detail::store(y + out + c, most, whole, lanes);
        });
    });
}

// dx gets dy where the window's first largest value was. Which one that was is found again from x and y: nothing is kept.
template <class T>
void max_pool_gradient(std::size_t rows, const PoolShape& s, const T* x, const T* y, const T* dy, T* dx)
{
    fill(rows * s.height * s.width * s.channels, T(0), dx);
    detail::for_each_window(rows, s, [&](std::size_t image, std::size_t out, detail::Span h, detail::Span w) {
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            const P most = detail::load<P>(y + out + c, whole, lanes), zero = T(0);
            P left = detail::load<P>(dy + out + c, whole, lanes);
            for (std::size_t a = h.begin; a < h.end; ++a)
                for (std::size_t b = w.begin; b < w.end; ++b) {
                    const std::size_t at = image + (a * s.width + b) * s.channels + c;
                    const auto hit = detail::load<P>(x + at, whole, lanes) == most;
                    detail::store(dx + at, detail::load<P>(dx + at, whole, lanes) + select(hit, left, zero), whole,
                                  lanes);
                    left = select(hit, zero, left);
                }
        });
    });
}

// y = the mean of each window's values inside the image.
template <class T>
constexpr void average_pool(std::size_t rows, const PoolShape& s, const T* x, T* y)
{
    detail::for_each_window(rows, s, [&](std::size_t image, std::size_t out, detail::Span h, detail::Span w) {
        const T share = T(1) / static_cast<T>((h.end - h.begin) * (w.end - w.begin));
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            P sum = T(0);
            for (std::size_t a = h.begin; a < h.end; ++a)
                for (std::size_t b = w.begin; b < w.end; ++b)
                    sum = sum + detail::load<P>(x + image + (a * s.width + b) * s.channels + c, whole, lanes);
            detail::store(y + out + c, sum * P(share), whole, lanes);
        });
    });
}

template <class T>
void average_pool_gradient(std::size_t rows, const PoolShape& s, const T* dy, T* dx)
{
    fill(rows * s.height * s.width * s.channels, T(0), dx);
    detail::for_each_window(rows, s, [&](std::size_t image, std::size_t out, detail::Span h, detail::Span w) {
        const T share = T(1) / static_cast<T>((h.end - h.begin) * (w.end - w.begin));
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            const P part = detail::load<P>(dy + out + c, whole, lanes) * P(share);
            for (std::size_t a = h.begin; a < h.end; ++a)
                for (std::size_t b = w.begin; b < w.end; ++b) {
                    T* at = dx + image + (a * s.width + b) * s.channels + c;
                    detail::store(at, detail::load<P>(at, whole, lanes) + part, whole, lanes);
                }
        });
    });
}

}  // namespace tenon::inline TENON_ISA::kernels
