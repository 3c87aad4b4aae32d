// SPDX-License-Identifier: BSL-1.0
//
// Rows of a width known at compile time, walked in packs: whole packs first, then the rest as one partial pack.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <type_traits>

namespace tenon::inline TENON_ISA::kernels::detail {

// The narrowest pack that holds a row of `columns` values, or else the widest there is.
template <class T>
constexpr std::size_t row_width(std::size_t columns)
{
    constexpr std::size_t widest = simd::width<T>, half = widest / 2, quarter = widest / 4;
    if (columns <= 1) return 1;
    if constexpr (quarter > 1 && simd::has_width<T, quarter>)
        if (columns <= quarter) return quarter;
    if constexpr (half > 1 && simd::has_width<T, half>)
        if (columns <= half) return half;
    return widest;
}

template <class T>
inline constexpr T lane_numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// A number of lanes as a type, so that whole and partial packs are told apart at compile time.
template <std::size_t N>
using Lanes = std::integral_constant<std::size_t, N>;

template <class T, std::size_t Columns, std::size_t W>
struct Row {
    using P = simd::Pack<T, W>;
    static constexpr std::size_t rest = Columns % W;
    static constexpr std::size_t packs = Columns / W + (rest != 0);

    // f(offset of the pack, Lanes<its lanes that belong to the row>).
    template <class F>
    static TENON_ALWAYS_INLINE constexpr void each(F f)
    {
        for (std::size_t i = 0; i + W <= Columns; i += W) f(i, Lanes<W>{});
        if constexpr (rest != 0) f(Columns - rest, Lanes<rest>{});
    }

    // Lanes behind the row are 0.
    template <std::size_t N>
    static TENON_ALWAYS_INLINE constexpr P load(const T* p, Lanes<N>)
    {
        if constexpr (N == W)
            return P::load(p);
        else
            return P::load_partial(p, N);
    }
    template <std::size_t N>
    static TENON_ALWAYS_INLINE constexpr void store(T* p, P value, Lanes<N>)
    {
        if constexpr (N == W)
            value.store(p);
        else
            value.store_partial(p, N);
    }
    // `value` in the row's lanes, `other` behind them.
    template <std::size_t N>
    static TENON_ALWAYS_INLINE constexpr P inside(P value, T other, Lanes<N>)
    {
        if constexpr (N == W)
            return value;
        else
            return select(P::load(lane_numbers<T>) < P(static_cast<T>(N)), value, P(other));
    }
};

}  // namespace tenon::inline TENON_ISA::kernels::detail
