// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/activation.hpp>

namespace tenon::inline TENON_ISA {

// dx = dy · f'(x); dx == dy is allowed.
template <class Activation, class In, class T>
    requires(is_elementwise<Activation>() && requires { passes::FunctionOf<Activation>::value; })
void backward(Bound<Activation, In>, std::size_t rows, auto, const auto&, const T* x, const T* y, T* dy, T* dx,
              const TrainingContext<T>&)
{
    if (dx != nullptr) kernels::map_gradient(rows * In::size, x, y, dy, dx, passes::function_of<Activation>);
}

// dslope[c] = Σ dy · x where x ≤ 0; dx = dy · (x > 0 ? 1 : slope[c])
template <class In, class T>
void backward(Bound<PReLU, In>, std::size_t rows, auto parameters, const auto& gradients, const T* x, const T*, T* dy,
              T* dx, const TrainingContext<T>&)
{
    const T* slope = parameters.template get<0>();
    T* dslope = gradients.template get<0>();
    for (std::size_t r = 0; r < rows * In::outer; ++r)
        for (std::size_t c = 0; c < In::last; ++c) {
            const std::size_t i = r * In::last + c;
            const T d = dy[i];
            if (!(x[i] > T{0})) dslope[c] += d * x[i];
            if (dx != nullptr) dx[i] = x[i] > T{0} ? d : slope[c] * d;
        }
}

template <class In, class T>
void backward(Bound<Softmax, In>, std::size_t rows, auto, const auto&, const T*, const T* y, T* dy, T* dx,
              const TrainingContext<T>&)
{
    if (dx != nullptr) kernels::softmax_gradient<In::last>(rows * In::outer, y, dy, dx);
}

template <class In, class T>
void backward(Bound<LogSoftmax, In>, std::size_t rows, auto, const auto&, const T*, const T* y, T* dy, T* dx,
              const TrainingContext<T>&)
{
    if (dx != nullptr) kernels::log_softmax_gradient<In::last>(rows * In::outer, y, dy, dx);
}

}  // namespace tenon
