// SPDX-License-Identifier: BSL-1.0
// Convolutions, alone and with their activation.
#pragma once

#include <tenon/kernels/conv.hpp>
#include <tenon/kernels/depthwise.hpp>
#include <tenon/kernels/winograd.hpp>
#include <tenon/layers/conv.hpp>
#include <tenon/layers/fused.hpp>
#include <tenon/passes/forward/dense.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// y = function(x ∗ kernel + bias); ReLU is applied by the tile, other activations image by image.
template <class Rule, class T, class Parameters, class Function>
constexpr void conv(std::size_t rows, Parameters parameters, const T* x, T* y, Function function, T* scratch)
{
    constexpr ConvShape shape = Rule::geometry;
    const T* bias = nullptr;
    if constexpr (Rule::use_bias) bias = parameters.template get<1>();
    const T* kernel = parameters.template get<0>();
    if (std::is_constant_evaluated()) {
        kernels::conv_reference(rows, shape, x, kernel, bias, y, function);
    } else {
        constexpr std::size_t last = simd::Panels<T, shape.window(), shape.group_filters()>::last_width;
        if constexpr (kernels::detail::is_floor<Function>) {
            const T floor = std::is_same_v<Function, kernels::ReLU> ? T(0) : kernels::detail::no_floor<T>;
            if constexpr (constexpr std::size_t out = simd::winograd_outputs<T>(shape, false); out != 0)
                kernels::winograd_forward<out, false, T, last>(rows, shape, x, kernel, bias, y, floor, scratch);
            else
                kernels::conv_forward<T, last>(rows, shape, x, kernel, bias, y, floor, scratch);
        } else {
            for (std::size_t r = 0; r < rows; ++r) {
                T* image = y + r * shape.out_size();
                kernels::conv_forward<T, last>(1, shape, x + r * shape.in_size(), kernel, bias, image,
                                               kernels::detail::no_floor<T>, scratch);
                kernels::map(shape.out_size(), image, image, function);
            }
        }
    }
}

template <class L>
inline constexpr bool is_conv = false;
template <std::size_t Filters, class... Options>
inline constexpr bool is_conv<Conv2D<Filters, Options...>> = true;
template <std::size_t Filters, class... Options>
inline constexpr bool is_conv<Conv1D<Filters, Options...>> = true;

}  // namespace passes

template <class L, class In, class T, class Context>
    requires passes::is_conv<L>
constexpr void forward(Bound<L, In> bound, std::size_t rows, auto parameters, const T* x, T* y, const Context& context)
{
    passes::conv<typename decltype(bound)::rule>(rows, parameters, x, y, kernels::Identity{}, context.workspace);
}

template <class L, class Activation, class In, class T, class Context>
    requires passes::is_conv<L>
constexpr void forward(Bound<Fused<L, Activation>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
                       const Context& context)
{
    passes::conv<typename decltype(bound)::rule>(rows, parameters, x, y, passes::function_of<Activation>,
                                                 context.workspace);
}

// The largest value of each 2 × 2 block of function(x ∗ kernel + bias), for ReLU or no function.
template <class Head, class Pool, class In, class T, std::size_t Rows>
constexpr void forward(Bound<FusedPool<Head, Pool>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
                       const InferenceContext<T, Rows>& context)
{
    using Rule = typename decltype(bound)::rule;
    constexpr ConvShape shape = Rule::geometry;
    constexpr bool rectified = requires { typename Head::activation; };
    const T* bias = nullptr;
    if constexpr (Rule::use_bias) bias = parameters.template get<1>();
    const T* kernel = parameters.template get<0>();
    if (std::is_constant_evaluated()) {
        if constexpr (rectified)
            kernels::conv_pool_reference(rows, shape, x, kernel, bias, y, kernels::ReLU{});
        else
            kernels::conv_pool_reference(rows, shape, x, kernel, bias, y, kernels::Identity{});
    } else {
        constexpr std::size_t last = simd::Panels<T, shape.window(), shape.group_filters()>::last_width;
        const T floor = rectified ? T(0) : kernels::detail::no_floor<T>;
        if constexpr (constexpr std::size_t out = simd::winograd_outputs<T>(shape, true); out != 0)
            kernels::winograd_forward<out, true, T, last>(rows, shape, x, kernel, bias, y, floor, context.workspace);
        else
            kernels::conv_pool_forward<T, last>(rows, shape, x, kernel, bias, y, floor, context.workspace);
    }
}

// In training the places of the largest values go to the tape. Rows are split here, since what is kept belongs to rows.
template <class Head, class Pool, class In, class T>
void forward(Bound<FusedPool<Head, Pool>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
             const TrainingContext<T>& context)
{
    using B = decltype(bound);
    using Rule = typename B::rule;
    constexpr ConvShape shape = Rule::geometry;
    constexpr std::size_t last = simd::Panels<T, shape.window(), shape.group_filters()>::last_width;
    constexpr std::size_t own = layer_training_workspace<B>().per_thread;
    const T* bias = nullptr;
    if constexpr (Rule::use_bias) bias = parameters.template get<1>();
    const T* kernel = parameters.template get<0>();
    const T floor = requires { typename Head::activation; }
    ? T(0) : kernels::detail::no_floor<T>;
    const auto choice = reinterpret_cast<std::uint8_t*>(context.tape);
    const std::size_t parts = context.team.threads < rows ? context.team.threads : rows;
    context.team.each(parts, [&](std::size_t part) {
        const std::size_t begin = rows * part / parts, count = rows * (part + 1) / parts - begin;
        const T* from = x + begin * In::size;
        const std::size_t to = begin * B::output::size;
        T* scratch = context.workspace + part * own;
        if constexpr (constexpr std::size_t out = simd::winograd_outputs<T>(shape, true); out != 0)
            kernels::winograd_forward<out, true, T, last>(count, shape, from, kernel, bias, y + to, floor, scratch,
                                                          choice + to);
        else
            kernels::conv_pool_forward<T, last>(count, shape, from, kernel, bias, y + to, floor, scratch, choice + to);
    });
}

namespace passes {

template <class Rule, class T, class Parameters, class Function>
constexpr void depthwise(std::size_t rows, Parameters parameters, const T* x, T* y, Function function)
{
    constexpr ConvShape shape = Rule::window::template geometry<Rule::channels, Rule::channels>;
    const T* bias = nullptr;
    if constexpr (Rule::use_bias) bias = parameters.template get<1>();
    const T* kernel = parameters.template get<0>();
    if (std::is_constant_evaluated()) {
        kernels::depthwise_reference(rows, shape, x, kernel, bias, y, function);
    } else {
        constexpr std::size_t lanes = kernels::detail::row_width<T>(shape.channels);
        constexpr bool floors = kernels::detail::is_floor<Function>;
        const T floor = std::is_same_v<Function, kernels::ReLU> ? T(0) : kernels::detail::no_floor<T>;
        for (std::size_t r = 0; r < rows; ++r) {
            T* image = y + r * shape.out_size();
            kernels::depthwise_forward<T, shape.kernel_width, shape.stride_width, lanes,
                                       kernels::depthwise_tile_width(shape)>(1, shape, x + r * shape.in_size(), kernel,
                                                                             bias, image, floor);
            if constexpr (!floors) kernels::map(shape.out_size(), image, image, function);
        }
    }
}

}  // namespace passes

template <class... Options, class In, class T>
constexpr void forward(Bound<DepthwiseConv2D<Options...>, In> bound, std::size_t rows, auto parameters, const T* x,
                       T* y)
{
    passes::depthwise<typename decltype(bound)::rule>(rows, parameters, x, y, kernels::Identity{});
}

template <class... Options, class Activation, class In, class T>
constexpr void forward(Bound<Fused<DepthwiseConv2D<Options...>, Activation>, In> bound, std::size_t rows,
                       auto parameters, const T* x, T* y)
{
    passes::depthwise<typename decltype(bound)::rule>(rows, parameters, x, y, passes::function_of<Activation>);
}

}  // namespace tenon
