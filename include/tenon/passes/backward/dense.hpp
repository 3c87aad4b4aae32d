// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/elementwise.hpp>
#include <tenon/passes/forward/dense.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// dx = dy · kernelᵀ before the weights change, then dkernel = xᵀ · dy and dbias = Σ dy over the rows.
// Threads share the first by rows and the second by rows of the kernel, so that no sum is split and every number of threads
// gives the same bits.
template <class Rule, class T, class Parameters, class Gradients>
void dense_backward(std::size_t rows, Parameters parameters, const Gradients& gradients, const T* x, const T* dy, T* dx,
                    const Team& team)
{
    if (dx != nullptr)
        team.split(rows, least_rows, 1, [&](std::size_t begin, std::size_t end) {
            kernels::dense_input_gradient<T, Rule::inputs, Rule::units>(
                end - begin, dy + begin * Rule::units, parameters.template get<0>(), dx + begin * Rule::inputs);
        });
    team.split(Rule::inputs, 24, 6, [&](std::size_t begin, std::size_t end) {
        if constexpr (Rule::use_bias)
            kernels::dense_weight_gradient<T, Rule::inputs, Rule::units>(rows, x, dy, gradients.template sink<0>(),
                                                                         gradients.template sink<1>(), begin, end);
        else
            kernels::dense_weight_gradient<T, Rule::inputs, Rule::units>(rows, x, dy, gradients.template sink<0>(),
                                                                         kernels::Ignore{}, begin, end);
    });
}

// dz = dy · f'(y) in place.
template <class T, class Function>
void activation_backward(std::size_t rows, std::size_t size, const T* y, T* dy, Function function, const Team& team)
{
    team.split(rows, least_rows, 1, [&](std::size_t begin, std::size_t end) {
        const std::size_t at = begin * size;
        kernels::map_gradient((end - begin) * size, y + at, y + at, dy + at, dy + at, function);
    });
}

}  // namespace passes

template <std::size_t Units, class... Options, class In, class T>
void backward(Bound<Dense<Units, Options...>, In> bound, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T*, T* dy, T* dx, const TrainingContext<T>& context)
{
    passes::dense_backward<typename decltype(bound)::rule>(rows, parameters, gradients, x, dy, dx, context.team);
}

// dy becomes dy · f'(y) in place: only activations with a derivative from the output are fused in training.
template <std::size_t Units, class... Options, class Activation, class In, class T>
void backward(Bound<Fused<Dense<Units, Options...>, Activation>, In> bound, std::size_t rows, auto parameters,
              const auto& gradients, const T* x, const T* y, T* dy, T* dx, const TrainingContext<T>& context)
{
    passes::activation_backward(rows, Units, y, dy, passes::function_of<Activation>, context.team);
    passes::dense_backward<typename decltype(bound)::rule>(rows, parameters, gradients, x, dy, dx, context.team);
}

}  // namespace tenon
