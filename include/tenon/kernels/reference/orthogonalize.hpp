// SPDX-License-Identifier: BSL-1.0
//
// The naive twin of kernels/orthogonalize.hpp: Newton-Schulz as its authors write it, with the long matrix in every product.
#pragma once

#include <tenon/config.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace tenon::inline TENON_ISA::kernels::reference {

// x, y: (rows, columns) row-major.   X ← x / (|x|_F + 1e-7), and five times X ← (a I + b X Xᵀ + c (X Xᵀ)²) X
template <class T>
void orthogonalize(std::size_t rows, std::size_t columns, const T* x, T* y)
{
    constexpr T a = T(3.4445), b = T(-4.7750), c = T(2.0315);
    const bool tall = rows > columns;
    const std::size_t n = tall ? columns : rows, m = tall ? rows : columns;
    T squares = T(0);
    for (std::size_t i = 0; i < n * m; ++i) squares += x[i] * x[i];
    std::vector<T> X(n * m), next(n * m), A(n * n), B(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < m; ++j)
            X[i * m + j] = x[tall ? j * columns + i : i * columns + j] / (std::sqrt(squares) + T(1e-7));
    for (int iteration = 0; iteration < 5; ++iteration) {
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                T sum = T(0);
                for (std::size_t k = 0; k < m; ++k) sum += X[i * m + k] * X[j * m + k];
                A[i * n + j] = sum;
            }
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j) {
                T sum = T(0);
                for (std::size_t k = 0; k < n; ++k) sum += A[i * n + k] * A[k * n + j];
                B[i * n + j] = b * A[i * n + j] + c * sum;
            }
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < m; ++j) {
                T sum = a * X[i * m + j];
                for (std::size_t k = 0; k < n; ++k) sum += B[i * n + k] * X[k * m + j];
                next[i * m + j] = sum;
            }
        X.swap(next);
    }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < m; ++j) y[tall ? j * columns + i : i * columns + j] = X[i * m + j];
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
