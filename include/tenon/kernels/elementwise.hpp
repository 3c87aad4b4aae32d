// SPDX-License-Identifier: BSL-1.0
//
// Loops over n values: functors, and sums and products of blocks. The last n % W values go through a partial pack, so
// nothing outside [p, p + n) is read or written. Inputs and outputs may be the same block; blocks that overlap otherwise
// are not allowed. All of it works in constant expressions, one lane at a time.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// step(offset, lanes, whole) with a pack type: whole packs, then what is left over. At compile time single lanes.
template <class T, class Step>
TENON_ALWAYS_INLINE constexpr void for_each_pack(std::size_t n, Step step)
{
    if (std::is_constant_evaluated()) {
        for (std::size_t i = 0; i < n; ++i) step.template operator()<simd::Pack<T, 1>>(i, std::true_type{}, 1);
    } else {
        using P = simd::Pack<T, simd::width<T>>;
        std::size_t i = 0;
        for (; i + P::size <= n; i += P::size) step.template operator()<P>(i, std::true_type{}, P::size);
        // n % size and not n - i: g++ 12 does not see that the latter is less than a pack, and warns of loads beyond it.
        if constexpr (P::size > 1)
            if (n % P::size != 0) step.template operator()<P>(i, std::false_type{}, n % P::size);
    }
}

template <class P, bool Whole, class T>
TENON_ALWAYS_INLINE constexpr P load(const T* p, std::bool_constant<Whole>, std::size_t lanes)
{
    if constexpr (Whole)
        return P::load(p);
    else
        return P::load_partial(p, lanes);
}

template <class P, bool Whole, class T>
TENON_ALWAYS_INLINE constexpr void store(T* p, P value, std::bool_constant<Whole>, std::size_t lanes)
{
    if constexpr (Whole)
        value.store(p);
    else
        value.store_partial(p, lanes);
}

}  // namespace detail

// y = f(x).   x, y: (n); f takes and returns packs of any width
template <class T, class F>
constexpr void map(std::size_t n, const T* x, T* y, F f)
{
    detail::for_each_pack<T>(n, [&]<class P>(std::size_t i, auto whole, std::size_t lanes) TENON_LAMBDA_INLINE {
        detail::store(y + i, f(detail::load<P>(x + i, whole, lanes)), whole, lanes);
    });
}

// dx = dy · f'(x) with an activation's derivative; x is not looked at where f.from_output.   x, y, dy, dx: (n)
template <class T, class F>
constexpr void map_gradient(std::size_t n, [[maybe_unused]] const T* x, const T* y, const T* dy, T* dx, F f)
{
    detail::for_each_pack<T>(n, [&]<class P>(std::size_t i, auto whole, std::size_t lanes) TENON_LAMBDA_INLINE {
        const P output = detail::load<P>(y + i, whole, lanes);
        P input = output;
        if constexpr (!F::from_output) input = detail::load<P>(x + i, whole, lanes);
        const P slope = f.derivative(input, output);
        detail::store(dx + i, detail::load<P>(dy + i, whole, lanes) * slope, whole, lanes);
    });
}

// y = f(a, b).   a, b, y: (n)
template <class T, class F>
constexpr void combine(std::size_t n, const T* a, const T* b, T* y, F f)
{
    detail::for_each_pack<T>(n, [&]<class P>(std::size_t i, auto whole, std::size_t lanes) TENON_LAMBDA_INLINE {
        const P first = detail::load<P>(a + i, whole, lanes), second = detail::load<P>(b + i, whole, lanes);
        detail::store(y + i, f(first, second), whole, lanes);
    });
}

// y += x.
template <class T>
constexpr void add(std::size_t n, const T* x, T* y)
{
    combine(n, x, y, y, [](auto a, auto b) TENON_LAMBDA_INLINE { return b + a; });
}

// y = a + b.
template <class T>
constexpr void add(std::size_t n, const T* a, const T* b, T* y)
{
    combine(n, a, b, y, [](auto p, auto q) TENON_LAMBDA_INLINE { return p + q; });
}

// y *= x.
template <class T>
constexpr void multiply(std::size_t n, const T* x, T* y)
{
    combine(n, x, y, y, [](auto a, auto b) TENON_LAMBDA_INLINE { return b * a; });
}

// y = a · b.
template <class T>
constexpr void multiply(std::size_t n, const T* a, const T* b, T* y)
{
    combine(n, a, b, y, [](auto p, auto q) TENON_LAMBDA_INLINE { return p * q; });
}

// y += alpha · x.
template <class T>
constexpr void axpy(std::size_t n, std::type_identity_t<T> alpha, const T* x, T* y)
{
    combine(n, x, y, y, [alpha]<class P>(P a, P b) TENON_LAMBDA_INLINE { return fma(P(alpha), a, b); });
}

// y = alpha · x.
template <class T>
constexpr void scale(std::size_t n, std::type_identity_t<T> alpha, const T* x, T* y)
{
    map(n, x, y, [alpha]<class P>(P a) TENON_LAMBDA_INLINE { return P(alpha) * a; });
}

// y *= alpha.
template <class T>
constexpr void scale(std::size_t n, std::type_identity_t<T> alpha, T* y)
{
    scale(n, alpha, y, y);
}

// y = value.
template <class T>
constexpr void fill(std::size_t n, std::type_identity_t<T> value, T* y)
{
    detail::for_each_pack<T>(n, [&]<class P>(std::size_t i, auto whole, std::size_t lanes)
                                    TENON_LAMBDA_INLINE { detail::store(y + i, P(value), whole, lanes); });
}

// y = x.
template <class T>
constexpr void copy(std::size_t n, const T* x, T* y)
{
    map(n, x, y, [](auto a) TENON_LAMBDA_INLINE { return a; });
}

// y = alpha · byte + beta, for instance pixels to [0, 1] with alpha = 1/255.   x, y: (n)
// The product is rounded before or after the sum, as the target has it.
template <class T>
constexpr void from_bytes(std::size_t n, const std::uint8_t* x, std::type_identity_t<T> alpha,
                          std::type_identity_t<T> beta, T* y)
{
    std::size_t i = 0;
    using P = simd::Pack<T, simd::width<T>>;
    if constexpr (P::size > 1)
        if (!std::is_constant_evaluated())
            for (; i + P::size <= n; i += P::size) fma(simd::load_bytes<P>(x + i), P(alpha), P(beta)).store(y + i);
    for (; i < n; ++i) y[i] = static_cast<T>(x[i]) * alpha + beta;
}

}  // namespace tenon::inline TENON_ISA::kernels
