// SPDX-License-Identifier: BSL-1.0
// What a pass knows besides its layer, its parameters and its values; and how a pass is chosen: by overload on the bound
// layer, found in the layer's own namespace.
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/network/memory_plan.hpp>
#include <tenon/network/parameter_layout.hpp>
#include <tenon/parallel/team.hpp>
#include <tenon/simd/half.hpp>

namespace tenon::inline TENON_ISA {

// Inference, at most Rows rows at a time. `workspace` holds what the layer's rule asked for.
template <class T, std::size_t Rows>
struct InferenceContext {
    T* workspace;
};

// A training pass. `tape` holds what this layer keeps from the forward to the backward pass, `workspace` its scratch.
template <class T>
struct TrainingContext {
    T* tape;
    T* workspace;
    Seed seed{};                // of the run
    std::uint64_t step = 0;     // counts batches
    std::uint64_t stream = 0;   // differs from layer to layer
    std::size_t first_row = 0;  // of this pass within the batch
    T* statistics = nullptr;    // this layer's running statistics, to be moved; null where they shall stay
    Team team{};                // the threads that passes may split their work over

    // The same for one part of a pass that is split by rows.
    TrainingContext part(std::size_t row, T* scratch) const
    {
        TrainingContext own = *this;
        own.first_row += row;
        own.workspace = scratch;
        own.team = Team{};
        return own;
    }
};

// forward(bound, rows, parameters, x, y, context), or without the context, as layers with nothing to keep write it.
//   x: (rows, input), y: (rows, output), both row-major without gaps.
// Parameters of 16 bits (S) reach layers that read them (reads_stored); for others they become floats in the workspace.
template <class B, class S, class T, class Context>
TENON_ALWAYS_INLINE constexpr void run_forward(B bound, std::size_t rows, ParameterView<B, const S> parameters,
                                               const T* x, T* y, const Context& context)
{
    if constexpr (!std::is_same_v<S, T> && !reads_stored<B>()) {
        constexpr std::size_t learned = layer_storage<T, B>(), statistics = layer_storage<T, B, Role::statistics>();
        T* widened = context.workspace;
        if constexpr (learned != 0) simd::widen(learned, parameters.base, widened);
        if constexpr (statistics != 0) simd::widen(statistics, parameters.statistics, widened + learned);
        Context own = context;
        own.workspace += learned + statistics;
        run_forward(bound, rows, ParameterView<B, const T>{widened, widened + learned}, x, y, own);
    } else if constexpr (requires { forward(bound, rows, parameters, x, y, context); })
        forward(bound, rows, parameters, x, y, context);
    else
        forward(bound, rows, parameters, x, y);
}

// backward(bound, rows, parameters, gradients, x, y, dy, dx[, context]): adds to the parameters' gradients, and writes the
// input's gradient unless dx is null. A pass that takes the context may also destroy dy.
template <class B, class T, class Gradients>
void run_backward(B bound, std::size_t rows, ParameterView<B, const T> parameters, const Gradients& gradients,
                  const T* x, const T* y, T* dy, T* dx, const TrainingContext<T>& context)
{
    if constexpr (requires { backward(bound, rows, parameters, gradients, x, y, dy, dx, context); })
        backward(bound, rows, parameters, gradients, x, y, dy, dx, context);
    else
        backward(bound, rows, parameters, gradients, x, y, static_cast<const T*>(dy), dx);
}

}  // namespace tenon
