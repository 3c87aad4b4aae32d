// SPDX-License-Identifier: BSL-1.0
// RMSProp: steps divided by the running root mean square of the gradient.
#pragma once

#include <tenon/optimizers/step.hpp>

namespace tenon::inline TENON_ISA {

// The constants of one step.
template <class T>
struct RMSPropStep {
    T gain, rate, momentum, inside, outside;
    bool centered;

    bool uses(std::size_t i) const { return i == 0 || (i == 1 ? momentum != T(0) : centered); }

    // m[0]: mean square; m[1]: velocity; m[2]: mean gradient.
    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        m[0] = detail::settle_square(fma(V(gain), fma(g, g, -m[0]), m[0]));
        V square = m[0];
        if (centered) {
            m[2] = detail::settle(fma(V(gain), g - m[2], m[2]));
            // A variance; rounding can take it below zero.
            square = max(fma(-m[2], m[2], square), V(T(0)));
        }
        V change = V(rate) * g / (sqrt(square + V(inside)) + V(outside));
        if (momentum != T(0)) {
            m[1] = detail::settle(fma(V(momentum), m[1], change));
            change = m[1];
        }
        w = w - change;
    }
};

// RMSProp (Tieleman & Hinton 2012, lecture 6.5), with Graves's 2013 options (arXiv 1308.0850, section 4.2):
//   v ← rho v + (1 - rho) g²;   centered: a ← rho a + (1 - rho) g, and v - a² stands for v below
//   change = learning_rate · g / sqrt(v + epsilon);   momentum: m ← momentum m + change, and change = m
//   w ← w - change
// That is Keras's form. With pytorch_epsilon the divisor is sqrt(v) + epsilon, PyTorch's (whose default rho, "alpha", is
// 0.99). The rate enters the velocity as in Keras: see SGD.
struct RMSProp {
    double learning_rate = 1e-3;
    double rho = 0.9;
    double momentum = 0;
    Epsilon epsilon = keras_epsilon;
    bool centered = false;

    static constexpr std::size_t moments = 3;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("rho", rho);
        visit("momentum", momentum);
        visit("epsilon", epsilon.value);
        visit("centered", centered ? 1.0 : 0.0);
    }

    template <class T>
    constexpr RMSPropStep<T> step(std::uint64_t /*t*/, double factor = 1) const
    {
        const bool after_root = epsilon.convention == Epsilon::Convention::pytorch;
        return {static_cast<T>(1 - rho),
                static_cast<T>(learning_rate * factor),
                static_cast<T>(momentum),
                after_root ? T(0) : detail::guard<T>(epsilon.value),
                after_root ? detail::guard<T>(epsilon.value) : T(0),
                centered};
    }
};

}  // namespace tenon
