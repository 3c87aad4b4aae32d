// SPDX-License-Identifier: BSL-1.0
//
// The naive twin of kernels/softmax.hpp, with the number of columns as a value. For tests.
#pragma once

#include <tenon/config.hpp>

#include <cmath>
#include <cstddef>

namespace tenon::inline TENON_ISA::kernels::reference {

// The largest of the row, and Σ exp(x_j - largest).   x: (columns)
template <class T>
void shifted_sum(std::size_t columns, const T* x, T& largest, T& sum)
{
    largest = x[0];
    for (std::size_t i = 1; i < columns; ++i) largest = x[i] > largest ? x[i] : largest;
    sum = 0;
    for (std::size_t i = 0; i < columns; ++i) sum += std::exp(x[i] - largest);
}

// log Σ exp(x_j).   x: (columns)
template <class T>
T log_sum_exp(std::size_t columns, const T* x)
{
    T largest, sum;
    shifted_sum(columns, x, largest, sum);
    return largest + std::log(sum);
}

// y_i = x_i - log Σ exp(x_j).   x, y: (rows, columns)
template <class T>
void log_softmax(std::size_t rows, std::size_t columns, const T* x, T* y)
{
    for (std::size_t r = 0; r < rows; ++r, x += columns, y += columns) {
        T largest, sum;
        shifted_sum(columns, x, largest, sum);
        for (std::size_t i = 0; i < columns; ++i) y[i] = x[i] - largest - std::log(sum);
    }
}

// y_i = exp(x_i) / Σ exp(x_j).   x, y: (rows, columns)
template <class T>
void softmax(std::size_t rows, std::size_t columns, const T* x, T* y)
{
    log_softmax(rows, columns, x, y);
    for (std::size_t i = 0; i < rows * columns; ++i) y[i] = std::exp(y[i]);
}

// dx_i = Σ_j dy_j y_j (δ_ij - y_i): the product with the Jacobian.   y, dy, dx: (rows, columns)
template <class T>
void softmax_gradient(std::size_t rows, std::size_t columns, const T* y, const T* dy, T* dx)
{
    for (std::size_t r = 0; r < rows; ++r, y += columns, dy += columns, dx += columns)
        for (std::size_t i = 0; i < columns; ++i) {
            dx[i] = 0;
            for (std::size_t j = 0; j < columns; ++j) dx[i] += dy[j] * y[j] * (T(i == j) - y[i]);
        }
}

// dx_i = Σ_j dy_j (δ_ij - exp(y_i)).   y, dy, dx: (rows, columns)
template <class T>
void log_softmax_gradient(std::size_t rows, std::size_t columns, const T* y, const T* dy, T* dx)
{
    for (std::size_t r = 0; r < rows; ++r, y += columns, dy += columns, dx += columns)
        for (std::size_t i = 0; i < columns; ++i) {
            dx[i] = 0;
            for (std::size_t j = 0; j < columns; ++j) dx[i] += dy[j] * (T(i == j) - std::exp(y[i]));
        }
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
