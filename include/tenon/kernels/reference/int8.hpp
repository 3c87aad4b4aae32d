// SPDX-License-Identifier: BSL-1.0
// Naive twins of the integer kernels: plain loops over logical (Keras) order, zero points subtracted where they belong, as
// TensorFlow Lite's reference kernels do it. Only for tests and for reading.
#pragma once

#include <tenon/core/conv_shape.hpp>
#include <tenon/core/fixed_point.hpp>

namespace tenon::inline TENON_ISA::kernels::reference {

// The zero points of a linear layer and its clamp; multiplier and shift per output channel.
struct Int8Factors {
    const std::int32_t* multiplier;
    const std::int32_t* shift;
    std::int32_t input_zero, kernel_zero, output_zero, lowest, highest;

    constexpr std::int8_t operator()(std::int32_t sum, std::size_t n) const
    {
        const std::int32_t q = multiply_fixed(sum, multiplier[n], shift[n]) + output_zero;
        return static_cast<std::int8_t>(q < lowest ? lowest : q > highest ? highest : q);
    }
};

// x: (rows, inputs), w: (inputs, units), y: (rows, units).
constexpr void int8_dense(std::size_t rows, std::size_t inputs, std::size_t units, const std::int8_t* x,
                          const std::int8_t* w, const std::int32_t* bias, const Int8Factors& f, std::int8_t* y)
{
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t n = 0; n < units; ++n) {
            std::int32_t sum = bias[n];
            for (std::size_t k = 0; k < inputs; ++k)
                sum += (x[r * inputs + k] - f.input_zero) * (w[k * units + n] - f.kernel_zero);
            y[r * units + n] = f(sum, n);
        }
}

// x: (rows, h, w, c), w: (kh, kw, c / groups, filters), y: (rows, h', w', filters).
constexpr void int8_conv(std::size_t rows, const ConvShape& s, const std::int8_t* x, const std::int8_t* w,
                         const std::int32_t* bias, const Int8Factors& f, std::int8_t* y)
{
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < s.out_height; ++i)
            for (std::size_t j = 0; j < s.out_width; ++j)
                for (std::size_t n = 0; n < s.filters; ++n) {
                    std::int32_t sum = bias[n];
                    const std::size_t group = n / s.group_filters();
                    for (std::size_t a = 0; a < s.kernel_height; ++a)
                        for (std::size_t b = 0; b < s.kernel_width; ++b)
                            for (std::size_t c = 0; c < s.group_channels(); ++c) {
                                const std::size_t row = i * s.stride_height + a * s.dilation_height;
                                const std::size_t column = j * s.stride_width + b * s.dilation_width;
                                if (row < s.top || row >= s.top + s.height || column < s.left ||
                                    column >= s.left + s.width)
                                    continue;
                                const std::size_t at = ((r * s.height + row - s.top) * s.width + column - s.left) *
                                                           s.channels +
                                                       group * s.group_channels() + c;
                                sum += (x[at] - f.input_zero) *
                                       (w[((a * s.kernel_width + b) * s.group_channels() + c) * s.filters + n] -
                                        f.kernel_zero);
                            }
                    y[((r * s.out_height + i) * s.out_width + j) * s.filters + n] = f(sum, n);
                }
}

// x: (rows, h, w, c), w: (kh, kw, c), y: (rows, h', w', c).
constexpr void int8_depthwise(std::size_t rows, const ConvShape& s, const std::int8_t* x, const std::int8_t* w,
                              const std::int32_t* bias, const Int8Factors& f, std::int8_t* y)
{
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < s.out_height; ++i)
            for (std::size_t j = 0; j < s.out_width; ++j)
                for (std::size_t c = 0; c < s.channels; ++c) {
                    std::int32_t sum = bias[c];
                    for (std::size_t a = 0; a < s.kernel_height; ++a)
                        for (std::size_t b = 0; b < s.kernel_width; ++b) {
                            const std::size_t row = i * s.stride_height + a * s.dilation_height;
                            const std::size_t column = j * s.stride_width + b * s.dilation_width;
                            if (row < s.top || row >= s.top + s.height || column < s.left || column >= s.left + s.width)
                                continue;
                            sum += (x[((r * s.height + row - s.top) * s.width + column - s.left) * s.channels + c] -
                                    f.input_zero) *
                                   (w[(a * s.kernel_width + b) * s.channels + c] - f.kernel_zero);
                        }
                    y[((r * s.out_height + i) * s.out_width + j) * s.channels + c] = f(sum, c);
                }
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
