// SPDX-License-Identifier: BSL-1.0
//
// Softmax and its logarithm over rows, stable for logits of any size: the row's maximum m is taken off first, so that
// every exponent is <= 0 and one of them is 0. A logit of -inf has probability 0; a row that holds NaN or +inf, or nothing
// but -inf, gives NaN (as in PyTorch). Probabilities below the smallest normal number become 0.
#pragma once

#include <tenon/config.hpp>
#include <tenon/kernels/row.hpp>
#include <tenon/kernels/transcendental.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <limits>
#include <type_traits>

namespace tenon::inline TENON_ISA::kernels {

// log Σ exp(x_j) = maximum + log_sum, kept apart: where logits are large the sum of both would lose the small part.
template <class T>
struct LogSumExp {
    T maximum;
    T log_sum;

    constexpr T value() const { return maximum + log_sum; }
};

namespace detail {

template <class T, std::size_t Columns, std::size_t W>
TENON_ALWAYS_INLINE constexpr T row_maximum(const T* x)
{
    using R = Row<T, Columns, W>;
    using P = typename R::P;
    P largest = -std::numeric_limits<T>::infinity();
    R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
        largest = max(largest, R::inside(R::load(x + i, lanes), -std::numeric_limits<T>::infinity(), lanes));
    });
    return reduce_max(largest);
}

// f(offset, pack of exp(x - maximum), lanes) for every pack; returns the sum of all.
template <class T, std::size_t Columns, std::size_t W, class F>
TENON_ALWAYS_INLINE constexpr T row_exponentials(const T* x, T maximum, F f)
{
    using R = Row<T, Columns, W>;
    using P = typename R::P;
    P sum = T(0);
    R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
        // Lanes behind the row count for nothing: exp(-inf) = 0.
        const P shifted = R::load(x + i, lanes) - P(maximum);
        const P e = exp_nonpositive(R::inside(shifted, -std::numeric_limits<T>::infinity(), lanes));
        sum += e;
        f(i, e, lanes);
    });
    return reduce_add(sum);
}

template <class T>
TENON_ALWAYS_INLINE constexpr T scalar_log(T x)
{
    return log(simd::Pack<T, 1>(x)).lanes;
}

// Writes softmax(x) unless y is null, and returns maximum and sum.
template <class T, std::size_t Columns, std::size_t W>
struct SoftmaxRow {
    T maximum, sum;

    constexpr SoftmaxRow(const T* x, T* y) : maximum(row_maximum<T, Columns, W>(x)), sum()
    {
        using R = Row<T, Columns, W>;
        using P = typename R::P;
        // Short rows stay in registers between the passes; long ones wait in y.
        if constexpr (R::packs <= 4) {
            P e[R::packs];
            sum = row_exponentials<T, Columns, W>(
                x, maximum, [&](std::size_t i, P each, auto) TENON_LAMBDA_INLINE { e[i / W] = each; });
            if (y == nullptr) return;
            const P inverse = T(1) / sum;
            R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE { R::store(y + i, e[i / W] * inverse, lanes); });
        } else {
            sum = row_exponentials<T, Columns, W>(x, maximum,
                                                  [&](std::size_t i, P each, auto lanes) TENON_LAMBDA_INLINE {
                                                      if (y != nullptr) R::store(y + i, each, lanes);
                                                  });
            if (y == nullptr) return;
            const P inverse = T(1) / sum;
            R::each([&](std::size_t i, auto lanes)
                        TENON_LAMBDA_INLINE { R::store(y + i, R::load(y + i, lanes) * inverse, lanes); });
        }
    }
};

template <std::size_t Columns, std::size_t W, class T>
constexpr void softmax_rows(std::size_t rows, const T* x, T* y)
{
    for (std::size_t r = 0; r < rows; ++r) SoftmaxRow<T, Columns, W>(x + r * Columns, y + r * Columns);
}

template <std::size_t Columns, std::size_t W, class T>
constexpr void log_softmax_rows(std::size_t rows, const T* x, T* y)
{
    using R = Row<T, Columns, W>;
    using P = typename R::P;
    for (std::size_t r = 0; r < rows; ++r, x += Columns, y += Columns) {
        const SoftmaxRow<T, Columns, W> row(x, nullptr);
        const P maximum = row.maximum, log_sum = scalar_log(row.sum);
        R::each([&](std::size_t i, auto lanes)
                    TENON_LAMBDA_INLINE { R::store(y + i, (R::load(x + i, lanes) - maximum) - log_sum, lanes); });
    }
}

}  // namespace detail

// y_i = exp(x_i - m) / Σ exp(x_j - m), m = max x.   x, y: (rows, Columns); x == y is allowed
template <std::size_t Columns, class T>
constexpr void softmax(std::size_t rows, const T* x, T* y)
{
    if (std::is_constant_evaluated())
        detail::softmax_rows<Columns, 1>(rows, x, y);
    else
        detail::softmax_rows<Columns, detail::row_width<T>(Columns)>(rows, x, y);
}

// y_i = x_i - m - log Σ exp(x_j - m), m = max x.   x, y: (rows, Columns); x == y is allowed
template <std::size_t Columns, class T>
constexpr void log_softmax(std::size_t rows, const T* x, T* y)
{
    if (std::is_constant_evaluated())
        detail::log_softmax_rows<Columns, 1>(rows, x, y);
    else
        detail::log_softmax_rows<Columns, detail::row_width<T>(Columns)>(rows, x, y);
}

// log Σ exp(x_j) of one row, and its softmax where `probabilities` is not null: what the cross-entropy of logits needs.
// x, probabilities: (Columns); they may be the same
template <std::size_t Columns, class T>
constexpr LogSumExp<T> log_sum_exp(const T* x, T* probabilities = nullptr)
{
    if (std::is_constant_evaluated()) {
        const detail::SoftmaxRow<T, Columns, 1> row(x, probabilities);
        return {row.maximum, detail::scalar_log(row.sum)};
    }
    const detail::SoftmaxRow<T, Columns, detail::row_width<T>(Columns)> row(x, probabilities);
    return {row.maximum, detail::scalar_log(row.sum)};
}

// dx_i = y_i (dy_i - Σ dy_j y_j), from softmax's output y.   y, dy, dx: (rows, Columns); dx == dy or dx == y is allowed
template <std::size_t Columns, class T>
void softmax_gradient(std::size_t rows, const T* y, const T* dy, T* dx)
{
    using R = detail::Row<T, Columns, detail::row_width<T>(Columns)>;
    using P = typename R::P;
    for (std::size_t r = 0; r < rows; ++r, y += Columns, dy += Columns, dx += Columns) {
        P sum = T(0);
        R::each([&](std::size_t i, auto lanes)
                    TENON_LAMBDA_INLINE { sum = fma(R::load(dy + i, lanes), R::load(y + i, lanes), sum); });
        const P dot = reduce_add(sum);
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            R::store(dx + i, R::load(y + i, lanes) * (R::load(dy + i, lanes) - dot), lanes);
        });
    }
}

// dx_i = dy_i - exp(y_i) Σ dy_j, from log_softmax's output y.   y, dy, dx: (rows, Columns); dx == dy or dx == y is allowed
template <std::size_t Columns, class T>
void log_softmax_gradient(std::size_t rows, const T* y, const T* dy, T* dx)
{
    using R = detail::Row<T, Columns, detail::row_width<T>(Columns)>;
    using P = typename R::P;
    for (std::size_t r = 0; r < rows; ++r, y += Columns, dy += Columns, dx += Columns) {
        P sum = T(0);
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE { sum += R::load(dy + i, lanes); });
        const P total = reduce_add(sum);
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            const P probability = detail::exp_nonpositive(min(P(T(0)), R::load(y + i, lanes)));
            R::store(dx + i, fma(-probability, total, R::load(dy + i, lanes)), lanes);
        });
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
