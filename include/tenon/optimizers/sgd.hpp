// SPDX-License-Identifier: BSL-1.0
// SGD: stochastic gradient descent, with momentum, Nesterov's momentum and L2 decay.
#pragma once

#include <tenon/optimizers/step.hpp>

namespace tenon::inline TENON_ISA {

// The constants of one step.
template <class T>
struct SGDStep {
    T rate, momentum, decay;
    bool nesterov;

    bool uses(std::size_t) const { return momentum != T(0); }

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        g = fma(V(decay), w, g);
        if (momentum == T(0)) {
            w = fma(V(-rate), g, w);
            return;
        }
        const V u = V(momentum), change = V(rate) * g;
        m[0] = detail::settle(fma(u, m[0], change));
        w = w - (nesterov ? fma(u, m[0], change) : m[0]);
    }
};

// With gradient g' = g + weight_decay · w (an L2 penalty of weight_decay / 2 · |w|², as PyTorch's):
//   momentum 0    w ← w - learning_rate · g'
//   otherwise     m ← momentum · m + learning_rate · g'   (Polyak 1964);   w ← w - m
//   nesterov      w ← w - (momentum · m + learning_rate · g') with the new m   (Sutskever et al. 2013, section 2)
// The rate enters the velocity, as in Keras. PyTorch multiplies when the velocity is applied: the same while the rate is
// constant, and after a change of it the velocity here still carries the old one (Goyal et al. 2017, section 3).
struct SGD {
    double learning_rate = 0.01;
    double momentum = 0;
    bool nesterov = false;
    double weight_decay = 0;

    static constexpr std::size_t moments = 1;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("momentum", momentum);
        visit("nesterov", nesterov ? 1.0 : 0.0);
        visit("weight_decay", weight_decay);
    }

    template <class T>
    constexpr SGDStep<T> step(std::uint64_t /*t*/, double factor = 1) const
    {
        return {static_cast<T>(learning_rate * factor), static_cast<T>(momentum), static_cast<T>(weight_decay),
                nesterov};
    }
};

}  // namespace tenon
