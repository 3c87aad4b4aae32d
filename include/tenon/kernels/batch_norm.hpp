// SPDX-License-Identifier: BSL-1.0
// Batch normalisation: statistics of each channel over all vectors of a batch, in a fixed order.
#pragma once

#include <tenon/kernels/elementwise.hpp>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// Σ over n vectors of f(i-th pack of the vector), summed in blocks of 64 so that rounding does not grow with n.
template <class P, class F>
TENON_ALWAYS_INLINE constexpr P blocked_sum(std::size_t n, F f)
{
    using T = typename P::value_type;
    P total = T(0);
    for (std::size_t i = 0; i < n;) {
        const std::size_t end = n - i < 64 ? n : i + 64;
        P sum = T(0);
        for (; i < end; ++i) sum = sum + f(i);
        total = total + sum;
    }
    return total;
}

}  // namespace detail

// y = x · factor + shift for each channel: batch normalisation with given statistics.   x, y: (n, channels)
template <class T>
constexpr void scale_channels(std::size_t n, std::size_t channels, const T* x, const T* mean, const T* variance,
                              const T* gamma, const T* beta, T epsilon, T* y)
{
    detail::for_each_pack<T>(channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
        const P factor = detail::load<P>(gamma + c, whole, lanes) /
                         sqrt(detail::load<P>(variance + c, whole, lanes) + P(epsilon));
        const P shift = fma(-detail::load<P>(mean + c, whole, lanes), factor, detail::load<P>(beta + c, whole, lanes));
        for (std::size_t i = 0; i < n; ++i)
            detail::store(y + i * channels + c, fma(detail::load<P>(x + i * channels + c, whole, lanes), factor, shift),
                          whole, lanes);
    });
}

// mean and variance (biased) of each channel; two passes, so that a large mean does not cancel.   x: (n, channels)
template <class T>
void channel_statistics(std::size_t n, std::size_t channels, const T* x, T* mean, T* variance)
{
    const T share = T(1) / static_cast<T>(n);
    detail::for_each_pack<T>(channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
        const P average = P(share) * detail::blocked_sum<P>(n, [&](std::size_t i) TENON_LAMBDA_INLINE {
                              return detail::load<P>(x + i * channels + c, whole, lanes);
                          });
        const P spread = P(share) * detail::blocked_sum<P>(n, [&](std::size_t i) TENON_LAMBDA_INLINE {
                             const P d = detail::load<P>(x + i * channels + c, whole, lanes) - average;
                             return d * d;
                         });
        detail::store(mean + c, average, whole, lanes);
        detail::store(variance + c, spread, whole, lanes);
    });
}

// With h = (x - mean) · rstd:
//   dgamma += Σ dy · h;  dbeta += Σ dy;  dx = gamma · rstd · (dy - Σ dy / n - h · Σ(dy · h) / n)
// x, dy, dx: (n, channels), dx may be null or dy; the others: (channels).
template <class T>
void batch_norm_gradient(std::size_t n, std::size_t channels, const T* x, const T* gamma, const T* mean, const T* rstd,
                         const T* dy, T* dx, T* dgamma, T* dbeta)
{
    const T share = T(1) / static_cast<T>(n);
    detail::for_each_pack<T>(channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
        const P centre = detail::load<P>(mean + c, whole, lanes), inverse = detail::load<P>(rstd + c, whole, lanes);
        const auto gradient = [&](std::size_t i)
                                  TENON_LAMBDA_INLINE { return detail::load<P>(dy + i * channels + c, whole, lanes); };
        const auto normal = [&](std::size_t i) TENON_LAMBDA_INLINE {
            return (detail::load<P>(x + i * channels + c, whole, lanes) - centre) * inverse;
        };
        const P sum = detail::blocked_sum<P>(n, gradient);
        const P product = detail::blocked_sum<P>(
            n, [&](std::size_t i) TENON_LAMBDA_INLINE { return gradient(i) * normal(i); });
        detail::store(dgamma + c, detail::load<P>(dgamma + c, whole, lanes) + product, whole, lanes);
        detail::store(dbeta + c, detail::load<P>(dbeta + c, whole, lanes) + sum, whole, lanes);
        if (dx == nullptr) return;
        const P factor = detail::load<P>(gamma + c, whole, lanes) * inverse;
        const P average = sum * P(share), product_average = product * P(share);
        for (std::size_t i = 0; i < n; ++i)
            detail::store(dx + i * channels + c, factor * (gradient(i) - average - normal(i) * product_average), whole,
                          lanes);
    });
}

}  // namespace tenon::inline TENON_ISA::kernels
