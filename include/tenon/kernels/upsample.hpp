// SPDX-License-Identifier: BSL-1.0
// Images made larger by a whole factor, channels last, by packs of channels: nearest pixel and bilinear.
#pragma once

#include <tenon/kernels/elementwise.hpp>

namespace tenon::inline TENON_ISA::kernels {

// An image (height, width, channels) and the factor of both axes.
struct UpsampleShape {
    std::size_t height, width, channels;
    std::size_t factor;

    constexpr std::size_t size() const { return height * width * channels; }
    constexpr std::size_t line() const { return width * channels; }
    constexpr std::size_t out_line() const { return factor * line(); }
};

// y[i, j] = x[i / factor, j / factor].   x: (rows, h, w, c), y: (rows, factor · h, factor · w, c)
template <class T>
constexpr void upsample_nearest(std::size_t rows, const UpsampleShape& s, const T* x, T* y)
{
    for (std::size_t r = 0; r < rows * s.height; ++r, x += s.line()) {
        T* const line = y;
        for (std::size_t j = 0; j < s.width; ++j)
            for (std::size_t b = 0; b < s.factor; ++b, y += s.channels) copy(s.channels, x + j * s.channels, y);
        for (std::size_t a = 1; a < s.factor; ++a, y += s.out_line())
            copy(s.out_line(), static_cast<const T*>(line), y);
    }
}

// dx[i, j] = Σ of the factor × factor gradients that came from x[i, j], row by row.
template <class T>
constexpr void upsample_nearest_gradient(std::size_t rows, const UpsampleShape& s, const T* dy, T* dx)
{
    for (std::size_t r = 0; r < rows * s.height; ++r, dy += s.factor * s.out_line())
        for (std::size_t j = 0; j < s.width; ++j, dx += s.channels)
            detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
                const T* first = dy + j * s.factor * s.channels + c;
                P sum = T(0);
                for (std::size_t a = 0; a < s.factor; ++a)
                    for (std::size_t b = 0; b < s.factor; ++b)
                        sum = sum + detail::load<P>(first + a * s.out_line() + b * s.channels, whole, lanes);
                detail::store(dx + c, sum, whole, lanes);
            });
}

namespace detail {

// The places (i + 1/2) / factor - 1/2 of an axis, for i = 0, 1, …: two neighbours in [0, extent) and the second one's weight.
template <class T>
struct Between {
    std::size_t factor, extent;
    // In units of 1 / (2 · factor), one pixel further so that nothing is negative: `above` is the index behind the place.
    std::size_t above = 0, rest = factor + 1;

    constexpr Between(std::size_t f, std::size_t n) : factor{f}, extent{n} { wrap(); }
    constexpr void next()
    {
        rest += 2;
        wrap();
    }
    constexpr std::size_t low() const { return above == 0 ? 0 : above - 1; }
    constexpr std::size_t high() const { return above < extent ? above : extent - 1; }
    constexpr T weight() const { return static_cast<T>(rest) / static_cast<T>(2 * factor); }

private:
    constexpr void wrap()
    {
        if (rest < 2 * factor) return;
        rest -= 2 * factor;
        ++above;
    }
};

}  // namespace detail

// y = the bilinear interpolation of x: each line of y from a line between two of x, which is made first.
// x: (rows, h, w, c), y: (rows, factor · h, factor · w, c), scratch: one line of x
template <class T>
constexpr void upsample_bilinear(std::size_t rows, const UpsampleShape& s, const T* x, T* y, T* scratch)
{
    const auto mix = [](std::size_t n, const T* a, const T* b, T weight, T* to) TENON_LAMBDA_INLINE {
        combine(n, a, b, to, [weight]<class P>(P first, P second) TENON_LAMBDA_INLINE {
            return fma(second - first, P(weight), first);
        });
    };
    for (std::size_t r = 0; r < rows; ++r, x += s.size()) {
        detail::Between<T> v{s.factor, s.height};
        for (std::size_t i = 0; i < s.factor * s.height; ++i, v.next()) {
            mix(s.line(), x + v.low() * s.line(), x + v.high() * s.line(), v.weight(), scratch);
            detail::Between<T> h{s.factor, s.width};
            for (std::size_t j = 0; j < s.factor * s.width; ++j, h.next(), y += s.channels)
                mix(s.channels, static_cast<const T*>(scratch + h.low() * s.channels),
                    static_cast<const T*>(scratch + h.high() * s.channels), h.weight(), y);
        }
    }
}

// dx = Σ over the output pixels that x[i, j] is a neighbour of, by their weights: line by line the same way back.
template <class T>
constexpr void upsample_bilinear_gradient(std::size_t rows, const UpsampleShape& s, const T* dy, T* dx, T* scratch)
{
    fill(rows * s.size(), T(0), dx);
    for (std::size_t r = 0; r < rows; ++r, dx += s.size()) {
        detail::Between<T> v{s.factor, s.height};
        for (std::size_t i = 0; i < s.factor * s.height; ++i, v.next()) {
            fill(s.line(), T(0), scratch);
            detail::Between<T> h{s.factor, s.width};
            for (std::size_t j = 0; j < s.factor * s.width; ++j, h.next(), dy += s.channels) {
                // One after the other: at the border both are the same pixel.
                axpy(s.channels, T(1) - h.weight(), dy, scratch + h.low() * s.channels);
                axpy(s.channels, h.weight(), dy, scratch + h.high() * s.channels);
            }
            axpy(s.line(), T(1) - v.weight(), static_cast<const T*>(scratch), dx + v.low() * s.line());
            axpy(s.line(), v.weight(), static_cast<const T*>(scratch), dx + v.high() * s.line());
        }
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
