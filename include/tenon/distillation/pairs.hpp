// SPDX-License-Identifier: BSL-1.0
// What terms that relate the rows of a batch to one another are made of: products and distances of all pairs, and gradients
// from them. Rows are long and few, so that the B × B numbers are kept in double.
#pragma once

#include <tenon/distillation/term.hpp>
#include <tenon/kernels/elementwise.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::distillation::detail {

// Σ f(a_i, b_i), in T over 512 values at a time, in double over those.
template <class T, class F>
double sum_over(std::size_t n, const T* a, const T* b, F f)
{
    double total = 0;
    constexpr std::size_t block = 512;
    for (std::size_t at = 0; at < n; at += block) {
        using P = simd::Pack<T, simd::width<T>>;
        const std::size_t count = n - at < block ? n - at : block;
        P even = T(0), odd = T(0);
        std::size_t i = 0;
        for (; i + 2 * P::size <= count; i += 2 * P::size) {
            even = f(P::load(a + at + i), P::load(b + at + i), even);
            odd = f(P::load(a + at + i + P::size), P::load(b + at + i + P::size), odd);
        }
        for (; i < count; i += P::size) {
            const std::size_t left = count - i < P::size ? count - i : P::size;
            even = f(P::load_partial(a + at + i, left), P::load_partial(b + at + i, left), even);
        }
        total += static_cast<double>(reduce_add(even + odd));
    }
    return total;
}

template <class T>
double dot(std::size_t n, const T* a, const T* b)
{
    return sum_over(n, a, b, []<class P>(P x, P y, P sum) TENON_LAMBDA_INLINE { return fma(x, y, sum); });
}

template <class T>
double squared_distance(std::size_t n, const T* a, const T* b)
{
    return sum_over(n, a, b, []<class P>(P x, P y, P sum) TENON_LAMBDA_INLINE {
        const P e = x - y;
        return fma(e, e, sum);
    });
}

// g[i, j] = f_i · f_j.   f: (rows, n), g: (rows, rows)
template <class T>
void gram(std::size_t rows, std::size_t n, const T* f, double* g)
{
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = i; j < rows; ++j) g[i * rows + j] = g[j * rows + i] = dot(n, f + i * n, f + j * n);
}

// df_i = factor Σ_j (dg_ij + dg_ji) f_j.
template <class T>
void gram_gradient(std::size_t rows, std::size_t n, const T* f, const double* dg, double factor, T* df)
{
    for (std::size_t i = 0; i < rows; ++i) {
        kernels::fill(n, T(0), df + i * n);
        for (std::size_t j = 0; j < rows; ++j) {
            const double slope = factor * (dg[i * rows + j] + dg[j * rows + i]);
            if (slope != 0) kernels::axpy(n, static_cast<T>(slope), f + j * n, df + i * n);
        }
    }
}

// d[i, j] = ‖f_i - f_j‖².
template <class T>
void squared_distances(std::size_t rows, std::size_t n, const T* f, double* d)
{
    for (std::size_t i = 0; i < rows; ++i) {
        d[i * rows + i] = 0;
        for (std::size_t j = i + 1; j < rows; ++j)
            d[i * rows + j] = d[j * rows + i] = squared_distance(n, f + i * n, f + j * n);
    }
}

// df_i = factor Σ_j 2 (dd_ij + dd_ji) (f_i - f_j).
template <class T>
void squared_distances_gradient(std::size_t rows, std::size_t n, const T* f, const double* dd, double factor, T* df)
{
    for (std::size_t i = 0; i < rows; ++i) {
        kernels::fill(n, T(0), df + i * n);
        for (std::size_t j = 0; j < rows; ++j) {
            const double slope = 2 * factor * (dd[i * rows + j] + dd[j * rows + i]);
            if (slope == 0 || i == j) continue;
            T* to = df + i * n;
            const T *own = f + i * n, *other = f + j * n;
            kernels::detail::for_each_pack<T>(
                n, [&]<class P>(std::size_t k, auto whole, std::size_t lanes) TENON_LAMBDA_INLINE {
                    using kernels::detail::load;
                    const P apart = load<P>(own + k, whole, lanes) - load<P>(other + k, whole, lanes);
                    const P sum = fma(P(static_cast<T>(slope)), apart, load<P>(to + k, whole, lanes));
                    kernels::detail::store(to + k, sum, whole, lanes);
                });
        }
    }
}

}  // namespace tenon::inline TENON_ISA::distillation::detail
