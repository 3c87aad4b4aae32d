// SPDX-License-Identifier: BSL-1.0
//
// The naive twins of the Dense kernels: what they compute, in the fewest words. They are the constant-evaluated path and
// what the tests compare with.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/panels.hpp>

#include <cstddef>

namespace tenon::inline TENON_ISA::kernels::reference {

// y[r, n] = f(bias[n] + Σ_k x[r, k] · w[k, n]).   x: (rows, K), w: (K, N) in panels, bias: N or null, y: (rows, N)
template <class T, class S, class Epilogue>
constexpr void dense_forward(std::size_t rows, simd::PanelLayout<T> layout, const T* x, const S* w, const S* bias, T* y,
                             Epilogue epilogue)
{
    const std::size_t K = layout.rows, N = layout.logical;
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t n = 0; n < N; ++n) {
            T sum = bias == nullptr ? T(0) : static_cast<T>(bias[n]);
            for (std::size_t k = 0; k < K; ++k) sum += x[r * K + k] * static_cast<T>(w[layout.index(k, n)]);
            y[r * N + n] = epilogue(simd::Pack<T, 1>(sum)).lanes;
        }
}

// dx[r, k] = Σ_n dy[r, n] · w[k, n].   dy: (rows, N), w: (K, N) in panels, dx: (rows, K)
template <class T>
constexpr void dense_input_gradient(std::size_t rows, simd::PanelLayout<T> layout, const T* dy, const T* w, T* dx)
{
    const std::size_t K = layout.rows, N = layout.logical;
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t k = 0; k < K; ++k) {
            T sum = T(0);
            for (std::size_t n = 0; n < N; ++n) sum += dy[r * N + n] * w[layout.index(k, n)];
            dx[r * K + k] = sum;
        }
}

// dw[k, n] = Σ_r x[r, k] · dy[r, n] and dbias[n] = Σ_r dy[r, n].   dw: (K, N) in panels; padding is left alone
template <class T>
constexpr void dense_weight_gradient(std::size_t rows, simd::PanelLayout<T> layout, const T* x, const T* dy, T* dw,
                                     T* dbias)
{
    const std::size_t K = layout.rows, N = layout.logical;
    for (std::size_t n = 0; n < N; ++n) {
        T sum = T(0);
        for (std::size_t r = 0; r < rows; ++r) sum += dy[r * N + n];
        if (dbias != nullptr) dbias[n] = sum;
        for (std::size_t k = 0; k < K; ++k) {
            sum = T(0);
            for (std::size_t r = 0; r < rows; ++r) sum += x[r * K + k] * dy[r * N + n];
            dw[layout.index(k, n)] = sum;
        }
    }
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
