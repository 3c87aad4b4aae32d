// SPDX-License-Identifier: BSL-1.0
//
// The naive twin of kernels/reduce.hpp. For tests.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>

namespace tenon::inline TENON_ISA::kernels::reference {

// Σ x_i.
template <class T>
T sum(std::size_t n, const T* x)
{
    T total = 0;
    for (std::size_t i = 0; i < n; ++i) total += x[i];
    return total;
}

// Σ x_i y_i.
template <class T>
T dot(std::size_t n, const T* x, const T* y)
{
    T total = 0;
    for (std::size_t i = 0; i < n; ++i) total += x[i] * y[i];
    return total;
}

// The first index of the largest value of n > 0.
template <class T>
std::size_t argmax(std::size_t n, const T* x)
{
    std::size_t best = 0;
    for (std::size_t i = 1; i < n; ++i)
        if (x[i] > x[best]) best = i;
    return best;
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
