// SPDX-License-Identifier: BSL-1.0
//
// Layer normalisation over the last extent (Ba, Kiros & Hinton 2016). The variance is summed from the deviations after
// the mean is known (two passes), which keeps it exact where the mean is large.
#pragma once

#include <tenon/config.hpp>
#include <tenon/kernels/row.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <type_traits>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

template <std::size_t Columns, std::size_t W, class T>
constexpr void layer_norm_rows(std::size_t rows, const T* x, const T* gamma, const T* beta, T epsilon, T* y, T* mean,
                               T* rstd)
{
    using R = Row<T, Columns, W>;
    using P = typename R::P;
    using Scalar = simd::Pack<T, 1>;
    constexpr T count = static_cast<T>(Columns);
    for (std::size_t r = 0; r < rows; ++r, x += Columns, y += Columns) {
        P sum = T(0);
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE { sum += R::load(x + i, lanes); });
        const T centre = reduce_add(sum) / count;
        P squares = T(0);
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            const P deviation = R::inside(R::load(x + i, lanes) - P(centre), T(0), lanes);
            squares = fma(deviation, deviation, squares);
        });
        const T inverse = T(1) / sqrt(Scalar(reduce_add(squares) / count + epsilon)).lanes;
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            const P normal = (R::load(x + i, lanes) - P(centre)) * P(inverse);
            R::store(y + i, fma(normal, R::load(gamma + i, lanes), R::load(beta + i, lanes)), lanes);
        });
        if (mean != nullptr) mean[r] = centre;
        if (rstd != nullptr) rstd[r] = inverse;
    }
}

}  // namespace detail

// y = (x - mean) · rstd · gamma + beta, rstd = 1 / sqrt(variance + epsilon), with each row's own mean and (biased)
// variance.   x, y: (rows, Columns); gamma, beta: (Columns); mean, rstd: (rows), kept for the gradient unless null
// x == y is allowed.
template <std::size_t Columns, class T>
constexpr void layer_norm(std::size_t rows, const T* x, const T* gamma, const T* beta, std::type_identity_t<T> epsilon,
                          T* y, std::type_identity_t<T>* mean = nullptr, std::type_identity_t<T>* rstd = nullptr)
{
    if (std::is_constant_evaluated())
        detail::layer_norm_rows<Columns, 1>(rows, x, gamma, beta, epsilon, y, mean, rstd);
    else
        detail::layer_norm_rows<Columns, detail::row_width<T>(Columns)>(rows, x, gamma, beta, epsilon, y, mean, rstd);
}

// With n = (x - mean) · rstd and g = dy · gamma:
//   dx = rstd (g - average(g) - n · average(g · n));  dgamma += Σ over rows of dy · n;  dbeta += Σ over rows of dy
// x, dy, dx: (rows, Columns); gamma, dgamma, dbeta: (Columns); mean, rstd: (rows) from layer_norm.
// dx may be null, dy or x; dgamma and dbeta are added to, row by row.
template <std::size_t Columns, class T>
void layer_norm_gradient(std::size_t rows, const T* x, const T* gamma, const T* mean, const T* rstd, const T* dy, T* dx,
                         T* dgamma, T* dbeta)
{
    using R = detail::Row<T, Columns, detail::row_width<T>(Columns)>;
    using P = typename R::P;
    constexpr T count = static_cast<T>(Columns);
    for (std::size_t r = 0; r < rows; ++r, x += Columns, dy += Columns) {
        const P centre = mean[r], inverse = rstd[r];
        P sum = T(0), product_sum = T(0);
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            const P d = R::load(dy + i, lanes), normal = (R::load(x + i, lanes) - centre) * inverse;
            const P g = d * R::load(gamma + i, lanes);  // 0 behind the row
            sum += g;
            product_sum = fma(g, normal, product_sum);
            R::store(dgamma + i, fma(d, normal, R::load(dgamma + i, lanes)), lanes);
            R::store(dbeta + i, d + R::load(dbeta + i, lanes), lanes);
        });
        if (dx == nullptr) continue;
        const P average = reduce_add(sum) / count, product_average = reduce_add(product_sum) / count;
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            const P normal = (R::load(x + i, lanes) - centre) * inverse;
            const P g = R::load(dy + i, lanes) * R::load(gamma + i, lanes);
            R::store(dx + i, inverse * fma(-normal, product_average, g - average), lanes);
        });
        dx += Columns;
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
