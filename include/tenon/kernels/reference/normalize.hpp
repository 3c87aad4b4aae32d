// SPDX-License-Identifier: BSL-1.0
//
// The naive twin of kernels/normalize.hpp, with the number of columns as a value. For tests.
#pragma once

#include <tenon/config.hpp>

#include <cmath>
#include <cstddef>

namespace tenon::inline TENON_ISA::kernels::reference {

// y = (x - mean) / sqrt(variance + epsilon) · gamma + beta.   x, y: (rows, columns); gamma, beta: (columns);
// mean, rstd: (rows)
template <class T>
void layer_norm(std::size_t rows, std::size_t columns, const T* x, const T* gamma, const T* beta, T epsilon, T* y,
                T* mean, T* rstd)
{
    const T count = static_cast<T>(columns);
    for (std::size_t r = 0; r < rows; ++r, x += columns, y += columns) {
        T sum = 0, squares = 0;
        for (std::size_t i = 0; i < columns; ++i) sum += x[i];
        for (std::size_t i = 0; i < columns; ++i) squares += (x[i] - sum / count) * (x[i] - sum / count);
        mean[r] = sum / count;
        rstd[r] = 1 / std::sqrt(squares / count + epsilon);
        for (std::size_t i = 0; i < columns; ++i) y[i] = (x[i] - mean[r]) * rstd[r] * gamma[i] + beta[i];
    }
}

// dx by the chain rule through normal, variance and mean; dgamma and dbeta are added to.
template <class T>
void layer_norm_gradient(std::size_t rows, std::size_t columns, const T* x, const T* gamma, const T* mean,
                         const T* rstd, const T* dy, T* dx, T* dgamma, T* dbeta)
{
    const T count = static_cast<T>(columns);
    for (std::size_t r = 0; r < rows; ++r, x += columns, dy += columns, dx += columns) {
        T dvariance = 0, dmean = 0;
        for (std::size_t i = 0; i < columns; ++i) {
            const T deviation = x[i] - mean[r];
            dgamma[i] += dy[i] * deviation * rstd[r];
            dbeta[i] += dy[i];
            dvariance += dy[i] * gamma[i] * deviation * (-rstd[r] * rstd[r] * rstd[r] / 2);
            dmean += dy[i] * gamma[i] * -rstd[r];
        }
        for (std::size_t i = 0; i < columns; ++i)
            dx[i] = dy[i] * gamma[i] * rstd[r] + dvariance * 2 * (x[i] - mean[r]) / count + dmean / count;
    }
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
