// SPDX-License-Identifier: BSL-1.0
// LAMB: Adam for large batches, each slot's step as long as its weights ask for.
//
// An optimiser that needs whole slots (a kernel, a bias) says `static constexpr bool whole_slots = true`, and its step has,
// instead of update,
//     template <class V> V direction(V w, V g, V* m) const;            moves the moments; w stays
//     T ratio(double weights, double directions) const;                from the two Euclidean norms of the slot
//     template <class V> void move(V& w, V direction, T ratio, V* m) const;
// A Trainer stores all gradients for it, and the directions in their place.
#pragma once

#include <tenon/optimizers/step.hpp>

namespace tenon::inline TENON_ISA {

// The constants of one step.
template <class T>
struct LAMBStep {
    T gain_1, gain_2, adam_rate, guard, decay, rate;

    template <class V>
    TENON_ALWAYS_INLINE V direction(V w, V g, V* m) const
    {
        m[0] = detail::settle(fma(V(gain_1), g - m[0], m[0]));
        m[1] = fma(V(gain_2), fma(g, g, -m[1]), m[1]);
        return fma(V(decay), w, V(adam_rate) * m[0] / (sqrt(m[1]) + V(guard)));
    }
    T ratio(double weights, double directions) const
    {
        return weights > 0 && directions > 0 ? static_cast<T>(weights / directions) : T(1);
    }
    template <class V>
    TENON_ALWAYS_INLINE void move(V& w, V direction, T ratio, V*) const
    {
        w = fma(V(-rate * ratio), direction, w);
    }
};

// LAMB (You et al. 2020, Algorithm 2), for each slot by itself:
//   m ← beta_1 m + (1 - beta_1) g;   v ← beta_2 v + (1 - beta_2) g²
//   u = (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + epsilon) + weight_decay · w
//   w ← w - learning_rate · |w| / |u| · u,   where the ratio is 1 if one of the norms is 0
struct LAMB {
    double learning_rate = 1e-3;
    double weight_decay = 0.01;
    double beta_1 = 0.9;
    double beta_2 = 0.999;
    double epsilon = 1e-6;

    static constexpr std::size_t moments = 2;
    static constexpr bool whole_slots = true;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("weight_decay", weight_decay);
        visit("beta_1", beta_1);
        visit("beta_2", beta_2);
        visit("epsilon", epsilon);
    }

    template <class T>
    constexpr LAMBStep<T> step(std::uint64_t t, double factor = 1) const
    {
        const double root = __builtin_sqrt(1 - detail::power(beta_2, t));
        return {static_cast<T>(1 - beta_1),
                static_cast<T>(1 - beta_2),
                static_cast<T>(root / (1 - detail::power(beta_1, t))),
                detail::guard<T>(epsilon * root),
                static_cast<T>(weight_decay),
                static_cast<T>(learning_rate * factor)};
    }
};

}  // namespace tenon
