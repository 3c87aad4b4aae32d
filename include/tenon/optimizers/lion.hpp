// SPDX-License-Identifier: BSL-1.0
// Lion: steps of one length, in the direction of the sign of a running average.
#pragma once

#include <tenon/optimizers/step.hpp>

namespace tenon::inline TENON_ISA {

// The constants of one step.
template <class T>
struct LionStep {
    T gain_1, gain_2, rate, keep;

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        const V zero = T(0), mixed = fma(V(gain_1), g - m[0], m[0]);
        const V change = select(mixed == zero, zero, copy_sign(V(rate), mixed));
        w = fma(V(keep), w, -change);
        m[0] = detail::settle(fma(V(gain_2), g - m[0], m[0]));
    }
};

// Lion (Chen et al. 2023, Algorithm 2):
//   c = beta_1 m + (1 - beta_1) g;   w ← w - learning_rate (sign(c) + weight_decay · w);   m ← beta_2 m + (1 - beta_2) g
// with sign(0) = 0. Rates are three to ten times smaller, decays as much larger than Adam's (their section 5).
struct Lion {
    double learning_rate = 1e-4;
    double weight_decay = 0;
    double beta_1 = 0.9;
    double beta_2 = 0.99;

    static constexpr std::size_t moments = 1;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("weight_decay", weight_decay);
        visit("beta_1", beta_1);
        visit("beta_2", beta_2);
    }

    template <class T>
    constexpr LionStep<T> step(std::uint64_t /*t*/, double factor = 1) const
    {
        const double rate = learning_rate * factor;
        return {static_cast<T>(1 - beta_1), static_cast<T>(1 - beta_2), static_cast<T>(rate),
                static_cast<T>(1 - rate * weight_decay)};
    }
};

}  // namespace tenon
