// SPDX-License-Identifier: BSL-1.0
// Blocks run their branches as chains.
#pragma once

#include <tenon/kernels/elementwise.hpp>
#include <tenon/network/add.hpp>
#include <tenon/network/blocks.hpp>
#include <tenon/passes/chain.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// A branch at inference, or in training at its place on the block's tape: branch I lies behind the branches before it.
template <class B, std::size_t I, class S, class T, std::size_t Rows>
TENON_ALWAYS_INLINE constexpr void run_branch(std::size_t rows, ParameterBlocks<const S> parameters, const T* x, T* y,
                                              const InferenceContext<T, Rows>& context)
{
    infer_chain<typename B::rule::branches::template at<I>, Rows>(rows, parameters, x, y, context.workspace);
}

template <class B, std::size_t I, class T>
TrainingContext<T> branch_context(std::size_t rows, const TrainingContext<T>& context)
{
    TrainingContext<T> own = context;
    own.stream = context.stream * 1021 + 512 + I;
    detail::for_each_index<0, I>(
        [&]<std::size_t J>() { own.tape += chain_tape<typename B::rule::branches::template at<J>>().scalars(rows); });
    if (context.statistics != nullptr) own.statistics = context.statistics + branch_offset<T, B, I, Role::statistics>();
    return own;
}

template <class B, std::size_t I, class T>
void run_branch(std::size_t rows, ParameterBlocks<const T> parameters, const T* x, T* y,
                const TrainingContext<T>& context)
{
    train_forward_chain<typename B::rule::branches::template at<I>>(rows, parameters, x, y,
                                                                    branch_context<B, I>(rows, context));
}

// The workspace behind the first `size` scalars per row, which the block itself uses.
template <class T, std::size_t Rows>
constexpr InferenceContext<T, Rows> behind(const InferenceContext<T, Rows>& context, std::size_t, std::size_t size)
{
    return {context.workspace + detail::aligned<T>(Rows * size)};
}
template <class T>
TrainingContext<T> behind(const TrainingContext<T>& context, std::size_t rows, std::size_t size)
{
    TrainingContext<T> own = context;
    own.workspace += PerRow{size, 0}.scalars(rows);
    return own;
}

}  // namespace passes

template <class... Layers, class In, class T, class Context>
TENON_ALWAYS_INLINE constexpr void forward(Bound<Sequential<Layers...>, In> bound, std::size_t rows, auto parameters,
                                           const T* x, T* y, const Context& context)
{
    passes::run_branch<decltype(bound), 0>(rows, parameters.template branch<0>(), x, y, context);
}

template <std::size_t N, class Layer, class In, class T, class Context>
TENON_ALWAYS_INLINE constexpr void forward(Bound<Repeat<N, Layer>, In> bound, std::size_t rows, auto parameters,
                                           const T* x, T* y, const Context& context)
{
    passes::run_branch<decltype(bound), 0>(rows, parameters.template branch<0>(), x, y, context);
}

// y = branch(x) + x
template <class... Layers, class In, class T, std::size_t Rows>
TENON_ALWAYS_INLINE constexpr void forward(Bound<Residual<Layers...>, In> bound, std::size_t rows, auto parameters,
                                           const T* x, T* y, const InferenceContext<T, Rows>& context)
{
    passes::run_branch<decltype(bound), 0>(rows, parameters.template branch<0>(), x, y, context);
    kernels::add(rows * In::size, x, y);
}

// In training the branch's own output is kept as well: its last layer's backward pass may ask for it, and y - x would not
// give it back exactly.
template <class... Layers, class In, class T>
void forward(Bound<Residual<Layers...>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
             const TrainingContext<T>& context)
{
    using B = decltype(bound);
    T* branch_output = context.tape + B::rule::branches_tape.scalars(rows);
    passes::run_branch<B, 0>(rows, parameters.template branch<0>(), x, branch_output, context);
    for (std::size_t i = 0; i < rows * In::size; ++i) y[i] = x[i] + branch_output[i];
}

// Each branch's output is made apart and copied into its channels of y.
template <class... Branches, class In, class T, class Context>
constexpr void forward(Bound<Concat<Branches...>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
                       const Context& context)
{
    using B = decltype(bound);
    using Out = typename B::output;
    std::size_t channel = 0;
    detail::for_each_index<0, sizeof...(Branches)>([&]<std::size_t I>() {
        using Part = typename B::rule::branches::template at<I>::output;
        T* part = context.workspace;
        passes::run_branch<B, I>(rows, parameters.template branch<I>(), x, part,
                                 passes::behind(context, rows, B::rule::widest));
        for (std::size_t v = 0; v < rows * Part::outer; ++v)
            for (std::size_t c = 0; c < Part::last; ++c) y[v * Out::last + channel + c] = part[v * Part::last + c];
        channel += Part::last;
    });
}

// y = Σ of the branches' outputs, each made apart.
template <class... Branches, class In, class T, std::size_t Rows>
constexpr void forward(Bound<Add<Branches...>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
                       const InferenceContext<T, Rows>& context)
{
    using B = decltype(bound);
    constexpr std::size_t size = B::output::size;
    detail::for_each_index<0, sizeof...(Branches)>([&]<std::size_t I>() {
        T* part = I == 0 ? y : context.workspace;
        passes::run_branch<B, I>(rows, parameters.template branch<I>(), x, part, passes::behind(context, rows, size));
        if (I > 0) kernels::add(rows * size, part, y);
    });
}

// In training each branch's own output is kept: its last layer's backward pass may ask for it.
template <class... Branches, class In, class T>
void forward(Bound<Add<Branches...>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
             const TrainingContext<T>& context)
{
    using B = decltype(bound);
    constexpr std::size_t size = B::output::size;
    detail::for_each_index<0, sizeof...(Branches)>([&]<std::size_t I>() {
        T* part = context.tape + (B::rule::branches_tape + PerRow{I * size, 0}).scalars(rows);
        passes::run_branch<B, I>(rows, parameters.template branch<I>(), x, part, context);
        if (I == 0)
            kernels::copy(rows * size, part, y);
        else
            kernels::add(rows * size, part, y);
    });
}

}  // namespace tenon
