// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/backward/dense.hpp>
#include <tenon/passes/forward/conv_transpose.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// Threads share dx by rows and the kernel's gradient by rows of the kernel: no sum is split.
template <class B, class T, class Parameters, class Gradients>
void conv_transpose_backward(std::size_t rows, Parameters parameters, const Gradients& gradients, const T* x,
                             const T* dy, T* dx, const TrainingContext<T>& context)
{
    using Rule = typename B::rule;
    constexpr ConvTransposeShape shape = Rule::geometry;
    constexpr ConvShape conv = shape.convolution();
    using Panels = simd::Panels<T, conv.window(), conv.filters>;
    constexpr PerRow workspace = layer_training_workspace<B>();
    const Team& team = context.team;
    T* const kernel = context.workspace;  // of the convolution; then its gradient
    T* const scratch = context.workspace + workspace.fixed;

    if (dx != nullptr) {
        kernels::conv_transpose_kernel(shape, static_cast<const T*>(parameters.template get<0>()), kernel);
        const std::size_t parts = team.threads < rows ? team.threads : rows;
        team.each(parts, [&](std::size_t part) {
            const std::size_t begin = rows * part / parts, end = rows * (part + 1) / parts;
            kernels::conv_transpose_input_gradient<T, Panels::last_width>(
                end - begin, shape, dy + begin * shape.out_size(), kernel, dx + begin * shape.in_size(),
                scratch + part * workspace.per_thread);
        });
    }
    if constexpr (Rule::use_bias) {
        ConvShape output{};
        output.out_height = shape.rows.out;
        output.out_width = shape.columns.out;
        output.filters = shape.filters;
        kernels::conv_bias_gradient<T, simd::Panels<T, 1, shape.filters>::last_width>(
            rows, output, dy, kernels::Store<T>{gradients.template get<1>()});
    }
    constexpr bool exact = Panels::rest != Panels::last_width;
    const std::size_t tiles = (conv.window() + 5) / 6;
    const std::size_t parts = team.threads < tiles ? team.threads : tiles;
    team.each(parts, [&](std::size_t part) {
        const std::size_t begin = tiles * part / parts * 6, end = tiles * (part + 1) / parts * 6;
        kernels::conv_weight_gradient<T, Panels::last_width, exact>(rows, conv, dy, x, kernels::Store<T>{kernel},
                                                                    kernel, scratch + part * workspace.per_thread,
                                                                    begin, end < conv.window() ? end : conv.window());
    });
    kernels::conv_transpose_weight_gradient(shape, static_cast<const T*>(kernel), gradients.template get<0>());
}

}  // namespace passes

template <std::size_t Filters, class... Options, class In, class T>
void backward(Bound<Conv2DTranspose<Filters, Options...>, In> bound, std::size_t rows, auto parameters,
              const auto& gradients, const T* x, const T*, T* dy, T* dx, const TrainingContext<T>& context)
{
    passes::conv_transpose_backward<decltype(bound)>(rows, parameters, gradients, x, static_cast<const T*>(dy), dx,
                                                     context);
}

// dy becomes dy · f'(y) in place: only activations with a derivative from the output are fused in training.
template <std::size_t Filters, class... Options, class Activation, class In, class T>
void backward(Bound<Fused<Conv2DTranspose<Filters, Options...>, Activation>, In> bound, std::size_t rows,
              auto parameters, const auto& gradients, const T* x, const T* y, T* dy, T* dx,
              const TrainingContext<T>& context)
{
    using B = decltype(bound);
    passes::activation_backward(rows, B::output::size, y, dy, passes::function_of<Activation>, context.team);
    passes::conv_transpose_backward<B>(rows, parameters, gradients, x, static_cast<const T*>(dy), dx, context);
}

}  // namespace tenon
