// SPDX-License-Identifier: BSL-1.0
// Adam and AdamW: steps scaled by running estimates of the gradient's first two moments.
#pragma once

#include <tenon/optimizers/step.hpp>

namespace tenon::inline TENON_ISA {

// m ← m + gain_1 (g - m);  v ← v + gain_2 (g² - v);  w ← keep · w - rate · m / (sqrt(v) + guard).
// Averages move by the difference, as Keras computes them: beta and 1 - beta, each rounded to float, do not sum to 1.
// Exact root and division: of a step of 784-128-10 on 32 rows (150 us) Adam takes 25 us, and root and division 10 of them.
// A reciprocal estimate with a Newton step saves 6 us with AVX-512 and 2 with AVX2, and its bits differ between makers of
// processors; estimating the root as well gains nothing.
template <class T, bool Decays>
struct AdamStep {
    T gain_1, gain_2, rate, guard, keep;

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        m[0] = detail::settle(fma(V(gain_1), g - m[0], m[0]));
        m[1] = fma(V(gain_2), fma(g, g, -m[1]), m[1]);
        const V change = V(rate) * m[0] / (sqrt(m[1]) + V(guard));
        if constexpr (Decays)
            w = fma(V(keep), w, -change);
        else
            w = w - change;
    }
};

namespace detail {

// Both conventions of epsilon are one update with other constants: with c_i = 1 - beta_i^t,
//   (m / c_1) / (sqrt(v / c_2) + e) = (sqrt(c_2) / c_1) · m / (sqrt(v) + sqrt(c_2) · e).
template <class T, bool Decays>
constexpr AdamStep<T, Decays> adam_step(double rate, double beta_1, double beta_2, Epsilon epsilon, double weight_decay,
                                        std::uint64_t t)
{
    const double root = __builtin_sqrt(1 - power(beta_2, t));
    const double guarded = epsilon.convention == Epsilon::Convention::pytorch ? epsilon.value * root : epsilon.value;
    return {static_cast<T>(1 - beta_1), static_cast<T>(1 - beta_2),
            static_cast<T>(rate * root / (1 - power(beta_1, t))), guard<T>(guarded),
            static_cast<T>(1 - rate * weight_decay)};
}

}  // namespace detail

// Adam (Kingma & Ba 2015, Algorithm 1):
//   m ← beta_1 m + (1 - beta_1) g;   v ← beta_2 v + (1 - beta_2) g²
//   w ← w - learning_rate · sqrt(1 - beta_2^t) / (1 - beta_1^t) · m / (sqrt(v) + epsilon)
// Epsilon's default and place are Keras's; .epsilon = pytorch_epsilon gives PyTorch's update.
struct Adam {
    double learning_rate = 1e-3;
    double beta_1 = 0.9;
    double beta_2 = 0.999;
    Epsilon epsilon = keras_epsilon;

    static constexpr std::size_t moments = 2;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("beta_1", beta_1);
        visit("beta_2", beta_2);
        visit("epsilon", epsilon.value);
    }

    template <class T>
    constexpr AdamStep<T, false> step(std::uint64_t t, double factor = 1) const
    {
        return detail::adam_step<T, false>(learning_rate * factor, beta_1, beta_2, epsilon, 0, t);
    }
};

// AdamW (Loshchilov & Hutter 2019): Adam, and apart from its moments w ← w - learning_rate · weight_decay · w before
// each step, as both Keras (whose default of weight_decay this is) and PyTorch (0.01) do. Every slot decays, biases too.
struct AdamW {
    double learning_rate = 1e-3;
    double weight_decay = 0.004;
    double beta_1 = 0.9;
    double beta_2 = 0.999;
    Epsilon epsilon = keras_epsilon;

    static constexpr std::size_t moments = 2;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("weight_decay", weight_decay);
        visit("beta_1", beta_1);
        visit("beta_2", beta_2);
        visit("epsilon", epsilon.value);
    }

    template <class T>
    constexpr AdamStep<T, true> step(std::uint64_t t, double factor = 1) const
    {
        return detail::adam_step<T, true>(learning_rate * factor, beta_1, beta_2, epsilon, weight_decay, t);
    }
};

}  // namespace tenon
