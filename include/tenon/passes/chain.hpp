// SPDX-License-Identifier: BSL-1.0
// Running a chain: each layer's pass in turn, with every value at the place the memory plan gave it.
#pragma once

#include <tenon/kernels/elementwise.hpp>
#include <tenon/network/taps.hpp>
#include <tenon/passes/context.hpp>
#include <tenon/passes/gradients.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

struct IgnoreTaps {
    template <std::size_t, class T>
    constexpr void operator()(const T*) const
    {}
};

}  // namespace detail

// y = chain(x) for rows ≤ Rows. arena: chain_workspace<S, C, Rows>() scalars.
// see.operator()<I>(values): called at the tap behind layer I (network/taps.hpp), values (rows, shape there) are gone later.
// S: the type that the parameters are stored in.
template <class C, std::size_t Rows, class S, class T, class See = detail::IgnoreTaps>
TENON_ALWAYS_INLINE constexpr void infer_chain(std::size_t rows, ParameterBlocks<const S> parameters, const T* x, T* y,
                                               T* arena, const See& see = {})
{
    constexpr auto& plan = inference_plan<S, C, Rows>;
    using Place = typename std::remove_cvref_t<decltype(plan)>::Place;
    const T* value = x;
    C::for_each([&]<std::size_t I>() TENON_LAMBDA_INLINE {
        using B = typename C::template bound<I>;
        if constexpr (!is_view<B>()) {
            T* out = plan.place[I] == Place::output ? y : arena + plan.offset[I];
            run_forward(B{}, rows, layer_view<C, I>(parameters), value, out,
                        InferenceContext<T, Rows>{arena + plan.scratch[I]});
            value = out;
        } else if constexpr (detail::is_tap<typename B::layer>) {
            see.template operator()<B::layer::tapped>(value);
        }
    });
    if constexpr (computing_layers<C> == 0)
        for (std::size_t i = 0; i < rows * C::input::size; ++i) y[i] = x[i];
}

namespace detail {

// The context of a chain's I-th layer, from the chain's own.
template <class C, std::size_t I, class T>
TrainingContext<T> layer_context(const TrainingContext<T>& context, std::size_t rows, T* scratch)
{
    TrainingContext<T> own = context;
    own.tape = context.tape + training_plan<C>.kept[I].scalars(rows);
    own.workspace = scratch;
    own.stream = context.stream * 1021 + I + 1;
    if (context.statistics != nullptr)
        own.statistics = context.statistics + chain_offsets<T, C, Role::statistics>.at[I];
    return own;
}

}  // namespace detail

namespace detail {

// Passes of layers whose rows are independent, in parts. What such a layer keeps would be laid out part by part, so it
// keeps nothing but its output.
template <class B>
constexpr bool splits_by_rows()
{
    return rows_are_independent<typename B::layer>() && layer_tape<B>().row == 0 && layer_tape<B>().fixed == 0;
}

// f(first, count, part) over the threads of a team.
template <class F>
void split_rows(const Team& team, std::size_t rows, F&& f)
{
    std::size_t parts = team.threads < rows / least_rows ? team.threads : rows / least_rows;
    if (parts < 2) return f(std::size_t{0}, rows, std::size_t{0});
    team.each(parts, [&](std::size_t part) {
        const std::size_t begin = rows * part / parts, end = rows * (part + 1) / parts;
        f(begin, end - begin, part);
    });
}

// One layer's forward pass in training, by rows over the team where it can be split so.
template <class B, class T>
void train_forward_layer(B bound, std::size_t rows, ParameterView<B, const T> parameters, const T* x, T* y,
                         const TrainingContext<T>& context)
{
    if constexpr (splits_by_rows<B>())
        split_rows(context.team, rows, [&](std::size_t begin, std::size_t count, std::size_t part) {
            run_forward(bound, count, parameters, x + begin * B::input::size, y + begin * B::output::size,
                        context.part(begin, context.workspace + part * layer_training_workspace<B>().per_thread));
        });
    else
        run_forward(bound, rows, parameters, x, y, context);
}

}  // namespace detail

// y = chain(x), keeping what the backward pass needs on context.tape (chain_tape<C>().scalars(rows)).
// context.workspace: chain_training_workspace<C>().scalars(rows).
template <class C, class T>
void train_forward_chain(std::size_t rows, ParameterBlocks<const T> parameters, const T* x, T* y,
                         const TrainingContext<T>& context)
{
    constexpr auto& plan = training_plan<C>;
    const T* value = x;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        if constexpr (!is_view<B>()) {
            T* out = I + 1 == computing_layers<C> ? y : context.tape + plan.output[I].scalars(rows);
            detail::train_forward_layer(B{}, rows, layer_view<C, I>(parameters), value, out,
                                        detail::layer_context<C, I>(context, rows, context.workspace));
            value = out;
        }
    });
    if constexpr (computing_layers<C> == 0)
        for (std::size_t i = 0; i < rows * C::input::size; ++i) y[i] = x[i];
}

namespace detail {

// Whether a policy wants gradients of anything below a layer, and of the layer itself or anything below. One that leaves the
// first layers alone says so by trains_below().
template <class Policy>
bool trains_below(const Policy& layer)
{
    if constexpr (requires { layer.trains_below(); })
        return layer.trains_below();
    else
        return true;
}

}  // namespace detail

// What the forward pass left at the chain's taps: values[I] behind layer I of the network as written (rows, shape there).
template <class C, class T>
void find_tapped(std::size_t rows, const T* x, const T* y, const TrainingContext<T>& context, const T** values)
{
    constexpr auto& plan = training_plan<C>;
    const T* value = x;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        if constexpr (!is_view<B>())
            value = I + 1 == computing_layers<C> ? y : context.tape + plan.output[I].scalars(rows);
        else if constexpr (detail::is_tap<typename B::layer>)
            values[B::layer::tapped] = value;
    });
}

// The chain's gradients from its output's. dy is destroyed; dx may be null where nobody needs it.
// tapped: at [I], what is added to the gradient at the tap behind layer I; null where the chain has no taps.
template <class C, class T, class Policy>
void train_backward_chain(std::size_t rows, ParameterBlocks<const T> parameters, const Policy& policy, const T* x,
                          const T* y, T* dy, T* dx, const TrainingContext<T>& context,
                          [[maybe_unused]] T* const* tapped = nullptr)
{
    constexpr auto& plan = training_plan<C>;
    constexpr std::size_t last = computing_layers<C>;

    const T* inputs[C::count + 1];
    const T* outputs[C::count + 1];
    std::size_t first = C::count;  // the first layer that computes
    const T* value = x;
    C::for_each([&]<std::size_t I>() {
        inputs[I] = value;
        if constexpr (!is_view<typename C::template bound<I>>()) {
            value = I + 1 == last ? y : context.tape + plan.output[I].scalars(rows);
            if (first == C::count) first = I;
        }
        outputs[I] = value;
    });

    T* const turn[2] = {context.workspace, context.workspace + PerRow{plan.widest, 0}.scalars(rows)};
    T* const scratch = context.workspace + PerRow{2 * plan.widest, 0}.scalars(rows);
    T* d = dy;
    C::for_each([&]<std::size_t Reverse>() {
        constexpr std::size_t I = C::count - 1 - Reverse;
        using B = typename C::template bound<I>;
        if constexpr (!is_view<B>()) {
            const Policy own = policy.at(chain_offsets<T, C>.at[I]);
            // Nobody asks for dx, and what lies below stays as it is: nothing more to compute.
            const bool below = dx != nullptr || detail::trains_below(own);
            if (!below && !detail::trains_below(policy.at(chain_offsets<T, C>.at[I + 1]))) return;
            T* target = I == first ? dx : !below ? nullptr : in_place<B>() ? d : d == turn[0] ? turn[1] : turn[0];
            const TrainingContext<T> layer = detail::layer_context<C, I>(context, rows, scratch);
            own.template begin<B>();
            // Layers with gradients of their own split by what they compute: sums over rows stay whole.
            if constexpr (detail::splits_by_rows<B>() && layer_storage<T, B>() == 0) {
                detail::split_rows(layer.team, rows, [&](std::size_t begin, std::size_t count, std::size_t part) {
                    run_backward(B{}, count, layer_view<C, I>(parameters), GradientView<B, Policy>{own},
                                 inputs[I] + begin * B::input::size, outputs[I] + begin * B::output::size,
                                 d + begin * B::output::size,
                                 target == nullptr ? nullptr : target + begin * B::input::size,
                                 layer.part(begin, scratch + part * layer_training_workspace<B>().per_thread));
                });
            } else {
                run_backward(B{}, rows, layer_view<C, I>(parameters), GradientView<B, Policy>{own}, inputs[I],
                             outputs[I], d, target, layer);
            }
            own.template end<B>();
            d = target;
        } else if constexpr (detail::is_tap<typename B::layer>) {
            if (tapped != nullptr && d != nullptr)
                kernels::add(rows * B::output::size, static_cast<const T*>(tapped[B::layer::tapped]), d);
        }
    });
    if constexpr (last == 0)
        if (dx != nullptr)
            for (std::size_t i = 0; i < rows * C::input::size; ++i) dx[i] = dy[i];
}

}  // namespace tenon
