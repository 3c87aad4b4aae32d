// SPDX-License-Identifier: BSL-1.0
//
// The naive twin of kernels/group_norm.hpp. For tests.
#pragma once

#include <tenon/kernels/group_norm.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::kernels::reference {

// y = (x - mean) / sqrt(variance + epsilon) · gamma + beta.   mean, rstd: (rows, groups)
template <class T>
void group_norm(std::size_t rows, const GroupShape& s, const T* x, const T* gamma, const T* beta, T epsilon, T* y,
                T* mean, T* rstd)
{
    const T count = static_cast<T>(s.positions * s.width());
    for (std::size_t r = 0; r < rows; ++r, x += s.size(), y += s.size())
        for (std::size_t g = 0; g < s.groups; ++g) {
            T sum = 0, squares = 0;
            const auto each = [&](auto f) {
                for (std::size_t p = 0; p < s.positions; ++p)
                    for (std::size_t c = g * s.width(); c < (g + 1) * s.width(); ++c) f(p * s.channels + c, c);
            };
            each([&](std::size_t i, std::size_t) { sum += x[i]; });
            const T centre = sum / count;
            each([&](std::size_t i, std::size_t) { squares += (x[i] - centre) * (x[i] - centre); });
            const T inverse = 1 / std::sqrt(squares / count + epsilon);
            each([&](std::size_t i, std::size_t c) { y[i] = (x[i] - centre) * inverse * gamma[c] + beta[c]; });
            mean[r * s.groups + g] = centre;
            rstd[r * s.groups + g] = inverse;
        }
}

// dx by the chain rule through normal, variance and mean; dgamma and dbeta are added to.
template <class T>
void group_norm_gradient(std::size_t rows, const GroupShape& s, const T* x, const T* gamma, const T* mean,
                         const T* rstd, const T* dy, T* dx, T* dgamma, T* dbeta)
{
    const T count = static_cast<T>(s.positions * s.width());
    for (std::size_t r = 0; r < rows; ++r, x += s.size(), dy += s.size(), dx += s.size())
        for (std::size_t g = 0; g < s.groups; ++g) {
            const T centre = mean[r * s.groups + g], inverse = rstd[r * s.groups + g];
            T dvariance = 0, dmean = 0;
            const auto each = [&](auto f) {
                for (std::size_t p = 0; p < s.positions; ++p)
                    for (std::size_t c = g * s.width(); c < (g + 1) * s.width(); ++c) f(p * s.channels + c, c);
            };
            each([&](std::size_t i, std::size_t c) {
                dgamma[c] += dy[i] * (x[i] - centre) * inverse;
                dbeta[c] += dy[i];
                dvariance += dy[i] * gamma[c] * (x[i] - centre) * (-inverse * inverse * inverse / 2);
                dmean += dy[i] * gamma[c] * -inverse;
            });
            each([&](std::size_t i, std::size_t c) {
                dx[i] = dy[i] * gamma[c] * inverse + dvariance * 2 * (x[i] - centre) / count + dmean / count;
            });
        }
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
