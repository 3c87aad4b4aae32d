// SPDX-License-Identifier: BSL-1.0
// An optimiser that leaves pruned weights where they are: at zero.
#pragma once

#include <tenon/core/pruned.hpp>
#include <tenon/optimizers/clip_value.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// is_pruned of each lane. A pack has no bits to compare: 1 with the sign of a zero, 1 for everything else.
template <class V>
TENON_ALWAYS_INLINE auto pruned_lanes(V w)
{
    using T = typename V::value_type;
    const V zero = T(0), one = T(1);
    return select(w == zero, copy_sign(one, w), one) == V(T(-1));
}

}  // namespace detail

// The step inside with a gradient of 0 for pruned weights, which then keep their value whatever momentum and decay say.
template <class T, class Inner>
struct PrunedStep {
    Inner inner;

    bool uses(std::size_t moment) const { return detail::step_uses(inner, moment); }

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        const auto pruned = detail::pruned_lanes(w);
        const V before = w;
        inner.update(w, select(pruned, V(T(0)), g), m);
        w = select(pruned, before, w);
    }
    // Steps by whole slots (optimizers/lamb.hpp): a pruned weight has no part in the norm of the directions.
    template <class V>
    TENON_ALWAYS_INLINE V direction(V w, V g, V* m) const
    {
        const auto pruned = detail::pruned_lanes(w);
        const V zero = T(0);
        return select(pruned, zero, inner.direction(w, select(pruned, zero, g), m));
    }
    T ratio(double weights, double directions) const { return inner.ratio(weights, directions); }
    template <class V>
    TENON_ALWAYS_INLINE void move(V& w, V direction, T ratio, V* m) const
    {
        const auto pruned = detail::pruned_lanes(w);
        const V before = w;
        inner.move(w, direction, ratio, m);
        w = select(pruned, before, w);
    }
};

// `Optimizer` for a network some of whose weights are pruned.
template <class Optimizer>
struct PrunedOptimizer {
    Optimizer inner;

    static constexpr std::size_t moments = Optimizer::moments;
    static constexpr bool whole_slots = needs_whole_slots<Optimizer>();

    template <class T>
    constexpr auto step(std::uint64_t t, double factor = 1) const
    {
        return PrunedStep<T, detail::step_of<Optimizer, T>>{optimizer_step<T>(inner, t, factor)};
    }
};

}  // namespace tenon
