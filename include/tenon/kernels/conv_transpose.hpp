// SPDX-License-Identifier: BSL-1.0
// Transposed convolution. Forward, the outputs of one phase (core/conv_transpose_shape.hpp) are a plain convolution of the
// input with that phase's taps, so that no product with the zeros between a spread-out image's pixels is ever taken; the
// kernel lies in phases for that. Backward, it is the convolution whose input gradient it is.
//
// Layouts: x (rows, h, w, c), y (rows, h', w', f); the kernel of each phase is a (taps · c, f) matrix in panels
// (simd/panels.hpp), the bias has the panels' columns.
//
// Order of summation: each output is one chain of multiply-adds over its window, so splitting the rows changes no bit.
#pragma once

#include <tenon/core/conv_transpose_shape.hpp>
#include <tenon/kernels/conv.hpp>
#include <tenon/kernels/zero_padding.hpp>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// The zeros around the input that serve all phases.
constexpr PaddedShape transpose_padding(const ConvTransposeShape& s)
{
    return {s.rows.in,
            s.columns.in,
            s.channels,
            s.rows.zeros_before(),
            s.rows.zeros_behind(),
            s.columns.zeros_before(),
            s.columns.zeros_behind()};
}

// f(place in the phases' kernel, place in the convolution's kernel, steps): `steps` weights of neighbouring channels, one
// row of the phase's panel apart in the one, side by side in the other. `row` is that panel's width.
template <class T, class F>
void for_each_weight(const ConvTransposeShape& s, F f)
{
    const ConvShape conv = s.convolution();
    const simd::PanelLayout<T> panels{conv.window(), conv.filters};
    for (std::size_t a = 0; a < s.rows.kernel; ++a)
        for (std::size_t b = 0; b < s.columns.kernel; ++b) {
            const std::size_t down = a % s.rows.stride, across = b % s.columns.stride;
            const std::size_t taps_down = s.rows.taps(down), taps_across = s.columns.taps(across);
            const std::size_t tap = (taps_down - 1 - a / s.rows.stride) * taps_across + taps_across - 1 -
                                    b / s.columns.stride;
            const simd::PanelLayout<T> own{taps_down * taps_across * s.channels, s.filters};
            const std::size_t phase = s.rows_before(down, across) * own.columns();
            for (std::size_t n = 0; n < s.filters; ++n) {
                const std::size_t width = n / own.full_width() < own.full_panels() ? own.full_width()
                                                                                   : own.last_width();
                const std::size_t k = (a * s.columns.kernel + b) * s.filters + n;
                for (std::size_t c = 0; c < s.channels; c += panels.full_width())
                    f(phase + own.index(tap * s.channels + c, n), width, panels.index(k, c),
                      smaller(panels.full_width(), s.channels - c));
            }
        }
}

}  // namespace detail

// y = max(floor, bias + the transposed convolution of x).   w: the kernel in phases, bias: null or (columns)
// scratch: s.padded_size() + s.phase_size(). LastWidth: of the last panel of the filters.
template <class T, std::size_t LastWidth>
void conv_transpose_forward(std::size_t rows, const ConvTransposeShape& s, const T* x, const T* w, const T* bias, T* y,
                            T floor, T* scratch)
{
    const std::size_t line = s.columns.padded() * s.channels;
    const std::size_t columns = simd::PanelLayout<T>{1, s.filters}.columns();
    const bool interleaved = s.rows.stride * s.columns.stride != 1;
    T* const part = scratch + s.padded_size();
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size(), y += s.out_size()) {
        const T* image = x;
        if (s.is_padded()) {
            zero_pad(1, detail::transpose_padding(s), x, scratch);
            image = scratch;
        }
        for (std::size_t down = 0; down < s.rows.stride; ++down)
            for (std::size_t across = 0; across < s.columns.stride; ++across) {
                ConvShape phase{};
                phase.height = s.rows.padded();
                phase.width = s.columns.padded();
                phase.channels = s.channels;
                phase.filters = s.filters;
                phase.out_height = s.rows.count(down);
                phase.out_width = s.columns.count(across);
                phase.kernel_height = s.rows.taps(down);
                phase.kernel_width = s.columns.taps(across);
                phase.stride_height = phase.stride_width = 1;
                phase.dilation_height = phase.dilation_width = 1;
                phase.groups = 1;
                if (phase.out_size() == 0) continue;
                T* const made = interleaved ? part : y;
                if (phase.window() == 0) {
                    // A stride beyond the kernel: nothing but the bias arrives here.
                    for (std::size_t p = 0; p < phase.out_pixels(); ++p)
                        for (std::size_t f = 0; f < s.filters; ++f) {
                            const T value = bias == nullptr ? T(0) : bias[f];
                            made[p * s.filters + f] = value > floor ? value : floor;
                        }
                } else {
                    conv_forward<T, LastWidth>(1, phase,
                                               image + s.rows.start(down) * line + s.columns.start(across) * s.channels,
                                               w + s.rows_before(down, across) * columns, bias, made, floor, nullptr);
                }
                if (!interleaved) continue;
                const T* from = part;
                for (std::size_t i = 0; i < phase.out_height; ++i) {
                    T* to = y + ((s.rows.first(down) + i * s.rows.stride) * s.columns.out + s.columns.first(across)) *
                                    s.filters;
                    for (std::size_t j = 0; j < phase.out_width; ++j) {
                        copy(s.filters, from, to);
                        from += s.filters;
                        to += s.columns.stride * s.filters;
                    }
                }
            }
    }
}

// The kernel in phases as the kernel of s.convolution(), for the input gradient: conv_kernel_size scalars.
template <class T>
void conv_transpose_kernel(const ConvTransposeShape& s, const T* w, T* kernel)
{
    fill(conv_kernel_size<T>(s.convolution()), T(0), kernel);
    detail::for_each_weight<T>(s, [&](std::size_t from, std::size_t step, std::size_t to, std::size_t count) {
        for (std::size_t c = 0; c < count; ++c) kernel[to + c] = w[from + c * step];
    });
}

// dx = the convolution of dy.   dy: (rows, h', w', f), dx: (rows, h, w, c), kernel: from conv_transpose_kernel
// scratch: conv_forward_scratch(s.convolution()). LastWidth: of the last panel of the channels.
template <class T, std::size_t LastWidth>
void conv_transpose_input_gradient(std::size_t rows, const ConvTransposeShape& s, const T* dy, const T* kernel, T* dx,
                                   T* scratch)
{
    conv_forward<T, LastWidth>(rows, s.convolution(), dy, kernel, static_cast<const T*>(nullptr), dx,
                               detail::no_floor<T>, scratch);
}

// dw += the gradient of the convolution's kernel, which conv_weight_gradient made of dy and x, in phases.
template <class T>
void conv_transpose_weight_gradient(const ConvTransposeShape& s, const T* gradient, T* dw)
{
    detail::for_each_weight<T>(s, [&](std::size_t to, std::size_t step, std::size_t from, std::size_t count) {
        for (std::size_t c = 0; c < count; ++c) dw[to + c * step] += gradient[from + c];
    });
}

// The naive twin, for constant evaluation and tests: every input pixel adds to the outputs that it reaches. place(a, b, c, f)
// says where a weight lies.
template <class T, class Place, class Epilogue>
constexpr void conv_transpose_reference(std::size_t rows, const ConvTransposeShape& s, const T* x, const T* w,
                                        const T* bias, T* y, Place place, Epilogue epilogue)
{
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size(), y += s.out_size()) {
        for (std::size_t i = 0; i < s.out_size(); ++i) y[i] = bias == nullptr ? T(0) : bias[i % s.filters];
        for (std::size_t h = 0; h < s.rows.in; ++h)
            for (std::size_t v = 0; v < s.columns.in; ++v)
                for (std::size_t a = 0; a < s.rows.kernel; ++a)
                    for (std::size_t b = 0; b < s.columns.kernel; ++b) {
                        const std::size_t i = h * s.rows.stride + a, j = v * s.columns.stride + b;
                        if (i < s.rows.before || i - s.rows.before >= s.rows.out || j < s.columns.before ||
                            j - s.columns.before >= s.columns.out)
                            continue;
                        T* to = y + ((i - s.rows.before) * s.columns.out + j - s.columns.before) * s.filters;
                        const T* pixel = x + (h * s.columns.in + v) * s.channels;
                        for (std::size_t f = 0; f < s.filters; ++f)
                            for (std::size_t c = 0; c < s.channels; ++c) to[f] += pixel[c] * w[place(a, b, c, f)];
                    }
        for (std::size_t i = 0; i < s.out_size(); ++i) y[i] = epilogue(simd::Pack<T, 1>(y[i])).lanes;
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
