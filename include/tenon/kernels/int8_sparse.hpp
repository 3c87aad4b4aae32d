// SPDX-License-Identifier: BSL-1.0
//
// A dense layer on int8 whose zeros are not there, for processors without vectors.
//
// Each output has a list of its own weights: their number of pairs in two bytes, then pair after pair as
//   {distance, weight, distance, weight},
// where a distance says how far behind the input before a weight's own input lies. So a weight takes two bytes, and its product
// a load, two additions of which one is the product's, and half a load of the list. Distances beyond 255 are walked in steps with
// weights of zero, and an odd number of weights is filled up with one.
// Sums are those of the dense kernel, bit for bit: what a zero adds is in no sum, and the bias holds the zero point's share.
#pragma once

#include <tenon/kernels/int8_windows.hpp>

namespace tenon::inline TENON_ISA::kernels {

// From which share of zeros on a dense layer is a list, by whether the dense kernel has DSP instructions (simd::int8::pairs).
// Instructions are as many at 76 % with them and at 32 % without (784 → 128 on emulated Cortex-M4 and M0+,
// docs/guide/pruning.md), bytes of flash at 50 %.
constexpr double int8_sparse_pays_from(bool pairs) { return pairs ? 0.8 : 0.5; }

// The parts of an output's list, one after the other: sink.begin(pairs), sink.put(distance, weight), in whole pairs.
// weight(k): int8, of `inputs` ones.
template <class Weight, class Sink>
constexpr void each_int8_sparse_part(std::size_t inputs, Weight weight, Sink&& sink)
{
    constexpr std::size_t farthest = 255;
    const auto walk = [&](auto&& put) {
        std::size_t at = 0, parts = 0;
        for (std::size_t k = 0; k < inputs; ++k) {
            if (weight(k) == 0) continue;
            for (; k - at > farthest; at += farthest, ++parts) put(farthest, std::int8_t{0});
            put(k - at, weight(k));
            ++parts;
            at = k;
        }
        return parts;
    };
    const std::size_t parts = walk([](std::size_t, std::int8_t) {});
    sink.begin((parts + 1) / 2);
    walk([&](std::size_t distance, std::int8_t w) { sink.put(distance, w); });
    if (parts % 2 != 0) sink.put(std::size_t{0}, std::int8_t{0});
}

namespace detail {

#if defined(TENON_DETAIL_INT8_DSP)

// As int8_sparse_sum.
TENON_NOINLINE inline std::int32_t int8_sparse_sum_dsp(const std::int8_t* x, const std::int8_t*& list, std::int32_t sum)
{
    std::size_t pairs = static_cast<std::uint8_t>(list[0]) + 256u * static_cast<std::uint8_t>(list[1]);
    const std::int8_t* at = list + 2;
    const auto add = [&](std::int32_t pair) TENON_LAMBDA_INLINE {
        const std::int32_t weights = i8::odd_bytes(pair);
        i8::advance_by_first(x, pair);
        i8::add_low_product(sum, *x, weights);
        i8::advance_by_third(x, pair);
        i8::add_high_product(sum, *x, weights);
    };
    for (; pairs >= 4; pairs -= 4, at += 16) {
        TENON_UNROLL
        for (std::size_t i = 0; i < 4; ++i) add(i8::load_word(at + 4 * i));
    }
    for (; pairs != 0; --pairs, at += 4) add(i8::load_word(at));
    list = at;
    return sum;
}

// The first outputs of a row, four at a time; returns how many, and leaves their lists behind it.
TENON_NOINLINE inline std::size_t int8_sparse_fours(std::size_t units, const std::int8_t* x, const Int8Linear& layer,
                                                    const std::int8_t*& list, std::int8_t* y)
{
    const i8::Requantize to{layer.multiplier, layer.shift, layer.output_zero, layer.lowest, layer.highest};
    const i8::Rounding rounding{to};
    std::size_t n = 0;
    for (; n + 4 <= units; n += 4) {
        std::int32_t sums[4];
        for (std::size_t i = 0; i < 4; ++i) sums[i] = int8_sparse_sum_dsp(x, list, layer.bias[n + i]);
        if (int8_store_four(sums, layer.multiplier + n, layer.shift + n, to, rounding, y + n)) continue;
        for (std::size_t i = 0; i < 4; ++i)
            int8_store_slowly(1, sums + i, layer.multiplier[n + i], layer.shift[n + i], to, y + n + i, 1);
    }
    return n;
}

#endif

// sum + the products of an output's list, which is left behind it.
constexpr std::int32_t int8_sparse_sum(const std::int8_t* x, const std::int8_t*& list, std::int32_t sum)
{
    std::size_t pairs = static_cast<std::uint8_t>(list[0]) + 256u * static_cast<std::uint8_t>(list[1]);
    const std::int8_t* at = list + 2;
    for (; pairs != 0; --pairs, at += 4) {
        x += static_cast<std::uint8_t>(at[0]);
        sum += *x * at[1];
        x += static_cast<std::uint8_t>(at[2]);
        sum += *x * at[3];
    }
    list = at;
    return sum;
}

}  // namespace detail

// y = requantize(x · w + bias).   x: (rows, inputs), y: (rows, units); layer.kernel: the lists of all units, whose weights have no
// zero point.
constexpr void int8_sparse_dense(std::size_t rows, std::size_t inputs, std::size_t units, const std::int8_t* x,
                                 const Int8Linear& layer, std::int8_t* y)
{
    for (std::size_t r = 0; r < rows; ++r, x += inputs, y += units) {
        const std::int8_t* list = layer.kernel;
        std::size_t n = 0;
#if defined(TENON_DETAIL_INT8_DSP)
        if (!std::is_constant_evaluated()) n = detail::int8_sparse_fours(units, x, layer, list, y);
#endif
        for (; n < units; ++n)
            y[n] = simd::int8::requantize(detail::int8_sparse_sum(x, list, layer.bias[n]), layer.multiplier[n],
                                          layer.shift[n], layer.output_zero, layer.lowest, layer.highest);
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
