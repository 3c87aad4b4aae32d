// SPDX-License-Identifier: BSL-1.0
// The gradient policy of a step that must see all gradients before it moves a weight: they are summed up in a block of
// their own, over one batch or several. Layers below the first one that learns are left out.
#pragma once

#include <tenon/passes/gradients.hpp>
#include <tenon/training/exchange.hpp>

namespace tenon::inline TENON_ISA {

// total = gradient for the first batch, total += gradient for those that follow.
template <class T>
struct GatherSink {
    T* total;
    bool add;

    template <class V>
    TENON_ALWAYS_INLINE void put(std::size_t offset, V g) const
    {
        (add ? V::load(total + offset) + g : g).store(total + offset);
    }
    TENON_ALWAYS_INLINE void prefetch(std::size_t offset) const { simd::prefetch(total + offset); }
};

// The policy: StoreGradients (passes/gradients.hpp) that can add to what is there.
template <class T>
struct GatherGradients {
    using scalar = T;

    T* block;  // where layers put gradients that they add up, and partial sums
    T* total;
    const T* first;  // in `total`: where the first slot that learns begins
    bool add;
    GradientsReady ready{};

    GatherGradients at(std::size_t offset) const { return {block + offset, total + offset, first, add, ready}; }
    bool trains_below() const { return total > first; }
    GatherSink<T> sink(std::size_t offset) const { return {total + offset, add}; }

    template <class B>
    static constexpr bool adds_up = !HasBranches<B> && !writes_gradients_once<B>() && (layer_storage<T, B>() > 0);

    template <class B>
    void begin() const
    {
        if constexpr (adds_up<B>)
            for (std::size_t i = 0; i < layer_storage<T, B>(); ++i) block[i] = T{0};
    }
    template <class B>
    void end() const
    {
        if constexpr (adds_up<B>)
            for (std::size_t i = 0; i < layer_storage<T, B>(); ++i) total[i] = add ? total[i] + block[i] : block[i];
        if constexpr (!HasBranches<B> && layer_storage<T, B>() > 0)
            if (ready.tell != nullptr) ready.tell(ready.exchange, total, layer_storage<T, B>());
    }
};

}  // namespace tenon
