// SPDX-License-Identifier: BSL-1.0
// What optimisers have in common: how an optimiser is written, the two conventions for epsilon, and powers for bias
// corrections.
//
// An optimiser is a struct with public options and
//     static constexpr std::size_t moments;                  how many state values it keeps for each weight
//     template <class T> auto step(std::uint64_t t, double factor) const;
// step gives the constants of the t-th update (t counts from 1) with its learning rate multiplied by `factor` (a
// schedule's value, or 1), as a struct in T's precision with
//     template <class V> void update(V& w, V g, V* m) const;
// which moves the weights w against their gradients g, elementwise over a pack V of T, and keeps the moments in m[0] to
// m[moments - 1], all zero before the first step. Three zeros (w, g, m) must stay zero: the padding of the kernels'
// layouts passes through as well. A step may have `bool uses(std::size_t i) const`: where it gives false for a moment,
// that block is neither read nor written. An optimiser may name its options for logs: options(visit) calls
// visit("learning_rate", learning_rate) and so on. A user's own optimiser is such a struct. Products that are added are
// written as fma: left to themselves, compilers contract them at one call and not at another, and the same step gives other
// bits.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>
#include <cstdint>

namespace tenon::inline TENON_ISA {

// The small number that keeps a denominator from zero, with the place where it is added. Keras and PyTorch differ in
// both, so that equal values are not equal optimisers:
//              Adam, AdamW                                                     RMSProp
//   keras      sqrt(v) + epsilon: Kingma & Ba's "epsilon hat" (the formula     sqrt(v + epsilon)
//              before their section 2.1), not bias-corrected
//   pytorch    sqrt(v / (1 - beta_2^t)) + epsilon: their Algorithm 1           sqrt(v) + epsilon
// A plain number means Keras's place: Adam{.epsilon = 1e-5}.
struct Epsilon {
    enum class Convention : std::uint8_t { keras, pytorch };

    double value;
    Convention convention;

    constexpr Epsilon(double number, Convention place = Convention::keras) : value{number}, convention{place} {}
};

// The defaults of the two, number and place.
inline constexpr Epsilon keras_epsilon{1e-7, Epsilon::Convention::keras};
inline constexpr Epsilon pytorch_epsilon{1e-8, Epsilon::Convention::pytorch};

namespace detail {

// base^exponent by squaring: the same bits on every platform, which std::pow does not promise.
// Relative error below exponent · 2^-53.
constexpr double power(double base, std::uint64_t exponent)
{
    double result = 1;
    for (; exponent != 0; exponent >>= 1) {
        if ((exponent & 1) != 0) result *= base;
        base *= base;
    }
    return result;
}

// Running averages end here when their gradients have become zero (a dead unit, a black pixel): x is rounded to a
// multiple of 6e-30 (float) or 1e-206 (double), which only values below 1e-22 (1e-190) notice. Unrounded they decay to a
// denormal number and stay there, since 0.9 of the smallest one rounds to itself, and arithmetic on denormals is slow:
// an Adam pass with such moments took 60 to 93 us instead of 32 (AVX2, 102,544 floats). The rounding costs 0.3 us.
template <class V>
TENON_ALWAYS_INLINE constexpr V settle(V x)
{
    using T = typename V::value_type;
    const V large = sizeof(T) == sizeof(float) ? T(1e-22f) : static_cast<T>(1e-190);
    return (x + large) - large;
}

// The same for averages of squares: multiples of 6e-37 (1e-306).
template <class V>
TENON_ALWAYS_INLINE constexpr V settle_square(V x)
{
    using T = typename V::value_type;
    const V large = sizeof(T) == sizeof(float) ? T(1e-29f) : static_cast<T>(1e-290);
    return (x + large) - large;
}

// A divisor's epsilon in T, at least the resolution that is left to a root mean square: for an epsilon of 0 too, padding
// gives 0 / guard = 0 and vanishing gradients give steps of the order of the learning rate.
template <class T>
constexpr T guard(double epsilon)
{
    constexpr T tiny = sizeof(T) == sizeof(float) ? T(1e-18f) : static_cast<T>(1e-153);
    return epsilon > static_cast<double>(tiny) ? static_cast<T>(epsilon) : tiny;
}

}  // namespace detail

}  // namespace tenon
