// SPDX-License-Identifier: BSL-1.0
// Activations that no kernel in front of them has swallowed.
#pragma once

#include <tenon/kernels/elementwise.hpp>
#include <tenon/kernels/softmax.hpp>
#include <tenon/layers/fused.hpp>
#include <tenon/passes/context.hpp>
#include <tenon/passes/functions.hpp>

namespace tenon::inline TENON_ISA {

// y = f(x), element by element; x == y is allowed.
template <class Activation, class In, class T>
    requires(is_elementwise<Activation>() && requires { passes::FunctionOf<Activation>::value; })
TENON_ALWAYS_INLINE constexpr void forward(Bound<Activation, In>, std::size_t rows, auto, const T* x, T* y)
{
    kernels::map(rows * In::size, x, y, passes::function_of<Activation>);
}

// y = x > 0 ? x : slope[c] · x.   x: (rows · outer, channels)
template <class In, class T>
constexpr void forward(Bound<PReLU, In>, std::size_t rows, auto parameters, const T* x, T* y)
{
    const T* slope = parameters.template get<0>();
    for (std::size_t r = 0; r < rows * In::outer; ++r)
        for (std::size_t c = 0; c < In::last; ++c) {
            const T value = x[r * In::last + c];
            y[r * In::last + c] = value > T{0} ? value : slope[c] * value;
        }
}

template <class In, class T>
constexpr void forward(Bound<Softmax, In>, std::size_t rows, auto, const T* x, T* y)
{
    kernels::softmax<In::last>(rows * In::outer, x, y);
}

template <class In, class T>
constexpr void forward(Bound<LogSoftmax, In>, std::size_t rows, auto, const T* x, T* y)
{
    kernels::log_softmax<In::last>(rows * In::outer, x, y);
}

}  // namespace tenon
