// SPDX-License-Identifier: BSL-1.0
// Adagrad and Adadelta: steps divided by the root of all squared gradients so far, or of their running average.
#pragma once

#include <tenon/optimizers/step.hpp>

namespace tenon::inline TENON_ISA {

// m[0]: the sum of squares, without its first value.
template <class T>
struct AdagradStep {
    T rate, inside, outside;

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        m[0] = fma(g, g, m[0]);
        w = w - V(rate) * g / (sqrt(m[0] + V(inside)) + V(outside));
    }
};

// Adagrad (Duchi, Hazan & Singer 2011), v_0 = initial_accumulator:
//   v ← v + g²;   w ← w - learning_rate · g / sqrt(v + epsilon)
// Defaults and the place of epsilon are Keras's. With pytorch_epsilon the divisor is sqrt(v) + epsilon (PyTorch's defaults:
// learning_rate 0.01, initial_accumulator 0, epsilon 1e-10).
struct Adagrad {
    double learning_rate = 1e-3;
    double initial_accumulator = 0.1;
    Epsilon epsilon = keras_epsilon;

    static constexpr std::size_t moments = 1;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("initial_accumulator", initial_accumulator);
        visit("epsilon", epsilon.value);
    }

    template <class T>
    constexpr AdagradStep<T> step(std::uint64_t /*t*/, double factor = 1) const
    {
        const bool after_root = epsilon.convention == Epsilon::Convention::pytorch;
        return {
            static_cast<T>(learning_rate * factor),
            after_root ? static_cast<T>(initial_accumulator) : detail::guard<T>(initial_accumulator + epsilon.value),
            after_root ? detail::guard<T>(epsilon.value) : T(0)};
    }
};

// m[0]: mean square of the gradients; m[1]: of the changes.
template <class T>
struct AdadeltaStep {
    T gain, rate, inside;

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        m[0] = detail::settle_square(fma(V(gain), fma(g, g, -m[0]), m[0]));
        const V change = sqrt(m[1] + V(inside)) / sqrt(m[0] + V(inside)) * g;
        m[1] = detail::settle_square(fma(V(gain), fma(change, change, -m[1]), m[1]));
        w = fma(V(-rate), change, w);
    }
};

// Adadelta (Zeiler 2012, Algorithm 1):
//   v ← rho v + (1 - rho) g²;   d = sqrt(u + epsilon) / sqrt(v + epsilon) · g;   u ← rho u + (1 - rho) d²
//   w ← w - learning_rate · d
// Keras and PyTorch agree on the update; the defaults are Keras's (PyTorch's: 1.0, 0.9, 1e-6).
struct Adadelta {
    double learning_rate = 1e-3;
    double rho = 0.95;
    double epsilon = 1e-7;

    static constexpr std::size_t moments = 2;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("rho", rho);
        visit("epsilon", epsilon);
    }

    template <class T>
    constexpr AdadeltaStep<T> step(std::uint64_t /*t*/, double factor = 1) const
    {
        return {static_cast<T>(1 - rho), static_cast<T>(learning_rate * factor), detail::guard<T>(epsilon)};
    }
};

}  // namespace tenon
