// SPDX-License-Identifier: BSL-1.0
// Depthwise convolution: one filter per channel. Packs of channels; the image's border is met by shorter windows, so
// nothing is padded.
#pragma once

#include <tenon/core/conv_shape.hpp>
#include <tenon/kernels/activations.hpp>
#include <tenon/kernels/pool.hpp>
#include <tenon/kernels/row.hpp>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// The taps of a window at `position` that meet the image: tap t reads position · stride + t · dilation - before.
constexpr Span tap_span(std::size_t position, std::size_t stride, std::size_t dilation, std::size_t before,
                        std::size_t taps, std::size_t extent)
{
    const std::size_t first = position * stride;
    std::size_t begin = 0, end = taps;
    while (begin < taps && first + begin * dilation < before) ++begin;
    while (end > begin && first + (end - 1) * dilation >= before + extent) --end;
    return {begin, end};
}

// One output pixel, one register of channels; whole says that the register is full.
template <class P, bool Whole, class T>
TENON_ALWAYS_INLINE constexpr P depthwise_pixel(const ConvShape& s, Span h, Span v, std::size_t i, std::size_t j,
                                                const T* x, const T* w, P sum, std::bool_constant<Whole> whole,
                                                std::size_t lanes)
{
    for (std::size_t a = h.begin; a < h.end; ++a)
        for (std::size_t b = v.begin; b < v.end; ++b) {
            const std::size_t row = i * s.stride_height + a * s.dilation_height - s.top;
            const std::size_t column = j * s.stride_width + b * s.dilation_width - s.left;
            sum = fma(load<P>(x + (row * s.width + column) * s.channels, whole, lanes),
                      load<P>(w + (a * s.kernel_width + b) * s.channels, whole, lanes), sum);
        }
    return sum;
}

// Tile output pixels side by side, one register of channels: each pixel of the image is loaded once for all windows that
// hold it. The first Left and the last Right columns that the windows reach lie outside the image.
// x: the first column inside, in kernel row h.begin; w: its column of the kernel if Tile is 1, else column 0
template <class P, std::size_t Taps, std::size_t KernelWidth, std::size_t StrideWidth, std::size_t Tile,
          std::size_t Left, std::size_t Right, bool Whole, class T>
TENON_ALWAYS_INLINE void depthwise_tile(const ConvShape& s, Span h, const T* x, const T* w, P start, P floor, T* y,
                                        std::bool_constant<Whole> whole, std::size_t lanes)
{
    const std::size_t channels = s.channels, line = s.dilation_height * s.width * channels;
    P sum[Tile];
    TENON_UNROLL
    for (std::size_t t = 0; t < Tile; ++t) sum[t] = start;
    w += h.begin * KernelWidth * channels;
    for (std::size_t a = h.begin; a < h.end; ++a, x += line, w += KernelWidth * channels) {
        P taps[Taps];
        TENON_UNROLL
        for (std::size_t b = 0; b < Taps; ++b) taps[b] = load<P>(w + b * channels, whole, lanes);
        TENON_UNROLL
        for (std::size_t p = Left; p < (Tile - 1) * StrideWidth + Taps - Right; ++p) {
            const P value = load<P>(x + (p - Left) * channels, whole, lanes);
            TENON_UNROLL
            for (std::size_t b = 0; b < Taps; ++b)
                if (p >= b && (p - b) % StrideWidth == 0 && (p - b) / StrideWidth < Tile)
                    sum[(p - b) / StrideWidth] = fma(value, taps[b], sum[(p - b) / StrideWidth]);
        }
    }
    TENON_UNROLL
    for (std::size_t t = 0; t < Tile; ++t) store(y + t * channels, max(floor, sum[t]), whole, lanes);
}

// f(count) with a number from 1 to Most as a type.
template <std::size_t Most, class F>
TENON_ALWAYS_INLINE void with_count(std::size_t taps, F f)
{
    if constexpr (Most > 1)
        if (taps != Most) return with_count<Most - 1>(taps, f);
    f(std::integral_constant<std::size_t, Most>{});
}

}  // namespace detail

// y[i, j, c] = max(floor, bias[c] + Σ_{a, b} x[…, c] · w[a, b, c]).   w: (kh, kw, c), x: (rows, h, w, c), y: (rows, h', w', c)
// KernelWidth, StrideWidth, Width: of the shape, and the lanes to work with; Tile: pixels together, depthwise_tile_width.
// Each output is one chain over its window.
template <class T, std::size_t KernelWidth, std::size_t StrideWidth, std::size_t Width, std::size_t Tile>
void depthwise_forward(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y, T floor)
{
    using P = simd::Pack<T, Width>;
    constexpr bool unrolls = KernelWidth <= 7;
    const std::size_t channels = s.channels;
    const P lowest = floor;
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size())
        for (std::size_t i = 0; i < s.out_height; ++i, y += s.out_width * channels) {
            const auto h = detail::tap_span(i, s.stride_height, s.dilation_height, s.top, s.kernel_height, s.height);
            const std::size_t row = h.begin == h.end ? 0 : i * s.stride_height + h.begin * s.dilation_height - s.top;
            // f(first channel, whether the register is full, lanes, where sums start)
            const auto each_pack = [&](auto f) TENON_LAMBDA_INLINE {
                const auto start = [&](std::size_t c, auto whole, std::size_t lanes) TENON_LAMBDA_INLINE {
                    return bias == nullptr ? P(T(0)) : detail::load<P>(bias + c, whole, lanes);
                };
                std::size_t c = 0;
                for (; c + P::size <= channels; c += P::size)
                    f(c, std::true_type{}, P::size, start(c, std::true_type{}, P::size));
                if constexpr (P::size > 1)
                    if (c < channels) f(c, std::false_type{}, channels - c, start(c, std::false_type{}, channels - c));
            };
            for (std::size_t j = 0; j < s.out_width;) {
                const auto v = detail::tap_span(j, s.stride_width, s.dilation_width, s.left, s.kernel_width, s.width);
                T* const to = y + j * channels;
                if (!unrolls || s.dilation_width != 1 || v.begin == v.end) {
                    each_pack([&](std::size_t c, auto whole, std::size_t lanes, P start) TENON_LAMBDA_INLINE {
                        const P sum = detail::depthwise_pixel(s, h, v, i, j, x + c, w + c, start, whole, lanes);
                        detail::store(to + c, max(lowest, sum), whole, lanes);
                    });
                    ++j;
                } else if constexpr (unrolls) {
                    const T* const from = x + (row * s.width + j * StrideWidth + v.begin - s.left) * channels;
                    const T* const kernel = w + v.begin * channels;
                    // A tile's windows may reach one column beyond either side; those on its left are its first window's.
                    const std::size_t reach = (j + Tile - 1) * StrideWidth + KernelWidth, columns = s.left + s.width;
                    const std::size_t right = reach > columns ? reach - columns : 0, left = v.begin;
                    if (Tile > 1 && j + Tile <= s.out_width && left <= 1 && right <= 1) {
                        const auto run = [&](auto l, auto r_) TENON_LAMBDA_INLINE {
                            each_pack([&](std::size_t c, auto whole, std::size_t lanes, P start) TENON_LAMBDA_INLINE {
                                detail::depthwise_tile<P, KernelWidth, KernelWidth, StrideWidth, Tile,
                                                       decltype(l)::value, decltype(r_)::value>(
                                    s, h, from + c, w + c, start, lowest, to + c, whole, lanes);
                            });
                        };
                        using None = std::integral_constant<std::size_t, 0>;
                        using One = std::integral_constant<std::size_t, 1>;
                        if (left == 0)
                            right == 0 ? run(None{}, None{}) : run(None{}, One{});
                        else
                            right == 0 ? run(One{}, None{}) : run(One{}, One{});
                        j += Tile;
                    } else {
                        detail::with_count<KernelWidth>(v.end - v.begin, [&](auto taps) TENON_LAMBDA_INLINE {
                            each_pack([&](std::size_t c, auto whole, std::size_t lanes, P start) TENON_LAMBDA_INLINE {
                                detail::depthwise_tile<P, decltype(taps)::value, KernelWidth, StrideWidth, 1, 0, 0>(
                                    s, h, from + c, kernel + c, start, lowest, to + c, whole, lanes);
                            });
                        });
                        ++j;
                    }
                }
            }
        }
}

// Pixels that are computed together: a divisor of the width, at most 6, or 4 with some left over.
constexpr std::size_t depthwise_tile_width(const ConvShape& s)
{
    for (std::size_t tile = 6; tile > 2; --tile)
        if (s.out_width % tile == 0) return tile;
    return 4;
}

// The naive twin, for constant evaluation and tests.
template <class T, class Epilogue>
constexpr void depthwise_reference(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y,
                                   Epilogue epilogue)
{
    using P = simd::Pack<T, 1>;
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size())
        for (std::size_t i = 0; i < s.out_height; ++i)
            for (std::size_t j = 0; j < s.out_width; ++j)
                for (std::size_t c = 0; c < s.channels; ++c) {
                    const auto h = detail::tap_span(i, s.stride_height, s.dilation_height, s.top, s.kernel_height,
                                                    s.height);
                    const auto v = detail::tap_span(j, s.stride_width, s.dilation_width, s.left, s.kernel_width,
                                                    s.width);
                    const P start = bias == nullptr ? T(0) : bias[c];
                    *y++ = epilogue(detail::depthwise_pixel(s, h, v, i, j, x + c, w + c, start, std::true_type{}, 1))
                               .lanes;
                }
}

// dx, unless null, is overwritten; dw and dbias (null without bias) are added to.
template <class T>
void depthwise_gradient(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* dy, T* dx, T* dw,
                        T* dbias)
{
    const std::size_t channels = s.channels;
    if (dx != nullptr) fill(rows * s.in_size(), T(0), dx);
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size()) {
        for (std::size_t i = 0; i < s.out_height; ++i) {
            const auto h = detail::tap_span(i, s.stride_height, s.dilation_height, s.top, s.kernel_height, s.height);
            for (std::size_t j = 0; j < s.out_width; ++j, dy += channels) {
                const auto v = detail::tap_span(j, s.stride_width, s.dilation_width, s.left, s.kernel_width, s.width);
                detail::for_each_pack<T>(channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
                    const P d = detail::load<P>(dy + c, whole, lanes);
                    if (dbias != nullptr)
                        detail::store(dbias + c, detail::load<P>(dbias + c, whole, lanes) + d, whole, lanes);
                    for (std::size_t a = h.begin; a < h.end; ++a)
                        for (std::size_t b = v.begin; b < v.end; ++b) {
                            const std::size_t row = i * s.stride_height + a * s.dilation_height - s.top;
                            const std::size_t column = j * s.stride_width + b * s.dilation_width - s.left;
                            const std::size_t at = (row * s.width + column) * channels + c;
                            const std::size_t tap = (a * s.kernel_width + b) * channels + c;
                            detail::store(
                                dw + tap,
                                fma(detail::load<P>(x + at, whole, lanes), d, detail::load<P>(dw + tap, whole, lanes)),
                                whole, lanes);
                            if (dx != nullptr)
                                detail::store(dx + at,
                                              fma(detail::load<P>(w + tap, whole, lanes), d,
                                                  detail::load<P>(dx + at, whole, lanes)),
                                              whole, lanes);
                        }
                });
            }
        }
        if (dx != nullptr) dx += s.in_size();
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
