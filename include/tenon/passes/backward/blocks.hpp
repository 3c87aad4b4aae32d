// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/blocks.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

template <class B, std::size_t I, class T>
void branch_backward(std::size_t rows, auto parameters, const auto& gradients, const T* x, const T* y, T* dy, T* dx,
                     const TrainingContext<T>& context)
{
    train_backward_chain<typename B::rule::branches::template at<I>>(rows, parameters.template branch<I>(),
                                                                     gradients.template branch<I>(), x, y, dy, dx,
                                                                     branch_context<B, I>(rows, context));
}

}  // namespace passes

template <class... Layers, class In, class T>
void backward(Bound<Sequential<Layers...>, In> bound, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T* y, T* dy, T* dx, const TrainingContext<T>& context)
{
    passes::branch_backward<decltype(bound), 0>(rows, parameters, gradients, x, y, dy, dx, context);
}

template <std::size_t N, class Layer, class In, class T>
void backward(Bound<Repeat<N, Layer>, In> bound, std::size_t rows, auto parameters, const auto& gradients, const T* x,
              const T* y, T* dy, T* dx, const TrainingContext<T>& context)
{
    passes::branch_backward<decltype(bound), 0>(rows, parameters, gradients, x, y, dy, dx, context);
}

// dx = dy + the branch's input gradient. The branch destroys its output gradient, so it gets a copy.
template <class... Layers, class In, class T>
void backward(Bound<Residual<Layers...>, In> bound, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T*, T* dy, T* dx, const TrainingContext<T>& context)
{
    using B = decltype(bound);
    T* copy = context.workspace;
    for (std::size_t i = 0; i < rows * In::size; ++i) copy[i] = dy[i];
    const TrainingContext<T> inner = passes::behind(context, rows, In::size);
    const T* branch_output = context.tape + B::rule::branches_tape.scalars(rows);
    passes::branch_backward<B, 0>(rows, parameters, gradients, x, branch_output, copy, dx, inner);
    if (dx != nullptr) kernels::add(rows * In::size, dy, dx);
}

// Each branch gets its channels of y and dy; the branches' input gradients are added up.
template <class... Branches, class In, class T>
void backward(Bound<Concat<Branches...>, In> bound, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T* y, T* dy, T* dx, const TrainingContext<T>& context)
{
    using B = decltype(bound);
    using Out = typename B::output;
    T* part_y = context.workspace;
    T* part_dy = part_y + PerRow{B::rule::widest, 0}.scalars(rows);
    T* part_dx = part_dy + PerRow{B::rule::widest, 0}.scalars(rows);
    const TrainingContext<T> inner = passes::behind(context, rows, 2 * B::rule::widest + In::size);
    std::size_t channel = 0;
    detail::for_each_index<0, sizeof...(Branches)>([&]<std::size_t I>() {
        using Part = typename B::rule::branches::template at<I>::output;
        for (std::size_t v = 0; v < rows * Part::outer; ++v)
            for (std::size_t c = 0; c < Part::last; ++c) {
                part_y[v * Part::last + c] = y[v * Out::last + channel + c];
                part_dy[v * Part::last + c] = dy[v * Out::last + channel + c];
            }
        T* target = dx == nullptr ? nullptr : I == 0 ? dx : part_dx;
        passes::branch_backward<B, I>(rows, parameters, gradients, x, part_y, part_dy, target, inner);
        if (I > 0 && dx != nullptr) kernels::add(rows * In::size, part_dx, dx);
        channel += Part::last;
    });
}

// Every branch gets the whole output gradient, as a copy that it may destroy.
template <class... Branches, class In, class T>
void backward(Bound<Add<Branches...>, In> bound, std::size_t rows, auto parameters, const auto& gradients, const T* x,
              const T*, T* dy, T* dx, const TrainingContext<T>& context)
{
    using B = decltype(bound);
    constexpr std::size_t size = B::output::size;
    T* copy = context.workspace;
    T* part_dx = copy + PerRow{size, 0}.scalars(rows);
    const TrainingContext<T> inner = passes::behind(context, rows, size + In::size);
    detail::for_each_index<0, sizeof...(Branches)>([&]<std::size_t I>() {
        kernels::copy(rows * size, static_cast<const T*>(dy), copy);
        const T* output = context.tape + (B::rule::branches_tape + PerRow{I * size, 0}).scalars(rows);
        T* target = dx == nullptr ? nullptr : I == 0 ? dx : part_dx;
        passes::branch_backward<B, I>(rows, parameters, gradients, x, output, copy, target, inner);
        if (I > 0 && dx != nullptr) kernels::add(rows * In::size, part_dx, dx);
    });
}

}  // namespace tenon
