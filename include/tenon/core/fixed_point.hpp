// SPDX-License-Identifier: BSL-1.0
// Integer arithmetic of quantised inference, bit for bit that of gemmlowp's "double rounding", which TensorFlow Lite (Micro)
// and CMSIS-NN use. Everything is exact integer arithmetic and constexpr.
#pragma once

#include <tenon/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace tenon::inline TENON_ISA {

// A positive real factor as multiplier · 2^(shift - 31), multiplier in [2^30, 2^31) (or 0).
struct FixedPoint {
    std::int32_t multiplier;
    std::int32_t shift;

    friend constexpr bool operator==(const FixedPoint&, const FixedPoint&) = default;
};

// round(a · b / 2^31), halves upwards; INT32_MIN · INT32_MIN saturates (gemmlowp SaturatingRoundingDoublingHighMul, ARM
// VQRDMULH).
constexpr std::int32_t doubling_high_product(std::int32_t a, std::int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
    return static_cast<std::int32_t>((static_cast<std::int64_t>(a) * b + (std::int64_t{1} << 30)) >> 31);
}

// round(x / 2^exponent), halves away from zero (gemmlowp RoundingDivideByPOT); exponent in [0, 31].
constexpr std::int32_t rounding_shift_right(std::int32_t x, std::int32_t exponent)
{
    const auto mask = static_cast<std::int32_t>((std::uint32_t{1} << exponent) - 1u);
    const std::int32_t remainder = x & mask, threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

// x · 2^exponent, saturated; exponent in [0, 30].
constexpr std::int32_t saturating_shift_left(std::int32_t x, std::int32_t exponent)
{
    const std::int64_t wide = static_cast<std::int64_t>(x) * (std::int64_t{1} << exponent);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : static_cast<std::int32_t>(wide);
}

// x · factor with both roundings (TensorFlow Lite MultiplyByQuantizedMultiplier). Where the factor is 2 or more, x is shifted
// left first, modulo 2^32: there the caller keeps |x| · factor below 2^31.
constexpr std::int32_t multiply_fixed(std::int32_t x, std::int32_t multiplier, std::int32_t shift)
{
    const std::int32_t left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
    const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << left);
    return rounding_shift_right(doubling_high_product(shifted, multiplier), right);
}
constexpr std::int32_t multiply_fixed(std::int32_t x, const FixedPoint& factor)
{
    return multiply_fixed(x, factor.multiplier, factor.shift);
}

// The nearest factor (TensorFlow Lite QuantizeMultiplier): 0 for 0 and for anything below 2^-32, the largest there is for
// anything that needs a shift above 30.
constexpr FixedPoint fixed_point(double value)
{
    if (!(value > 0.0)) return {0, 0};
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const auto biased = static_cast<std::int32_t>(bits >> 52 & 0x7ff);
    if (biased == 0) return {0, 0};  // below 2^-1022
    std::int32_t shift = biased - 1022;
    // value = m / 2^53 · 2^shift with m in [2^52, 2^53); to 31 bits, halves upwards.
    const std::uint64_t mantissa = (bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1} << 52;
    std::uint64_t rounded = (mantissa + (std::uint64_t{1} << 21)) >> 22;
    if (rounded == std::uint64_t{1} << 31) {
        rounded >>= 1;
        ++shift;
    }
    if (shift < -31) return {0, 0};
    if (shift > 30) return {INT32_MAX, 30};
    return {static_cast<std::int32_t>(rounded), shift};
}

// How real values lie in int8: value = scale · (q - zero_point).
struct Affine {
    float scale = 1.0f;
    std::int32_t zero_point = 0;

    friend constexpr bool operator==(const Affine&, const Affine&) = default;
};

// x, or the nearer bound.
constexpr std::int8_t clamp_int8(std::int32_t x, std::int32_t lowest = -128, std::int32_t highest = 127)
{
    return static_cast<std::int8_t>(x < lowest ? lowest : x > highest ? highest : x);
}

// The nearest q, halves away from zero, within [-128, 127]; NaN gives -128.
constexpr std::int8_t quantize_value(float value, const Affine& affine)
{
    float ratio = value / affine.scale;
    ratio = ratio > -512.0f ? ratio : -512.0f;
    ratio = ratio < 512.0f ? ratio : 512.0f;
    const auto whole = static_cast<std::int32_t>(ratio);
    const float rest = ratio - static_cast<float>(whole);
    const std::int32_t rounded = whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
    return clamp_int8(rounded + affine.zero_point);
}
constexpr float dequantize_value(std::int8_t q, const Affine& affine)
{
    return affine.scale * static_cast<float>(q - affine.zero_point);
}

}  // namespace tenon
