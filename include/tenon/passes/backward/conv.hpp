// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/pooled_gradient.hpp>
#include <tenon/passes/backward/dense.hpp>
#include <tenon/passes/forward/conv.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// The input's gradient, by rows.
template <class Rule, class T, class Parameters>
void conv_input_backward(std::size_t rows, Parameters parameters, const T* dy, T* dx, T* scratch,
                         std::size_t scratch_size, const Team& team)
{
    constexpr ConvShape shape = Rule::geometry;
    [[maybe_unused]] constexpr ConvShape turned = shape.transposed();
    const std::size_t parts = team.threads < rows ? team.threads : rows;
    team.each(parts, [&](std::size_t part) {
        const std::size_t begin = rows * part / parts, end = rows * (part + 1) / parts;
        if constexpr (simd::scatters_input_gradient<T>(shape))
            kernels::conv_scatter_gradient<T, simd::Panels<T, shape.filters, shape.window()>::last_width>(
                end - begin, shape, dy + begin * shape.out_size(), parameters.template get<0>(),
                dx + begin * shape.in_size(), scratch + part * scratch_size);
        else if constexpr (constexpr std::size_t out = simd::winograd_input_gradient<T>(shape); out != 0)
            kernels::winograd_input_gradient<out, T,
                                             simd::Panels<T, turned.window(), turned.group_filters()>::last_width>(
                end - begin, shape, dy + begin * shape.out_size(), parameters.template get<0>(),
                dx + begin * shape.in_size(), scratch + part * scratch_size);
        else
            kernels::conv_input_gradient<T, simd::Panels<T, turned.window(), turned.group_filters()>::last_width>(
                end - begin, shape, dy + begin * shape.out_size(), parameters.template get<0>(),
                dx + begin * shape.in_size(), scratch + part * scratch_size);
    });
}

// dx before the weights change, then the kernel's and the bias's gradients.
template <class Rule, class T, class Parameters, class Gradients>
void conv_backward(std::size_t rows, Parameters parameters, const Gradients& gradients, const T* x, const T* dy, T* dx,
                   T* scratch, std::size_t scratch_size, const Team& team)
{
    constexpr ConvShape shape = Rule::geometry;
    using Panels = simd::Panels<T, shape.window(), shape.group_filters()>;
    if (dx != nullptr) conv_input_backward<Rule>(rows, parameters, dy, dx, scratch, scratch_size, team);
    if constexpr (Rule::use_bias) {
        // One group's columns at a time would be the sink's layout; a group's bias is its own slice.
        using All = simd::Panels<T, 1, shape.filters>;
        if constexpr (shape.groups == 1) {
            kernels::conv_bias_gradient<T, All::last_width>(rows, shape, dy, gradients.template sink<1>());
        } else {
            kernels::conv_group_bias_gradient<T>(rows, shape, dy, gradients.template sink<1>());
        }
    }
    constexpr bool exact = Panels::rest != Panels::last_width;
    // Each thread takes some rows of the kernel, all images: no sum is split.
    const std::size_t tiles = (shape.window() + 5) / 6;
    const std::size_t parts = team.threads < tiles ? team.threads : tiles;
    team.each(parts, [&](std::size_t part) {
        const std::size_t begin = tiles * part / parts * 6, end = tiles * (part + 1) / parts * 6;
        kernels::conv_weight_gradient<T, Panels::last_width, exact>(
            rows, shape, x, dy, gradients.template sink<0>(), gradients.template get<0>(),
            scratch + part * scratch_size, begin, end < shape.window() ? end : shape.window());
    });
}

// The kernel's gradient by masked positions. Threads share the columns of the window, Columns at a time: how many those are
// changes no sum.
template <class Rule, std::size_t Columns, class T, class Gradients>
void masked_backward(std::size_t rows, const Gradients& gradients, const T* x, const T* dz, const std::uint8_t* choice,
                     T* scratch, std::size_t scratch_size, const Team& team)
{
    constexpr ConvShape shape = Rule::geometry;
    using Panels = simd::Panels<T, shape.window(), shape.filters>;
    constexpr std::size_t tiles = shape.kernel_width * shape.channels / Columns;
    const std::size_t parts = team.threads < tiles ? team.threads : tiles;
    team.each(parts, [&](std::size_t part) {
        kernels::masked_weight_gradient<shape.kernel_height, Columns, T, Panels::last_width>(
            rows, shape, x, dz, choice, gradients.template sink<0>(), scratch + part * scratch_size,
            tiles * part / parts * Columns, tiles * (part + 1) / parts * Columns);
    });
}

}  // namespace passes

template <class L, class In, class T>
    requires passes::is_conv<L>
void backward(Bound<L, In> bound, std::size_t rows, auto parameters, const auto& gradients, const T* x, const T*, T* dy,
              T* dx, const TrainingContext<T>& context)
{
    passes::conv_backward<typename decltype(bound)::rule>(rows, parameters, gradients, x, dy, dx, context.workspace,
                                                          layer_training_workspace<decltype(bound)>().per_thread,
                                                          context.team);
}

// dy becomes dy · f'(y) in place: only activations with a derivative from the output are fused in training.
template <class L, class Activation, class In, class T>
    requires passes::is_conv<L>
void backward(Bound<Fused<L, Activation>, In> bound, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T* y, T* dy, T* dx, const TrainingContext<T>& context)
{
    using B = decltype(bound);
    passes::activation_backward(rows, B::output::size, y, dy, passes::function_of<Activation>, context.team);
    passes::conv_backward<typename B::rule>(rows, parameters, gradients, x, dy, dx, context.workspace,
                                            layer_training_workspace<B>().per_thread, context.team);
}

// Behind a pool at most a quarter of the outputs has a gradient. Where registers fit the shape the products are taken over
// those only; otherwise over the whole map, spread in the workspace.
template <class Head, class Pool, class In, class T>
void backward(Bound<FusedPool<Head, Pool>, In> bound, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T* y, T* dy, T* dx, const TrainingContext<T>& context)
{
    using B = decltype(bound);
    using Rule = typename B::rule;
    constexpr ConvShape shape = Rule::geometry;
    constexpr std::size_t out = B::output::size;
    constexpr PerRow workspace = layer_training_workspace<B>();
    const Team& team = context.team;
    const auto choice = reinterpret_cast<const std::uint8_t*>(context.tape);
    if constexpr (requires { typename Head::activation; })
        passes::activation_backward(rows, out, y, dy, passes::function_of<typename Head::activation>, team);
    T* const fixed = context.workspace + PerRow{workspace.row}.scalars(rows);
    T* const scratch = fixed + workspace.fixed;
    if constexpr (simd::pooled_gradients_fit<T>(shape)) {
        using Panels = simd::Panels<T, shape.window(), shape.filters>;
        constexpr std::size_t height = shape.kernel_height, width = shape.kernel_width;
        if (dx != nullptr) {
            kernels::detail::panels_to_filters<T>(Panels::layout, parameters.template get<0>(), fixed);
            const std::size_t parts = team.threads < rows ? team.threads : rows;
            team.each(parts, [&](std::size_t part) {
                const std::size_t begin = rows * part / parts, count = rows * (part + 1) / parts - begin;
                kernels::pooled_input_gradient<T, height, width>(count, shape, dy + begin * out, choice + begin * out,
                                                                 static_cast<const T*>(fixed), dx + begin * In::size,
                                                                 scratch + part * workspace.per_thread);
            });
        }
        // The bias's gradient is a sum over pooled positions.
        if constexpr (Rule::use_bias)
            kernels::detail::bias_gradient<T, Panels::last_width>(
                rows * (out / shape.filters), simd::PanelLayout<T>{1, shape.filters}, dy, gradients.template sink<1>());
        // Each thread sums some filters over all images, then puts some rows of the kernel into the sink.
        constexpr std::size_t packs = shape.filters / simd::width<T>;
        const std::size_t parts = team.threads < packs ? team.threads : packs;
        team.each(parts, [&](std::size_t part) {
            const std::size_t begin = packs * part / parts * simd::width<T>,
                              end = packs * (part + 1) / parts * simd::width<T>;
            kernels::pooled_weight_gradient<T, height, width * shape.channels>(
                rows, shape, x, static_cast<const T*>(dy), choice, fixed, scratch + part * workspace.per_thread, begin,
                end);
        });
        team.split(shape.window(), 8 * simd::width<T>, simd::width<T>, [&](std::size_t begin, std::size_t end) {
            kernels::detail::put_filters<T, Panels::last_width>(Panels::layout, fixed, gradients.template sink<0>(),
                                                                begin, end);
        });
    } else {
        constexpr std::size_t columns = simd::masked_columns<T>(shape, 24);
        T* const map = context.workspace;
        if (columns == 0 || dx != nullptr) kernels::spread_pooled(rows, shape, static_cast<const T*>(dy), choice, map);
        if constexpr (columns == 0) {
            passes::conv_backward<Rule>(rows, parameters, gradients, x, static_cast<const T*>(map), dx, scratch,
                                        workspace.per_thread, team);
        } else {
            using Panels = simd::Panels<T, shape.window(), shape.filters>;
            if (dx != nullptr)
                passes::conv_input_backward<Rule>(rows, parameters, static_cast<const T*>(map), dx, scratch,
                                                  workspace.per_thread, team);
            if constexpr (Rule::use_bias)
                kernels::detail::bias_gradient<T, Panels::last_width>(rows * (out / shape.filters),
                                                                      simd::PanelLayout<T>{1, shape.filters}, dy,
                                                                      gradients.template sink<1>());
            if (team.threads > 1)
                passes::masked_backward<Rule, simd::masked_columns<T>(shape, 1), T>(
                    rows, gradients, x, dy, choice, scratch, workspace.per_thread, team);
            else
                passes::masked_backward<Rule, columns, T>(rows, gradients, x, dy, choice, scratch, workspace.per_thread,
                                                          team);
        }
    }
}

namespace passes {

template <class Rule, class T>
void depthwise_backward(std::size_t rows, auto parameters, const auto& gradients, const T* x, const T* dy, T* dx)
{
    T* dbias = nullptr;
    if constexpr (Rule::use_bias) dbias = gradients.template get<1>();
    constexpr ConvShape shape = Rule::window::template geometry<Rule::channels, Rule::channels>;
    kernels::depthwise_gradient(rows, shape, x, parameters.template get<0>(), dy, dx, gradients.template get<0>(),
                                dbias);
}

}  // namespace passes

template <class... Options, class In, class T>
void backward(Bound<DepthwiseConv2D<Options...>, In> bound, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T*, T* dy, T* dx, const TrainingContext<T>&)
{
    passes::depthwise_backward<typename decltype(bound)::rule>(rows, parameters, gradients, x,
                                                               static_cast<const T*>(dy), dx);
}

template <class... Options, class Activation, class In, class T>
void backward(Bound<Fused<DepthwiseConv2D<Options...>, Activation>, In> bound, std::size_t rows, auto parameters,
              const auto& gradients, const T* x, const T* y, T* dy, T* dx, const TrainingContext<T>& context)
{
    using B = decltype(bound);
    passes::activation_backward(rows, B::output::size, y, dy, passes::function_of<Activation>, context.team);
    passes::depthwise_backward<typename B::rule>(rows, parameters, gradients, x, static_cast<const T*>(dy), dx);
}

}  // namespace tenon
