// SPDX-License-Identifier: BSL-1.0
// An optimiser whose gradients are cut to an interval.
#pragma once

#include <tenon/optimizers/apply.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// Steps around another step: its moments come first.
template <class Optimizer, class T>
using step_of = decltype(optimizer_step<T>(std::declval<const Optimizer&>(), std::uint64_t{1}, 1.0));

}  // namespace detail

// g ← min(max(g, -limit), limit), then the step inside.
template <class T, class Inner>
struct ClippedStep {
    Inner inner;
    T limit;

    bool uses(std::size_t moment) const { return detail::step_uses(inner, moment); }

    template <class V>
    TENON_ALWAYS_INLINE V clipped(V g) const
    {
        return min(max(g, V(-limit)), V(limit));
    }
    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        inner.update(w, clipped(g), m);
    }
    // Steps by whole slots (optimizers/lamb.hpp).
    template <class V>
    TENON_ALWAYS_INLINE V direction(V w, V g, V* m) const
    {
        return inner.direction(w, clipped(g), m);
    }
    T ratio(double weights, double directions) const { return inner.ratio(weights, directions); }
    template <class V>
    TENON_ALWAYS_INLINE void move(V& w, V direction, T ratio, V* m) const
    {
        inner.move(w, direction, ratio, m);
    }
};

// `Optimizer` with each gradient cut to [-limit, limit].
template <class Optimizer>
struct ClippedOptimizer {
    Optimizer inner;
    double limit;

    static constexpr std::size_t moments = Optimizer::moments;
    static constexpr bool whole_slots = needs_whole_slots<Optimizer>();

    template <class T>
    constexpr auto step(std::uint64_t t, double factor = 1) const
    {
        return ClippedStep<T, detail::step_of<Optimizer, T>>{optimizer_step<T>(inner, t, factor),
                                                             static_cast<T>(limit)};
    }
};

}  // namespace tenon
