// SPDX-License-Identifier: BSL-1.0
// The gradient policy of a training step: each weight is moved as soon as its gradient is made, inside the kernel's tile
// where the layer allows it, so that most gradients are never stored.
#pragma once

#include <tenon/optimizers/apply.hpp>
#include <tenon/passes/gradients.hpp>

namespace tenon::inline TENON_ISA {

// The policy: StoreGradients (passes/gradients.hpp) with an optimiser in the place of the store.
template <class T, class Step, std::size_t Moments>
struct UpdateGradients {
    using scalar = T;

    T* block;  // where layers put gradients that they add up
    UpdateBlocks<T, Moments> blocks;
    Step step;

    UpdateGradients at(std::size_t offset) const { return {block + offset, blocks.from(offset), step}; }
    FusedUpdate<Step, T, Moments> sink(std::size_t offset) const { return {step, blocks.from(offset)}; }

    template <class B>
    void begin() const
    {
        if constexpr (!HasBranches<B> && !writes_gradients_once<B>())
            for (std::size_t i = 0; i < layer_storage<T, B>(); ++i) block[i] = T{0};
    }
    // Layers that add their gradients up are updated when they have finished.
    template <class B>
    void end() const
    {
        if constexpr (!HasBranches<B> && !writes_gradients_once<B>() && layer_storage<T, B>() > 0)
            apply_update(step, layer_storage<T, B>(), blocks, static_cast<const T*>(block));
    }
};

}  // namespace tenon
