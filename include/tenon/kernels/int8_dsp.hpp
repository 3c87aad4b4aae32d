// SPDX-License-Identifier: BSL-1.0
// The integer kernels on a Cortex-M with the DSP extension: dense layers row by row with inputs where they lie, convolutions by
// tiles of four windows as columns of 16-bit numbers, depthwise convolutions by four channels. What they compute:
// kernels/int8.hpp.
#pragma once

#include <tenon/kernels/int8.hpp>
#include <tenon/simd/int8_dsp.hpp>

#if defined(TENON_DETAIL_INT8_DSP)

namespace tenon::inline TENON_ISA::kernels {

constexpr std::size_t int8_dense_scratch(std::size_t, std::size_t) { return 0; }

namespace detail {

namespace i8 = simd::int8;

// int8_sum in fewer instructions. Its terms are below 2^29, so that twice a term is no more than 32 bits, and of the inputs'
// factors none is above 1/2 (the larger scale is halved).
class Int8FastSum {
public:
    static bool takes(const Int8Add& add)
    {
        return add.a.shift <= 0 && add.b.shift <= 0 && add.a.shift > -31 && add.b.shift > -31 && add.y.shift < 0 &&
               add.y.shift > -31;
    }
    explicit Int8FastSum(const Int8Add& add)
        : a_{add.a, add.zero_a},
          b_{add.b, add.zero_b},
          multiplier_{add.y.multiplier},
          shift_{add.y.shift},
          rounding_{{nullptr, nullptr, add.zero_y, add.lowest, 127}},
          lowest_{add.lowest}
    {}
    TENON_ALWAYS_INLINE std::int8_t operator()(std::int8_t a, std::int8_t b) const
    {
        const std::int32_t q = i8::requantize_small(a_(a) + b_(b), multiplier_, shift_, rounding_);
        return static_cast<std::int8_t>(q < lowest_ ? lowest_ : q);
    }

private:
    struct Term {
        std::int32_t zero, multiplier, right, half, sign;

        Term(const FixedPoint& factor, std::int8_t zero_point)
            : zero{zero_point},
              multiplier{factor.multiplier},
              right{-factor.shift},
              half{static_cast<std::int32_t>((std::uint32_t{1} << (right & 31)) >> 1)},
              sign{right == 0 ? 0 : -1}
        {}
        TENON_ALWAYS_INLINE std::int32_t operator()(std::int8_t x) const
        {
            const std::int32_t product = i8::high_product((x - zero) * (1 << 21), multiplier);
            return (product + half + (product >> 31 & sign)) >> right;
        }
    };
    Term a_, b_;
    std::int32_t multiplier_, shift_;
    i8::Rounding rounding_;
    std::int32_t lowest_;
};

TENON_NOINLINE inline bool int8_add_fast(std::size_t n, const std::int8_t* a, const std::int8_t* b, const Int8Add& add,
                                         std::int8_t* y)
{
    if (!Int8FastSum::takes(add)) return false;
    const Int8FastSum sum{add};
    for (std::size_t i = 0; i < n; ++i) y[i] = sum(a[i], b[i]);
    return true;
}
// What outputs are added to, where they are stored: y = y + output.
struct Int8Onto {
    const Int8Add& add;
    bool fast;
    Int8FastSum sum;

    explicit Int8Onto(const Int8Add& table) : add{table}, fast{Int8FastSum::takes(table)}, sum{table} {}
};
TENON_NOINLINE inline void int8_add_onto(const std::int8_t* values, std::size_t count, const Int8Onto& onto,
                                         std::int8_t* y, std::size_t pitch)
{
    if (onto.fast)
        for (std::size_t v = 0; v < count; ++v, y += pitch) *y = onto.sum(*y, values[v]);
    else
        for (std::size_t v = 0; v < count; ++v, y += pitch) *y = int8_sum(*y, values[v], onto.add);
}

// y[v · pitch] = requantize(sums[v]) of one channel.
TENON_NOINLINE inline void int8_store_slowly(std::size_t count, const std::int32_t* sums, std::int32_t multiplier,
                                             std::int32_t shift, const i8::Requantize& to, std::int8_t* y,
                                             std::size_t pitch)
{
    for (std::size_t v = 0; v < count; ++v)
        y[v * pitch] = i8::requantize(sums[v], multiplier, shift, to.zero, to.lowest, to.highest);
}

// Four channels side by side; false: to be done slowly.
TENON_ALWAYS_INLINE bool int8_store_four(const std::int32_t (&sums)[4], const std::int32_t* multiplier,
                                         const std::int8_t* shift, const i8::Requantize& to,
                                         const i8::Rounding& rounding, std::int8_t* y)
{
    if (!i8::Rounding::takes(shift[0], to) || !i8::Rounding::takes(shift[1], to) ||
        !i8::Rounding::takes(shift[2], to) || !i8::Rounding::takes(shift[3], to))
        return false;
    const std::int32_t word = i8::four_bytes(i8::requantize_small(sums[0], multiplier[0], shift[0], rounding),
                                             i8::requantize_small(sums[1], multiplier[1], shift[1], rounding),
                                             i8::requantize_small(sums[2], multiplier[2], shift[2], rounding),
                                             i8::requantize_small(sums[3], multiplier[3], shift[3], rounding),
                                             rounding);
    std::memcpy(y, &word, 4);
    return true;
}

// Four channels of a dense layer. sum: of the row.
inline void int8_dense_panel(const i8::Layout& l, std::size_t c, const std::int8_t* x, std::int32_t sum,
                             const Int8Linear& layer, const i8::Requantize& to, const i8::Rounding& rounding,
                             std::int8_t* y)
{
    const std::int8_t* w = layer.kernel + c * l.groups() * l.group;
    std::int32_t totals[4] = {
        layer.bias[c] - (layer.kernel_zero + 128) * sum, layer.bias[c + 1] - layer.kernel_zero * sum,
        layer.bias[c + 2] - (layer.kernel_zero + 128) * sum, layer.bias[c + 3] - layer.kernel_zero * sum};
    const auto append = [&totals](const std::int8_t* at, const std::int8_t* weights, std::size_t groups) {
        std::int32_t parts[4];
        i8::dot_row(parts, at, weights, at + groups / 4 * 16, at + groups * 4);
        TENON_UNROLL
        for (std::size_t n = 0; n < 4; ++n) totals[n] += parts[n];
    };
    for (std::size_t left = l.length / 4; left != 0;) {
        const std::size_t groups = left < i8::most_groups ? left : i8::most_groups;
        append(x, w, groups);
        x += groups * 4;
        w += groups * 16;
        left -= groups;
    }
    if (l.length % 4 != 0) {
        const std::int32_t word = i8::load_part(x, l.length % 4);
        std::int8_t bytes[4];
        std::memcpy(bytes, &word, 4);
        append(bytes, w, 1);
    }
    const std::size_t count = l.outputs - c < 4 ? l.outputs - c : 4;
    if (count == 4 && int8_store_four(totals, layer.multiplier + c, layer.shift + c, to, rounding, y)) return;
    for (std::size_t n = 0; n < count; ++n)
        y[n] = i8::requantize(totals[n], layer.multiplier[c + n], layer.shift[c + n], to.zero, to.lowest, to.highest);
}

// dot_columns for any number of groups.
TENON_NOINLINE inline void int8_long_columns(std::int32_t (&sums)[2 * i8::columns], const std::int32_t* x,
                                             std::size_t groups, const std::int8_t* w)
{
    for (std::int32_t& sum : sums) sum = 0;
    while (groups != 0) {
        const std::size_t now = groups < i8::most_groups ? groups : i8::most_groups;
        std::int32_t parts[2 * i8::columns];
        i8::dot_columns(parts, x, w, x + now / 4 * 4 * i8::column_words, x + now * i8::column_words);
        for (std::size_t v = 0; v < 2 * i8::columns; ++v) sums[v] += parts[v];
        x += now * i8::column_words;
        w += now * 16;
        groups -= now;
    }
}

// Four sums of a channel, of which `count` are there: y[v · pitch] = requantize(sums[v]); with add: plus y[v · pitch].
template <bool Pool>
TENON_ALWAYS_INLINE void int8_store(std::int32_t (&sums)[i8::columns], std::size_t count, std::int32_t multiplier,
                                    std::int32_t shift, const i8::Requantize& to, const i8::Rounding& rounding,
                                    const Int8Onto* add, std::int8_t* y, std::size_t pitch)
{
    if constexpr (Pool) {
        std::int32_t most[1] = {sums[0]};
        for (const std::int32_t sum : sums) most[0] = sum > most[0] ? sum : most[0];
        return int8_store_slowly(1, most, multiplier, shift, to, y, pitch);
    }
    if (count == i8::columns && i8::Rounding::takes(shift, to)) {
        const std::int32_t word = i8::four_bytes(i8::requantize_small(sums[0], multiplier, shift, rounding),
                                                 i8::requantize_small(sums[1], multiplier, shift, rounding),
                                                 i8::requantize_small(sums[2], multiplier, shift, rounding),
                                                 i8::requantize_small(sums[3], multiplier, shift, rounding), rounding);
        if (add != nullptr) {
            std::int8_t values[i8::columns];
            std::memcpy(values, &word, 4);
            return int8_add_onto(values, i8::columns, *add, y, pitch);
        }
        y[0] = static_cast<std::int8_t>(word);
        y[pitch] = static_cast<std::int8_t>(word >> 8);
        y[2 * pitch] = static_cast<std::int8_t>(word >> 16);
        y[3 * pitch] = static_cast<std::int8_t>(word >> 24);
    } else if (add == nullptr) {
        int8_store_slowly(count, sums, multiplier, shift, to, y, pitch);
    } else {
        std::int8_t values[i8::columns];
        int8_store_slowly(count, sums, multiplier, shift, to, values, 1);
        int8_add_onto(values, count, *add, y, pitch);
    }
}

// A tile of four windows. What kernels/int8_windows.hpp asks of it: its bytes, a window's segments in their order, one group's
// channels.
template <bool Pool>
class Int8Tile {
public:
    static constexpr std::size_t bytes(const i8::Layout& l) { return l.segments * l.groups() * i8::column_words * 4; }

    Int8Tile(const i8::Layout& l, std::int8_t* scratch) : layout_{l}, words_{reinterpret_cast<std::int32_t*>(scratch)}
    {}

    void begin(std::size_t v)
    {
        to_ = words_ + v;
        sum_ = sums_ + v;
        *sum_ = 0;
    }
    TENON_ALWAYS_INLINE void append(const std::int8_t* x)
    {
        *sum_ += i8::fill_column(to_, x, layout_.length);
        to_ += layout_.groups() * i8::column_words;
    }

    // Channel by channel; layer: the group's part.
    void run(std::size_t count, const Int8Linear& layer, const Int8Add* add, std::int8_t* y, std::size_t pitch) const
    {
        if (add == nullptr) return run_onto(count, layer, nullptr, y, pitch);
        const Int8Onto onto{*add};
        run_onto(count, layer, &onto, y, pitch);
    }

private:
    TENON_NOINLINE void run_onto(std::size_t count, const Int8Linear& layer, const Int8Onto* add, std::int8_t* y,
                                 std::size_t pitch) const
    {
        const std::size_t groups = layout_.segments * layout_.groups();
        const i8::Requantize to{layer.multiplier, layer.shift, layer.output_zero, layer.lowest, layer.highest};
        const i8::Rounding rounding{to};
        // What the zero points take from each column's sums.
        std::int32_t less[2][i8::columns];
        for (std::size_t v = 0; v < i8::columns; ++v) {
            less[0][v] = (layer.kernel_zero + 128) * sums_[v];
            less[1][v] = layer.kernel_zero * sums_[v];
        }
        const std::int32_t *const whole = words_ + groups / 4 * 4 * i8::column_words, *const end = words_ +
                                                                                                   groups *
                                                                                                       i8::column_words;
        const std::int8_t* w = layer.kernel;
        for (std::size_t n = 0; n < layout_.outputs; n += 2) {
            std::int32_t parts[2 * i8::columns];
            if (groups <= i8::most_groups)
                i8::dot_columns(parts, words_, w, whole, end);
            else
                int8_long_columns(parts, words_, groups, w);
            // The other two channels of the panel, then the next panel.
            w += n % 4 == 0 ? 8 : groups * 16 - 8;
            for (std::size_t h = 0; h < 2 && n + h < layout_.outputs; ++h) {
                const std::int32_t bias = layer.bias[n + h];
                std::int32_t sums[i8::columns];
                TENON_UNROLL
                for (std::size_t v = 0; v < i8::columns; ++v) sums[v] = parts[2 * v + h] + (bias - less[h][v]);
                int8_store<Pool>(sums, count, layer.multiplier[n + h], layer.shift[n + h], to, rounding, add, y + n + h,
                                 pitch);
            }
        }
    }

    i8::Layout layout_;
    std::int32_t *words_, *to_ = nullptr, *sum_ = nullptr;
    std::int32_t sums_[i8::columns] = {};
};

}  // namespace detail

inline void int8_dense(std::size_t rows, std::size_t inputs, std::size_t units, const std::int8_t* x,
                       const Int8Linear& layer, std::int8_t* y, std::int8_t*)
{
    namespace i8 = simd::int8;
    const i8::Layout l = int8_dense_layout(inputs, units);
    const i8::Requantize to{layer.multiplier, layer.shift, layer.output_zero, layer.lowest, layer.highest};
    const i8::Rounding rounding{to};
    for (std::size_t r = 0; r < rows; ++r, x += inputs, y += units) {
        const std::int32_t sum = i8::sum_of(x, inputs);
        for (std::size_t c = 0; c < units; c += 4) detail::int8_dense_panel(l, c, x, sum, layer, to, rounding, y + c);
    }
}

namespace detail {

// The taps of a window inside the image, in one direction.
struct Int8Inside {
    std::size_t begin, end;

    Int8Inside(std::size_t at, std::size_t before, std::size_t extent, std::size_t dilation, std::size_t taps)
        : begin{at >= before ? 0 : (before - at + dilation - 1) / dilation}, end{taps}
    {
        if (at + (taps - 1) * dilation >= before + extent)
            end = before + extent > at ? (before + extent - at + dilation - 1) / dilation : 0;
    }
};

// A depthwise convolution but for its last channels, fewer than four; returns how many channels are done: none where weights
// have a zero point.
inline std::size_t int8_depthwise_fours(const ConvShape& s, const std::int8_t* x, const Int8Linear& layer,
                                        std::int8_t* y)
{
    const std::size_t channels = s.channels, fours = channels / 4 * 4;
    if (layer.kernel_zero != 0) return 0;
    const i8::Requantize to{layer.multiplier, layer.shift, layer.output_zero, layer.lowest, layer.highest};
    const i8::Rounding rounding{to};
    i8::Taps taps{};
    taps.x_step = s.dilation_width * channels;
    taps.w_step = channels;
    taps.less = static_cast<std::int32_t>((static_cast<std::uint32_t>(-layer.input_zero) & 0xffff) * 0x10001u);
    for (std::size_t i = 0; i < s.out_height; ++i) {
        const Int8Inside rows{i * s.stride_height, s.top, s.height, s.dilation_height, s.kernel_height};
        for (std::size_t j = 0; j < s.out_width; ++j, y += channels) {
            const Int8Inside columns{j * s.stride_width, s.left, s.width, s.dilation_width, s.kernel_width};
            const bool some = rows.end > rows.begin && columns.end > columns.begin;
            taps.across = columns.end - columns.begin;
            taps.down = rows.end - rows.begin;
            taps.x_line = s.dilation_height * s.width * channels - taps.across * taps.x_step;
            taps.w_line = (s.kernel_width - taps.across) * channels;
            const std::size_t row = i * s.stride_height + rows.begin * s.dilation_height - s.top;
            const std::size_t column = j * s.stride_width + columns.begin * s.dilation_width - s.left;
            const std::int8_t* from = x + (row * s.width + column) * channels;
            const std::int8_t* w = layer.kernel + (rows.begin * s.kernel_width + columns.begin) * channels;
            for (std::size_t c = 0; c < fours; c += 4, from += 4, w += 4) {
                std::int32_t sums[4];
                std::memcpy(sums, layer.bias + c, sizeof(sums));
                if (some) i8::dot_taps(sums, from, w, &taps);
                if (!int8_store_four(sums, layer.multiplier + c, layer.shift + c, to, rounding, y + c))
                    for (std::size_t n = 0; n < 4; ++n)
                        int8_store_slowly(1, sums + n, layer.multiplier[c + n], layer.shift[c + n], to, y + c + n, 0);
            }
        }
    }
    return fours;
}

}  // namespace detail

}  // namespace tenon::inline TENON_ISA::kernels

#endif
