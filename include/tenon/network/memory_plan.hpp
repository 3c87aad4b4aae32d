// SPDX-License-Identifier: BSL-1.0
// The memory plan: where each intermediate value lives, as constants. Inference reuses memory by liveness; training keeps
// every output on a tape for the backward pass.
#pragma once

#include <tenon/core/per_row.hpp>
#include <tenon/network/parameter_layout.hpp>

namespace tenon::inline TENON_ISA {

// A type of values whose kernels need other scratch than layers say specialises this: scalars<B, Rows>() for a layer that is
// not a block.
template <class T>
struct ScratchOf;

// Scratch that a layer's forward pass needs while it runs (blocks: their branches' plans), in scalars.
template <class T, class B, std::size_t Rows>
constexpr std::size_t layer_workspace()
{
    if constexpr (!HasBranches<B> && requires { sizeof(ScratchOf<T>); })
        return ScratchOf<T>::template scalars<B, Rows>();
    else if constexpr (requires { B::rule::template workspace<T, Rows>; })
        return B::rule::template workspace<T, Rows>;
    else
        return 0;
}

// Layers that do not read 16 bits have their parameters widened there.
template <class S>
struct WidenedScratch {
    template <class B, std::size_t Rows>
    static constexpr std::size_t scalars()
    {
        using T = computed_t<S>;
        const std::size_t own = layer_workspace<T, B, Rows>();
        if constexpr (reads_stored<B>())
            return own;
        else
            return own + layer_storage<T, B>() + layer_storage<T, B, Role::statistics>();
    }
};
template <>
struct ScratchOf<Fp16> : WidenedScratch<Fp16> {};
template <>
struct ScratchOf<Bf16> : WidenedScratch<Bf16> {};

// Whether a layer's output may take its input's place: as it says itself, or, of values of this type, as ScratchOf says.
template <class T, class B>
constexpr bool works_in_place()
{
    if constexpr (requires { ScratchOf<T>::template in_place<B>; })
        return in_place<B>() || ScratchOf<T>::template in_place<B>;
    else
        return in_place<B>();
}

// The number of layers up to the last one that computes; views behind it only rename its output.
template <class C>
inline constexpr std::size_t computing_layers = [] {
    std::size_t last = 0;
    C::for_each([&]<std::size_t I>() {
        if (!is_view<typename C::template bound<I>>()) last = I + 1;
    });
    return last;
}();

namespace detail {

// Outside the template: g++ 12 takes the enumerators of a member for shadows of a user's globals.
enum class Place : unsigned char { input, output, arena };

}  // namespace detail

// Places of a chain's values at inference. A chain has one live value at a time besides the one being made, so outputs
// alternate between the two ends of one arena and a layer's scratch lies between: the arena is as large as the largest
// (input + output + scratch), which is the least that any plan can do. Layers that work in place need one value only, and
// those behind the last one that does not work there in the caller's output.
template <std::size_t N>
struct InferencePlan {
    using Place = detail::Place;

    Place place[N + 1];         // of the value that layer i makes
    std::size_t offset[N + 1];  // in the arena
    std::size_t scratch[N + 1];
    std::size_t size;
};

// Rows rows at a time; the chain's input and output are the caller's memory.
template <class T, class C, std::size_t Rows>
inline constexpr auto inference_plan = [] {
    using Plan = InferencePlan<C::count>;
    Plan plan{};
    std::size_t sizes[C::count + 1] = {}, scratch[C::count + 1] = {};
    bool view[C::count + 1] = {}, in_place_layer[C::count + 1] = {};
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        sizes[I] = detail::aligned<T>(Rows * B::output::size);
        scratch[I] = detail::aligned<T>(layer_workspace<T, B, Rows>());
        view[I] = is_view<B>();
        in_place_layer[I] = works_in_place<T, B>();
    });

    // The last layer that does not work in place (or the first one of all): from here on the caller's output is written.
    std::size_t tail = C::count;
    for (std::size_t i = C::count; i > 0; --i)
        if (!view[i - 1]) {
            tail = i - 1;
            if (!in_place_layer[i - 1]) break;
        }

    // First the size, then the places: the high end is counted from the size.
    for (int round = 0; round < 2; ++round) {
        typename Plan::Place held = Plan::Place::input;
        std::size_t held_size = 0, held_offset = 0;
        bool held_low = false;
        for (std::size_t i = 0; i < C::count; ++i) {
            const bool to_output = i >= tail;
            if (view[i]) {
                // The value stays where it is.
            } else if (to_output || (in_place_layer[i] && held == Plan::Place::arena)) {
                const std::size_t need = held_size + scratch[i];
                plan.size = plan.size < need ? need : plan.size;
                plan.scratch[i] = held_low ? held_size : 0;
                if (to_output) {
                    held = Plan::Place::output;
                    held_size = 0;
                    held_offset = 0;
                    held_low = false;
                }
            } else {
                const std::size_t need = held_size + scratch[i] + sizes[i];
                plan.size = plan.size < need ? need : plan.size;
                const bool low = held != Plan::Place::arena || !held_low;
                // Scratch lies behind the low value.
                plan.scratch[i] = low ? sizes[i] : held_size;
                held_offset = low ? 0 : plan.size - sizes[i];
                held = Plan::Place::arena;
                held_size = sizes[i];
                held_low = low;
            }
            plan.place[i] = held;
            plan.offset[i] = held_offset;
        }
    }
    return plan;
}();

// Scalars of that arena.
template <class T, class C, std::size_t Rows>
constexpr std::size_t chain_workspace()
{
    return inference_plan<T, C, Rows>.size;
}

// What a layer keeps from its forward pass besides input and output.
template <class B>
constexpr PerRow layer_tape()
{
    if constexpr (requires { B::rule::tape; })
        return PerRow{} + [] {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(B::rule::tape)>, PerRow>)
                return B::rule::tape;
            else
                return PerRow{B::rule::tape, 0};
        }();
    else
        return {};
}

// Scratch of a layer's training passes.
template <class B>
constexpr PerRow layer_training_workspace()
{
    if constexpr (requires { B::rule::training_workspace; })
        return B::rule::training_workspace;
    else
        return {};
}

// Places of a chain's values in training: each layer's output, then what it keeps. The chain's own input and output are
// its owner's memory.
template <class C>
struct TrainingPlan {
    PerRow output[C::count + 1] = {};
    PerRow kept[C::count + 1] = {};
    PerRow tape{};           // all of the above
    std::size_t widest = 0;  // of the gradients between two layers, scalars per row
    PerRow scratch{};        // the largest scratch of one layer
};

// The plan of a chain.
template <class C>
inline constexpr auto training_plan = [] {
    TrainingPlan<C> plan{};
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        plan.output[I] = plan.tape;
        if (!is_view<B>() && I + 1 != computing_layers<C>) {
            plan.tape = plan.tape + PerRow{B::output::size, 0};
            if (B::output::size > plan.widest) plan.widest = B::output::size;
        }
        plan.kept[I] = plan.tape;
        plan.tape = plan.tape + layer_tape<B>();
        plan.scratch = max(plan.scratch, layer_training_workspace<B>());
    });
    return plan;
}();

// Scratch of a chain's backward pass: two gradients in turn and the largest layer scratch.
template <class C>
constexpr PerRow chain_training_workspace()
{
    return PerRow{2 * training_plan<C>.widest, 0} + training_plan<C>.scratch;
}

// What a chain keeps of a batch for its backward pass.
template <class C>
constexpr PerRow chain_tape()
{
    return training_plan<C>.tape;
}

}  // namespace tenon
