// SPDX-License-Identifier: BSL-1.0
// NAdam: Adam with Nesterov's momentum.
#pragma once

#include <tenon/optimizers/step.hpp>

namespace tenon::inline TENON_ISA {

// The constants of one step.
template <class T>
struct NAdamStep {
    T gain_1, gain_2, of_gradient, of_mean, guard;

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        m[0] = detail::settle(fma(V(gain_1), g - m[0], m[0]));
        m[1] = fma(V(gain_2), fma(g, g, -m[1]), m[1]);
        w = w - fma(V(of_gradient), g, V(of_mean) * m[0]) / (sqrt(m[1]) + V(guard));
    }
};

namespace detail {

// 0.96^exponent by the series of exp in plain arithmetic, the same bits everywhere; error below 1e-15 up to an exponent of 20.
constexpr double power_of_096(double exponent)
{
    const double x = -0.040821994520255166 * exponent;
    double term = 1, sum = 1;
    for (int n = 1; n <= 24; ++n) {
        term *= x / n;
        sum += term;
    }
    return sum;
}

}  // namespace detail

// NAdam (Dozat 2016), with mu_t = beta_1 (1 - 0.5 · 0.96^(t · momentum_decay)) and M_t = mu_1 · … · mu_t:
//   m ← beta_1 m + (1 - beta_1) g;   v ← beta_2 v + (1 - beta_2) g²
//   n = mu_{t+1} m / (1 - M_{t+1}) + (1 - mu_t) g / (1 - M_t);   w ← w - learning_rate · n / (sqrt(v / (1 - beta_2^t)) + epsilon)
// Both Keras and PyTorch add epsilon there. They differ in momentum_decay, 1 for Keras (whose defaults these are) and 0.004
// for PyTorch (learning_rate 0.002, epsilon 1e-8).
struct NAdam {
    double learning_rate = 1e-3;
    double beta_1 = 0.9;
    double beta_2 = 0.999;
    double epsilon = 1e-7;
    double momentum_decay = 1;

    static constexpr std::size_t moments = 2;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("beta_1", beta_1);
        visit("beta_2", beta_2);
        visit("epsilon", epsilon);
        visit("momentum_decay", momentum_decay);
    }

    template <class T>
    constexpr NAdamStep<T> step(std::uint64_t t, double factor = 1) const
    {
        // M_t needs its first factors only: past 1e-20 it is nothing beside 1.
        const double base = detail::power_of_096(momentum_decay);
        double product = 1, decayed = 1, mu = 0, next = 0;
        for (std::uint64_t i = 1; i <= t; ++i) {
            decayed *= base;
            mu = beta_1 * (1 - 0.5 * decayed);
            product *= mu;
            if (product < 1e-20) break;
        }
        decayed = product < 1e-20 ? detail::power(base, t) : decayed;
        mu = beta_1 * (1 - 0.5 * decayed);
        next = beta_1 * (1 - 0.5 * decayed * base);
        const double root = __builtin_sqrt(1 - detail::power(beta_2, t)), rate = learning_rate * factor * root;
        return {static_cast<T>(1 - beta_1), static_cast<T>(1 - beta_2), static_cast<T>(rate * (1 - mu) / (1 - product)),
                static_cast<T>(rate * next / (1 - product * next)), detail::guard<T>(epsilon * root)};
    }
};

}  // namespace tenon
