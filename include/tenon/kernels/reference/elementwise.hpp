// SPDX-License-Identifier: BSL-1.0
//
// The naive twin of kernels/elementwise.hpp: one value after the other. For tests.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>
#include <cstdint>

namespace tenon::inline TENON_ISA::kernels::reference {

// y = f(x) for a function of scalars.
template <class T, class F>
void map(std::size_t n, const T* x, T* y, F f)
{
    for (std::size_t i = 0; i < n; ++i) y[i] = f(x[i]);
}

// dx = dy · f'(x) for an activation of kernels/reference/activations.hpp.
template <class T, class F>
void map_gradient(std::size_t n, const T* x, const T* dy, T* dx, F f)
{
    for (std::size_t i = 0; i < n; ++i) dx[i] = dy[i] * f.derivative(x[i]);
}

// y += x.
template <class T>
void add(std::size_t n, const T* x, T* y)
{
    for (std::size_t i = 0; i < n; ++i) y[i] += x[i];
}

// y *= x.
template <class T>
void multiply(std::size_t n, const T* x, T* y)
{
    for (std::size_t i = 0; i < n; ++i) y[i] *= x[i];
}

// y += alpha · x.
template <class T>
void axpy(std::size_t n, T alpha, const T* x, T* y)
{
    for (std::size_t i = 0; i < n; ++i) y[i] += alpha * x[i];
}

// y = alpha · byte + beta.
template <class T>
void from_bytes(std::size_t n, const std::uint8_t* x, T alpha, T beta, T* y)
{
    for (std::size_t i = 0; i < n; ++i) y[i] = alpha * static_cast<T>(x[i]) + beta;
}

}  // namespace tenon::inline TENON_ISA::kernels::reference
