// SPDX-License-Identifier: BSL-1.0
// Initialisers as values: what a parameter slot is filled with before training. Names and defaults as in Keras.
#pragma once

#include <tenon/config.hpp>

namespace tenon::inline TENON_ISA {

// How a slot is filled. `scale` is the variance factor, the constant or the gain, as the kind says.
struct Initializer {
    enum class Kind : unsigned char { constant, fan_in, fan_out, fan_average, orthogonal };
    enum class Distribution : unsigned char { uniform, normal };

    Kind kind = Kind::constant;
    Distribution distribution = Distribution::uniform;
    double scale = 0.0;
};

namespace init {

// Short names for the values below.
using Kind = Initializer::Kind;
using Distribution = Initializer::Distribution;

// Every value the same.
inline constexpr Initializer zeros{Kind::constant, Distribution::uniform, 0.0};
inline constexpr Initializer ones{Kind::constant, Distribution::uniform, 1.0};
constexpr Initializer constant(double value) { return {Kind::constant, Distribution::uniform, value}; }

// Variance scaling: variance = scale / fan. Uniform draws from ±sqrt(3 · variance); normal draws from a normal cut off at
// two standard deviations and widened to keep that variance, as Keras does.
// Glorot & Bengio 2010: fan = (fan_in + fan_out) / 2.
inline constexpr Initializer glorot_uniform{Kind::fan_average, Distribution::uniform, 1.0};
inline constexpr Initializer glorot_normal{Kind::fan_average, Distribution::normal, 1.0};
// He et al. 2015: for ReLU.
inline constexpr Initializer he_uniform{Kind::fan_in, Distribution::uniform, 2.0};
inline constexpr Initializer he_normal{Kind::fan_in, Distribution::normal, 2.0};
// LeCun et al. 1998: for SELU (Klambauer et al. 2017).
inline constexpr Initializer lecun_uniform{Kind::fan_in, Distribution::uniform, 1.0};
inline constexpr Initializer lecun_normal{Kind::fan_in, Distribution::normal, 1.0};
// Saxe et al. 2014: rows or columns of a random orthogonal matrix, times a gain.
inline constexpr Initializer orthogonal{Kind::orthogonal, Distribution::normal, 1.0};
constexpr Initializer orthogonal_gain(double gain) { return {Kind::orthogonal, Distribution::normal, gain}; }

}  // namespace init
}  // namespace tenon
