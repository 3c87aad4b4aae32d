// SPDX-License-Identifier: BSL-1.0
// The integer kernels of quantised inference: dense layers and convolutions (with or without a 2 × 2 maximum behind them),
// depthwise convolutions, pools, sums of two tensors, tables, softmax. Each gives the bits of its naive twin
// (kernels/reference/int8.hpp), which are those of TensorFlow Lite Micro and CMSIS-NN. Without SIMD some are in other files:
// include kernels/int8_windows.hpp, which has them all.
#pragma once

#include <tenon/core/conv_shape.hpp>
#include <tenon/kernels/pool.hpp>
#include <tenon/simd/int8.hpp>

namespace tenon::inline TENON_ISA {

// A dense layer or a convolution, ready to run. `kernel` lies as simd::int8::Layout says, group by group (depthwise: as
// (kh, kw, c)); the other arrays have one entry per channel, each group filled up to Layout::channels(), and the bias
// holds what the zero points add:
//   bias' = bias - (zero_in + offset) · Σ_k w + zero_w · K · (zero_in + offset).
struct Int8Linear {
    const std::int8_t* kernel;
    const std::int32_t* bias;
    const std::int32_t* multiplier;
    const std::int8_t* shift;
    std::int16_t kernel_zero;
    std::int8_t input_zero, output_zero, lowest, highest;
};

// y = clamp(zero_y + factor_y · (factor_a · (a - zero_a) + factor_b · (b - zero_b)) / 2^…), TensorFlow Lite's ADD.
struct Int8Add {
    FixedPoint a, b, y;
    std::int8_t zero_a, zero_b, zero_y, lowest;
};

// y = clamp(zero_y + factor · (x - zero_x)).
struct Int8Rescale {
    FixedPoint factor;
    std::int8_t zero_x, zero_y;
};

// y = at[x + 128].
struct Int8Table {
    std::int8_t at[256];
};

// Softmax with beta = 1: the scaled difference is (x - max) · factor with 26 fraction bits; below `least` its exponential is 0.
struct Int8Softmax {
    FixedPoint factor;
    std::int32_t least;
};

}  // namespace tenon

namespace tenon::inline TENON_ISA::kernels {

// a + b. 20 more bits before the sum, as TensorFlow Lite has them.
constexpr std::int8_t int8_sum(std::int8_t a, std::int8_t b, const Int8Add& add)
{
    const std::int32_t sum = multiply_fixed((a - add.zero_a) * (1 << 20), add.a) +
                             multiply_fixed((b - add.zero_b) * (1 << 20), add.b);
    return clamp_int8(multiply_fixed(sum, add.y) + add.zero_y, add.lowest);
}

// The layout of a dense layer's weights, and of one group of a convolution's.
constexpr simd::int8::Layout int8_dense_layout(std::size_t inputs, std::size_t units) { return {1, inputs, units}; }
constexpr simd::int8::Layout int8_conv_layout(const ConvShape& s)
{
    // Where taps lie side by side, a row of them is one segment.
    if (s.groups == 1 && s.dilation_width == 1) return {s.kernel_height, s.kernel_width * s.channels, s.filters};
    return {s.kernel_height * s.kernel_width, s.group_channels(), s.group_filters()};
}

#if !defined(TENON_DETAIL_INT8_DSP)  // there: kernels/int8_dsp.hpp

// What the kernel of a convolution walks through, in operands: output rows and columns, then the taps of a window.
struct Int8Window {
    std::size_t rows, columns;          // outputs
    std::size_t row_step, column_step;  // between the windows of two outputs
    std::size_t taps_down, down_step;   // segments of a window: taps_down × taps_across
    std::size_t taps_across, across_step;
};

namespace detail {

namespace i8 = simd::int8;

// The sum of a window's operands, for weights with a zero point.
inline std::int32_t window_sum(const i8::Layout& l, const Int8Window& w, const i8::Operand* x)
{
    std::int32_t sum = 0;
    for (std::size_t a = 0; a < w.taps_down; ++a)
        for (std::size_t b = 0; b < w.taps_across; ++b)
            for (std::size_t k = 0; k < l.length; ++k) sum += x[a * w.down_step + b * w.across_step + k];
    return sum;
}

// One tile: Down · Across windows × Registers · lanes channels from channel c on. With Down == 2 the four windows of each
// output of a 2 × 2 maximum are computed together and their largest sum is requantised: requantisation keeps order.
template <std::size_t Down, std::size_t Across, std::size_t Registers>
TENON_ALWAYS_INLINE void int8_tile(const i8::Layout& l, const Int8Window& window, const i8::Operand* x,
                                   const std::int8_t* w, const Int8Linear& layer, std::size_t c, std::size_t count,
                                   std::int8_t* y)
{
    constexpr std::size_t windows = Down * Across, step = Registers * i8::lanes * i8::group;
    // A single window's sums are chains as long as an instruction's latency: two sets of them, joined exactly.
    constexpr std::size_t sets = windows == 1 && i8::lanes >= 8 ? 2 : 1;
    i8::Sums sums[sets][windows][Registers];
    TENON_UNROLL
    for (std::size_t r = 0; r < Registers; ++r) {
        TENON_UNROLL
        for (std::size_t v = 0; v < windows; ++v) sums[0][v][r] = i8::load(layer.bias + c + r * i8::lanes);
        if constexpr (sets == 2) sums[1][0][r] = i8::zero();
    }
    const std::size_t whole = i8::reads_in_place ? l.length / i8::group : l.groups();
    const auto input = [&](const i8::Operand* at, std::size_t v) TENON_LAMBDA_INLINE {
        return at + v / Across * window.row_step + v % Across * window.column_step;
    };
    for (std::size_t a = 0; a < window.taps_down; ++a)
        for (std::size_t b = 0; b < window.taps_across; ++b) {
            const i8::Operand* at = x + a * window.down_step + b * window.across_step;
            std::size_t g = 0;
            if constexpr (sets == 2)
                for (; g + 2 <= whole; g += 2, at += 2 * i8::group, w += 2 * step) {
                    const auto first = i8::broadcast(at), second = i8::broadcast(at + i8::group);
                    TENON_UNROLL
                    for (std::size_t r = 0; r < Registers; ++r) {
                        i8::dot(sums[0][0][r], first, i8::load_weights(w + r * i8::lanes * i8::group));
                        i8::dot(sums[1][0][r], second, i8::load_weights(w + step + r * i8::lanes * i8::group));
                    }
                }
            for (; g < whole; ++g, at += i8::group, w += step) {
                i8::Weights weights[Registers];
                TENON_UNROLL
                for (std::size_t r = 0; r < Registers; ++r)
                    weights[r] = i8::load_weights(w + r * i8::lanes * i8::group);
                TENON_UNROLL
                for (std::size_t v = 0; v < windows; ++v) {
                    const auto value = i8::broadcast(input(at, v));
                    TENON_UNROLL
                    for (std::size_t r = 0; r < Registers; ++r) i8::dot(sums[0][v][r], value, weights[r]);
                }
            }
            if constexpr (i8::reads_in_place && i8::group > 1)
                if (const std::size_t rest = l.length % i8::group; rest != 0) {
                    TENON_UNROLL
                    for (std::size_t v = 0; v < windows; ++v) {
                        const auto value = i8::broadcast_part(input(at, v), rest);
                        TENON_UNROLL
                        for (std::size_t r = 0; r < Registers; ++r)
                            i8::dot(sums[0][v][r], value, i8::load_weights(w + r * i8::lanes * i8::group));
                    }
                    w += step;
                }
        }
    if constexpr (sets == 2) {
        TENON_UNROLL
        for (std::size_t r = 0; r < Registers; ++r) sums[0][0][r] = i8::add(sums[0][0][r], sums[1][0][r]);
    }
    if (layer.kernel_zero != 0) {
        TENON_UNROLL
        for (std::size_t v = 0; v < windows; ++v) {
            const std::int32_t less = -layer.kernel_zero * window_sum(l, window, input(x, v));
            TENON_UNROLL
            for (std::size_t r = 0; r < Registers; ++r) sums[0][v][r] = i8::add(sums[0][v][r], less);
        }
    }

    const i8::Requantize to{layer.multiplier, layer.shift, layer.output_zero, layer.lowest, layer.highest};
    constexpr std::size_t outputs = Down == 2 ? Across / 2 : Across;
    TENON_UNROLL
    for (std::size_t v = 0; v < outputs; ++v) {
        TENON_UNROLL
        for (std::size_t r = 0; r < Registers; ++r) {
            i8::Sums sum = sums[0][v][r];
            if constexpr (Down == 2)
                sum = i8::max(i8::max(sums[0][2 * v][r], sums[0][2 * v + 1][r]),
                              i8::max(sums[0][Across + 2 * v][r], sums[0][Across + 2 * v + 1][r]));
            if (r + 1 < Registers || count >= Registers * i8::lanes)
                i8::store(sum, c + r * i8::lanes, to, y + v * l.outputs + r * i8::lanes, i8::lanes);
            else
                i8::store(sum, c + r * i8::lanes, to, y + v * l.outputs + r * i8::lanes, count - r * i8::lanes);
        }
    }
}

// A row of outputs, tile after tile, each half the size of the one before.
template <std::size_t Across, bool Pool, std::size_t Registers>
TENON_ALWAYS_INLINE void int8_row(const i8::Layout& l, const Int8Window& window, const i8::Operand* x,
                                  const std::int8_t* w, const Int8Linear& layer, std::size_t c, std::size_t count,
                                  std::int8_t* y, std::size_t columns)
{
    constexpr std::size_t windows = Pool ? 2 * Across : Across;
    for (; columns >= Across; columns -= Across) {
        int8_tile<Pool ? 2 : 1, windows, Registers>(l, window, x, w, layer, c, count, y);
        x += windows * window.column_step;
        y += Across * l.outputs;
    }
    if constexpr (Across > 1)
        int8_row<(Across > 4 ? 4 : Across / 2), Pool, Registers>(l, window, x, w, layer, c, count, y, columns);
}

// All outputs of a panel's channels.
template <bool Pool, std::size_t Registers>
TENON_NOINLINE void int8_panel(const i8::Layout& l, const Int8Window& window, const i8::Operand* x,
                               const std::int8_t* w, const Int8Linear& layer, std::size_t c, std::size_t count,
                               std::int8_t* y)
{
    // Fewer channels leave registers for more windows.
    constexpr std::size_t tile = Pool ? (i8::row_tile >= 4 && 2 * Registers <= i8::panel_registers ? 2 : 1)
                                 : 2 * Registers <= i8::panel_registers ? 2 * i8::row_tile
                                                                        : i8::row_tile;
    for (std::size_t i = 0; i < window.rows; ++i)
        int8_row<tile, Pool, Registers>(l, window, x + i * (Pool ? 2 : 1) * window.row_step, w, layer, c, count,
                                        y + i * window.columns * l.outputs, window.columns);
}

template <bool Pool, std::size_t Registers>
TENON_ALWAYS_INLINE void int8_last_panel(std::size_t registers, const i8::Layout& l, const Int8Window& window,
                                         const i8::Operand* x, const std::int8_t* w, const Int8Linear& layer,
                                         std::size_t c, std::size_t count, std::int8_t* y)
{
    if (registers == Registers) return int8_panel<Pool, Registers>(l, window, x, w, layer, c, count, y);
    if constexpr (Registers > 1) int8_last_panel<Pool, Registers - 1>(registers, l, window, x, w, layer, c, count, y);
}

}  // namespace detail

// y[i, j, n] = requantize(bias'[n] + Σ_k x[window(i, j), k] · w[k, n]).  x: operands; y: (rows, columns, y_channels), of which
// this group writes l.outputs from y on; Pool: the largest of each 2 × 2 block, window.rows and columns count the blocks.
template <bool Pool>
void int8_linear(const simd::int8::Layout& l, const Int8Window& window, const simd::int8::Operand* x,
                 const Int8Linear& layer, std::int8_t* y)
{
    namespace i8 = simd::int8;
    const std::size_t depth = l.segments * l.groups() * l.group;
    for (std::size_t c = 0; c < l.outputs; c += l.panel()) {
        const std::size_t width = l.channels() - c < l.panel() ? l.channels() - c : l.panel();
        const std::size_t count = l.outputs - c < width ? l.outputs - c : width;
        detail::int8_last_panel<Pool, i8::panel_registers>(width / i8::lanes, l, window, x, layer.kernel + c * depth,
                                                           layer, c, count, y + c);
    }
}

// Bytes of scratch: rows as operands, filled up to whole groups.
constexpr std::size_t int8_dense_scratch(std::size_t rows, std::size_t inputs)
{
    namespace i8 = simd::int8;
    if (i8::reads_in_place) return 0;
    return rows * ((inputs + i8::group - 1) / i8::group * i8::group) * sizeof(i8::Operand);
}
// y = requantize(x · w + bias).   x: (rows, inputs), y: (rows, units), scratch: int8_dense_scratch bytes.
inline void int8_dense(std::size_t rows, std::size_t inputs, std::size_t units, const std::int8_t* x,
                       const Int8Linear& layer, std::int8_t* y, std::int8_t* scratch)
{
    namespace i8 = simd::int8;
    const i8::Layout l = int8_dense_layout(inputs, units);
    const i8::Operand* operands = nullptr;
    std::size_t pitch = inputs;
    if constexpr (i8::reads_in_place) {
        operands = reinterpret_cast<const i8::Operand*>(x);
    } else {
        auto* to = reinterpret_cast<i8::Operand*>(scratch);
        pitch = l.groups() * i8::group;
        for (std::size_t r = 0; r < rows; ++r) {
            i8::convert(x + r * inputs, to + r * pitch, inputs);
            for (std::size_t k = inputs; k < pitch; ++k) to[r * pitch + k] = 0;
        }
        operands = to;
    }
    int8_linear<false>(l, {1, rows, 0, pitch, 1, 0, 1, 0}, operands, layer, y);
}

#    if TENON_SIMD  // elsewhere: kernels/int8_windows.hpp

// One image as operands with its padding; the last window's last group may reach a little beyond.
constexpr std::size_t int8_conv_scratch(const ConvShape& s)
{
    namespace i8 = simd::int8;
    if (i8::reads_in_place && !s.is_padded()) return 0;
    return (s.padded_size() + (i8::reads_in_place ? 0 : i8::group)) * sizeof(i8::Operand);
}

// A convolution over images, channels last; with Pool the largest of each 2 × 2 block of outputs.
// x: (rows, h, w, c), y: (rows, h', w', filters), scratch: int8_conv_scratch bytes.
template <bool Pool>
void int8_conv(std::size_t rows, const ConvShape& s, const std::int8_t* x, const Int8Linear& layer, std::int8_t* y,
               std::int8_t* scratch)
{
    namespace i8 = simd::int8;
    const i8::Layout l = int8_conv_layout(s);
    const std::size_t line = s.padded_width() * s.channels;
    const bool side_by_side = l.segments == s.kernel_height && s.groups == 1 && s.dilation_width == 1;
    const Int8Window window{Pool ? s.out_height / 2 : s.out_height,
                            Pool ? s.out_width / 2 : s.out_width,
                            s.stride_height * line,
                            s.stride_width * s.channels,
                            s.kernel_height,
                            s.dilation_height * line,
                            side_by_side ? 1 : s.kernel_width,
                            s.dilation_width * s.channels};
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size(), y += window.rows * window.columns * s.filters) {
        const i8::Operand* operands = nullptr;
        if constexpr (i8::reads_in_place) operands = reinterpret_cast<const i8::Operand*>(x);
        if (!i8::reads_in_place || s.is_padded()) {
            auto* to = reinterpret_cast<i8::Operand*>(scratch);
            operands = to;
            const auto nothing = static_cast<i8::Operand>(layer.input_zero + i8::offset);
            const auto fill = [&to, nothing](std::size_t n) {
                for (std::size_t i = 0; i < n; ++i) to[i] = nothing;
                to += n;
            };
            fill(s.top * line);
            if (s.left + s.right == 0) {
                i8::convert(x, to, s.in_size());
                to += s.in_size();
            } else {
                const std::size_t inner = s.width * s.channels;
                for (std::size_t i = 0; i < s.height; ++i) {
                    fill(s.left * s.channels);
                    i8::convert(x + i * inner, to, inner);
                    to += inner;
                    fill(s.right * s.channels);
                }
            }
            fill(s.bottom * line);
            if constexpr (!i8::reads_in_place) fill(i8::group);
        }
        Int8Linear part = layer;
        if (s.groups == 1) {
            int8_linear<Pool>(l, window, operands, part, y);
        } else {
            // Other groups' channels lie between a group's outputs: pixel by pixel.
            Int8Window one = window;
            one.rows = one.columns = 1;
            for (std::size_t g = 0; g < s.groups; ++g) {
                for (std::size_t i = 0; i < window.rows; ++i)
                    for (std::size_t j = 0; j < window.columns; ++j)
                        int8_linear<Pool>(l, one,
                                          operands + (Pool ? 2 : 1) * (i * window.row_step + j * window.column_step) +
                                              g * s.group_channels(),
                                          part, y + (i * window.columns + j) * s.filters + g * l.outputs);
                part.kernel += l.size();
                part.bias += l.channels();
                part.multiplier += l.channels();
                part.shift += l.channels();
            }
        }
    }
}

#    endif
#else

namespace detail {
std::size_t int8_depthwise_fours(const ConvShape& s, const std::int8_t* x, const Int8Linear& layer, std::int8_t* y);
bool int8_add_fast(std::size_t n, const std::int8_t* a, const std::int8_t* b, const Int8Add& add, std::int8_t* y);
}  // namespace detail

#endif

// y[., ., c] = requantize(bias[c] + Σ (x[., ., c] - zero_in) · (w[., ., c] - zero_w)); taps outside the image count nothing, and
// the bias is the plain one. x: (rows, h, w, c), kernel: (kh, kw, c).
constexpr void int8_depthwise(std::size_t rows, const ConvShape& s, const std::int8_t* x, const Int8Linear& layer,
                              std::int8_t* y)
{
    constexpr std::size_t block = 32;
    const std::size_t channels = s.channels;
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size()) {
        std::size_t done = 0;
#if defined(TENON_DETAIL_INT8_DSP)
        if (!std::is_constant_evaluated()) done = detail::int8_depthwise_fours(s, x, layer, y);
#endif
        if (done == channels) {
            y += s.out_pixels() * channels;
            continue;
        }
        for (std::size_t i = 0; i < s.out_height; ++i)
            for (std::size_t j = 0; j < s.out_width; ++j, y += channels)
                for (std::size_t first = done; first < channels; first += block) {
                    const std::size_t count = channels - first < block ? channels - first : block;
                    std::int32_t sums[block] = {};
                    for (std::size_t c = 0; c < count; ++c) sums[c] = layer.bias[first + c];
                    for (std::size_t a = 0; a < s.kernel_height; ++a) {
                        const std::size_t row = i * s.stride_height + a * s.dilation_height;
                        if (row < s.top || row - s.top >= s.height) continue;
                        for (std::size_t b = 0; b < s.kernel_width; ++b) {
                            const std::size_t column = j * s.stride_width + b * s.dilation_width;
                            if (column < s.left || column - s.left >= s.width) continue;
                            const std::int8_t* from = x + ((row - s.top) * s.width + (column - s.left)) * channels +
                                                      first;
                            const std::int8_t* w = layer.kernel + (a * s.kernel_width + b) * channels + first;
                            for (std::size_t c = 0; c < count; ++c)
                                sums[c] += (from[c] - layer.input_zero) * (w[c] - layer.kernel_zero);
                        }
                    }
                    for (std::size_t c = 0; c < count; ++c)
                        y[first + c] = simd::int8::requantize(sums[c], layer.multiplier[first + c],
                                                              layer.shift[first + c], layer.output_zero, layer.lowest,
                                                              layer.highest);
                }
    }
}

// y = the largest of each window; the scale stays.
constexpr void int8_max_pool(std::size_t rows, const PoolShape& s, const std::int8_t* x, std::int8_t* y)
{
    detail::for_each_window(rows, s, [&](std::size_t image, std::size_t out, detail::Span h, detail::Span w) {
        for (std::size_t c = 0; c < s.channels; ++c) {
            std::int8_t most = -128;
            for (std::size_t a = h.begin; a < h.end; ++a)
                for (std::size_t b = w.begin; b < w.end; ++b) {
                    const std::int8_t value = x[image + (a * s.width + b) * s.channels + c];
                    most = value > most ? value : most;
                }
            y[out + c] = most;
        }
    });
}

// y = the mean of each window's values inside the image, halves away from zero; the scale stays (TensorFlow Lite
// AVERAGE_POOL_2D).
constexpr void int8_average_pool(std::size_t rows, const PoolShape& s, const std::int8_t* x, std::int8_t* y)
{
    detail::for_each_window(rows, s, [&](std::size_t image, std::size_t out, detail::Span h, detail::Span w) {
        const auto count = static_cast<std::int32_t>((h.end - h.begin) * (w.end - w.begin));
        for (std::size_t c = 0; c < s.channels; ++c) {
            std::int32_t sum = 0;
            for (std::size_t a = h.begin; a < h.end; ++a)
                for (std::size_t b = w.begin; b < w.end; ++b) sum += x[image + (a * s.width + b) * s.channels + c];
            y[out + c] = clamp_int8((sum > 0 ? sum + count / 2 : sum - count / 2) / count);
        }
    });
}

// y = a + b; b == y and a == y are allowed.
constexpr void int8_add(std::size_t n, const std::int8_t* a, const std::int8_t* b, const Int8Add& add, std::int8_t* y)
{
#if defined(TENON_DETAIL_INT8_DSP)
    if (!std::is_constant_evaluated() && detail::int8_add_fast(n, a, b, add, y)) return;
#endif
    for (std::size_t i = 0; i < n; ++i) y[i] = int8_sum(a[i], b[i], add);
}

constexpr std::int8_t int8_rescaled(std::int8_t x, const Int8Rescale& rescale)
{
    return clamp_int8(multiply_fixed(x - rescale.zero_x, rescale.factor) + rescale.zero_y);
}

constexpr void int8_lookup(std::size_t n, const std::int8_t* x, const Int8Table& table, std::int8_t* y)
{
    for (std::size_t i = 0; i < n; ++i) y[i] = table.at[x[i] + 128];
}

namespace detail {

// exp(x / 2^26) · 2^31 for x <= 0 (gemmlowp exp_on_negative_values with 5 integer bits): a Taylor polynomial around -1/8 on
// [-1/4, 0), times exp(-2^k) for each bit of the rest.
constexpr std::int32_t fixed_exp(std::int32_t x)
{
    constexpr std::int32_t quarter = 1 << 24;
    if (x == 0) return INT32_MAX;
    const std::int32_t part = (x & (quarter - 1)) - quarter;
    const std::int32_t t = (part << 5) + (1 << 28);
    const std::int32_t t2 = doubling_high_product(t, t), t3 = doubling_high_product(t2, t);
    const std::int32_t t4 = doubling_high_product(t2, t2);
    const std::int32_t cubic = doubling_high_product(rounding_shift_right(t4, 2) + t3, 715827883);  // · 1/3
    const std::int32_t series = t + rounding_shift_right(cubic + t2, 1);
    constexpr std::int32_t centre = 1895147668;  // exp(-1/8)
    std::int32_t result = centre + doubling_high_product(centre, series);
    constexpr std::int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
    const std::int32_t rest = part - x;
    for (int k = 0; k < 7; ++k)
        if ((rest & (quarter << k)) != 0) result = doubling_high_product(result, powers[k]);
    return result;
}

// 2^31 / (1 + x / 2^31) for x in [0, 2^31): three Newton-Raphson steps in 2 integer bits (gemmlowp
// one_over_one_plus_x_for_x_in_0_1).
constexpr std::int32_t fixed_reciprocal(std::int32_t x)
{
    const std::int64_t sum = static_cast<std::int64_t>(x) + INT32_MAX;
    const auto half = static_cast<std::int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
    std::int32_t y = 1515870810 + doubling_high_product(half, -1010580540);  // 48/17 - 32/17 · half
    for (int i = 0; i < 3; ++i) {
        const std::int32_t rest = (1 << 29) - doubling_high_product(half, y);
        y += saturating_shift_left(doubling_high_product(y, rest), 2);
    }
    return saturating_shift_left(y, 1);
}

}  // namespace detail

// Probabilities with scale 1/256 and zero point -128 over the last axis (TensorFlow Lite SOFTMAX, int8). x == y is allowed.
constexpr void int8_softmax(std::size_t vectors, std::size_t size, const std::int8_t* x, const Int8Softmax& softmax,
                            std::int8_t* y)
{
    for (std::size_t r = 0; r < vectors; ++r, x += size, y += size) {
        std::int32_t most = -128;
        for (std::size_t i = 0; i < size; ++i) most = x[i] > most ? x[i] : most;
        const auto exponential = [&](std::int32_t difference) {
            const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(difference)
                                                           << softmax.factor.shift);
            return detail::fixed_exp(doubling_high_product(shifted, softmax.factor.multiplier));
        };
        std::int32_t sum = 0;  // 12 integer bits
        for (std::size_t i = 0; i < size; ++i)
            if (x[i] - most >= softmax.least) sum += rounding_shift_right(exponential(x[i] - most), 12);
        const int headroom = std::countl_zero(static_cast<std::uint32_t>(sum));
        const auto fraction = static_cast<std::int32_t>((static_cast<std::uint32_t>(sum) << headroom) -
                                                        (std::uint32_t{1} << 31));
        const std::int32_t scale = detail::fixed_reciprocal(fraction);
        const std::int32_t bits = 12 - headroom + 31 - 8;
        for (std::size_t i = 0; i < size; ++i) {
            if (x[i] - most < softmax.least)
                y[i] = -128;
            else
                y[i] = clamp_int8(rounding_shift_right(doubling_high_product(scale, exponential(x[i] - most)), bits) -
                                  128);
        }
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
