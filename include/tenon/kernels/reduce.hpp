// SPDX-License-Identifier: BSL-1.0
//
// Sums and maxima over a block of n values, always in the same order: the result depends on n and the target, not on
// threads. Sums are taken in T over stretches of 4096 values and in double over the stretches, so that their error does
// not grow with n.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <limits>
#include <type_traits>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// Σ over n <= 4096 values of what term(pack type, offset, lanes) gives; lanes behind the end must be 0.
template <class P, class Term>
TENON_ALWAYS_INLINE constexpr typename P::value_type stretch_sum(std::size_t n, Term term)
{
    using T = typename P::value_type;
    constexpr std::size_t W = P::size;
    P sum[4] = {P(T(0)), P(T(0)), P(T(0)), P(T(0))};  // four chains hide the latency of addition
    std::size_t i = 0;
    for (; i + 4 * W <= n; i += 4 * W)
        for (std::size_t j = 0; j < 4; ++j) sum[j] = term.template operator()<P>(i + j * W, W, sum[j]);
    for (; i + W <= n; i += W) sum[0] = term.template operator()<P>(i, W, sum[0]);
    if constexpr (W > 1)
        if (i < n) sum[1] = term.template operator()<P>(i, n - i, sum[1]);
    return reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

template <class T, class Term>
TENON_ALWAYS_INLINE constexpr double blocked_sum(std::size_t n, Term term)
{
    constexpr std::size_t stretch = 4096;
    double total = 0;
    for (std::size_t start = 0; start < n; start += stretch) {
        const std::size_t count = n - start < stretch ? n - start : stretch;
        const auto part = [&]<class P>(std::size_t i, std::size_t lanes, P sum)
                              TENON_LAMBDA_INLINE { return term.template operator()<P>(start + i, lanes, sum); };
        if (std::is_constant_evaluated())
            total += static_cast<double>(stretch_sum<simd::Pack<T, 1>>(count, part));
        else
            total += static_cast<double>(stretch_sum<simd::Pack<T, simd::width<T>>>(count, part));
    }
    return total;
}

template <class P, class T>
TENON_ALWAYS_INLINE constexpr P load_lanes(const T* p, std::size_t lanes)
{
    return lanes == P::size ? P::load(p) : P::load_partial(p, lanes);
}

}  // namespace detail

// Σ x_i.   x: (n)
template <class T>
constexpr double sum(std::size_t n, const T* x)
{
    return detail::blocked_sum<T>(n, [x]<class P>(std::size_t i, std::size_t lanes, P total)
                                         TENON_LAMBDA_INLINE { return total + detail::load_lanes<P>(x + i, lanes); });
}

// Σ x_i y_i.   x, y: (n)
template <class T>
constexpr double dot(std::size_t n, const T* x, const T* y)
{
    return detail::blocked_sum<T>(n, [x, y]<class P>(std::size_t i, std::size_t lanes, P total) TENON_LAMBDA_INLINE {
        return fma(detail::load_lanes<P>(x + i, lanes), detail::load_lanes<P>(y + i, lanes), total);
    });
}

// Σ x_i².   x: (n)
template <class T>
constexpr double sum_of_squares(std::size_t n, const T* x)
{
    return dot(n, x, x);
}

// The largest value; NaN counts as nothing. -inf where there is none.   x: (n)
template <class T>
constexpr T maximum(std::size_t n, const T* x)
{
    T largest = -std::numeric_limits<T>::infinity();
    std::size_t i = 0;
    using P = simd::Pack<T, simd::width<T>>;
    if constexpr (P::size > 1)
        if (!std::is_constant_evaluated() && n >= P::size) {
            P most = largest;
            for (; i + P::size <= n; i += P::size) {
                const P each = P::load(x + i);
                most = select(each > most, each, most);
            }
            largest = reduce_max(most);
        }
    for (; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
    return largest;
}

// The first index of the largest value; NaN counts as nothing. 0 where there is none.   x: (n)
template <class T>
constexpr std::size_t argmax(std::size_t n, const T* x)
{
    const T largest = maximum(n, x);
    for (std::size_t i = 0; i < n; ++i)
        if (x[i] == largest) return i;
    return 0;
}

}  // namespace tenon::inline TENON_ISA::kernels
