// SPDX-License-Identifier: BSL-1.0
// Runs an optimiser's step over flat blocks of parameters, or inside the weight gradient's kernel, tile by tile, so that
// the gradient itself is never stored.
#pragma once

#include <tenon/optimizers/step.hpp>
#include <tenon/simd/pack.hpp>

#include <utility>

namespace tenon::inline TENON_ISA {

// The constants of the t-th step. A user's optimiser may give them without naming a type.
template <class T, class Optimizer>
constexpr auto optimizer_step(const Optimizer& optimizer, std::uint64_t t, double factor = 1)
{
    if constexpr (requires { optimizer.template step<T>(t, factor); })
        return optimizer.template step<T>(t, factor);
    else
        return optimizer.step(t, factor);
}

// Whether an optimiser asks for whole slots: its step is not elementwise (optimizers/lamb.hpp).
template <class Optimizer>
constexpr bool needs_whole_slots()
{
    if constexpr (requires { Optimizer::whole_slots; })
        return Optimizer::whole_slots;
    else
        return false;
}

// Blocks of one parameter slot, or of all of them, each `moments` scalars apart from nothing: w, and each moment.
template <class T, std::size_t Moments>
struct UpdateBlocks {
    T* weights;
    T* moments[Moments == 0 ? 1 : Moments];

    // The same blocks from a later scalar on.
    constexpr UpdateBlocks from(std::size_t offset) const
    {
        UpdateBlocks later{weights + offset, {}};
        for (std::size_t i = 0; i < Moments; ++i) later.moments[i] = moments[i] + offset;
        return later;
    }
};

namespace detail {

template <class Step>
TENON_ALWAYS_INLINE bool step_uses(const Step& step, std::size_t moment)
{
    if constexpr (requires { step.uses(moment); })
        return step.uses(moment);
    else
        return true;
}

template <std::size_t Moments, class Step, class T, class V, class Load, class Store>
TENON_ALWAYS_INLINE void update_pack(const Step& step, const UpdateBlocks<T, Moments>& blocks, std::size_t offset, V g,
                                     Load load, Store store)
{
    V m[Moments == 0 ? 1 : Moments];
    for (std::size_t i = 0; i < Moments; ++i) m[i] = step_uses(step, i) ? load(blocks.moments[i] + offset) : V(T(0));
    V w = load(blocks.weights + offset);
    step.update(w, g, m);
    for (std::size_t i = 0; i < Moments; ++i)
        if (step_uses(step, i)) store(m[i], blocks.moments[i] + offset);
    store(w, blocks.weights + offset);
}

}  // namespace detail

// w, moments: `count` scalars each; g: their gradients. Elementwise, so any split into ranges gives the same bits.
template <std::size_t Moments, class Step, class T>
void apply_update(const Step& step, std::size_t count, const UpdateBlocks<T, Moments>& blocks, const T* g)
{
    using V = simd::Pack<T, simd::width<T>>;
    std::size_t i = 0;
    for (; i + V::size <= count; i += V::size)
        detail::update_pack<Moments>(
            step, blocks, i, V::load(g + i), [](const T* p) TENON_LAMBDA_INLINE { return V::load(p); },
            [](V v, T* p) TENON_LAMBDA_INLINE { v.store(p); });
    const std::size_t rest = count - i;
    if (rest != 0)
        detail::update_pack<Moments>(
            step, blocks, i, V::load_partial(g + i, rest),
            [rest](const T* p) TENON_LAMBDA_INLINE { return V::load_partial(p, rest); },
            [rest](V v, T* p) TENON_LAMBDA_INLINE { v.store_partial(p, rest); });
}

// A sink for kernels::dense_weight_gradient: takes each finished pack of the gradient once and updates the weights and
// moments at the same offset of their blocks (slot-relative, in the kernel's layout).
template <class Step, class T, std::size_t Moments>
struct FusedUpdate {
    Step step;
    UpdateBlocks<T, Moments> blocks;

    template <class V>
    TENON_ALWAYS_INLINE void put(std::size_t offset, V g) const
    {
        detail::update_pack<Moments>(
            step, blocks, offset, g, [](const T* p) TENON_LAMBDA_INLINE { return V::load(p); },
            [](V v, T* p) TENON_LAMBDA_INLINE { v.store(p); });
    }

    // Asks for the lines that put(offset, …) will need.
    TENON_ALWAYS_INLINE void prefetch(std::size_t offset) const
    {
        simd::prefetch(blocks.weights + offset);
        for (std::size_t i = 0; i < Moments; ++i) simd::prefetch(blocks.moments[i] + offset);
    }
};

template <class Step, class T, std::size_t Moments>
FusedUpdate(Step, UpdateBlocks<T, Moments>) -> FusedUpdate<Step, T, Moments>;

}  // namespace tenon
