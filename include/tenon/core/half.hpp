// SPDX-License-Identifier: BSL-1.0
// Numbers of 16 bits, for storage: no arithmetic but the conversion from and to float, which every processor and the compiler
// do alike, bit by bit. Rounding is to the nearest, ties to even; infinities, NaNs (made quiet) and subnormals are kept.
#pragma once

#include <tenon/config.hpp>

#include <bit>
#include <cstdint>

namespace tenon::inline TENON_ISA {

// IEEE 754 binary16: 10 bits of mantissa, from 2^-24 to 65504. Larger values become infinite.
struct Fp16 {
    std::uint16_t bits;

    Fp16() = default;
    explicit constexpr Fp16(float value) : bits{rounded(std::bit_cast<std::uint32_t>(value))} {}

    constexpr operator float() const
    {
        const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 0x1fu, mantissa = bits & 0x3ffu;
        if (exponent == 0) {  // multiples of 2^-24, exact in float
            const float size = static_cast<float>(mantissa) * 0x1p-24f;
            return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(size));
        }
        if (exponent == 31)
            return std::bit_cast<float>(sign | 0x7f800000u | (mantissa != 0 ? 0x400000u : 0u) | mantissa << 13);
        return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
    }

private:
    static constexpr std::uint16_t rounded(std::uint32_t x)
    {
        const std::uint32_t sign = x >> 16 & 0x8000u, size = x & 0x7fffffffu;
        std::uint32_t result = 0;
        if (size > 0x7f800000u) {
            result = 0x7e00u | (size >> 13 & 0x3ffu);
        } else if (size >= 0x477ff000u) {  // 65520, half way from 65504 to the next
            result = 0x7c00u;
        } else if (size >= 0x38800000u) {
            result = (size + 0xfffu + (size >> 13 & 1u) - 0x38000000u) >> 13;
        } else if (size >= 0x33000000u) {  // subnormal: mantissa · 2^(exponent - 150) in units of 2^-24
            const std::uint32_t shift = 126 - (size >> 23), mantissa = (size & 0x7fffffu) | 0x800000u;
            const std::uint32_t half = 1u << (shift - 1), rest = mantissa & (2 * half - 1);
            result = mantissa >> shift;
            result += rest > half || (rest == half && (result & 1u) != 0) ? 1 : 0;
        }
        return static_cast<std::uint16_t>(sign | result);
    }
};

// The upper half of a float: its range, with 7 bits of mantissa.
struct Bf16 {
    std::uint16_t bits;

    Bf16() = default;
    explicit constexpr Bf16(float value) : bits{rounded(std::bit_cast<std::uint32_t>(value))} {}

    constexpr operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

private:
    static constexpr std::uint16_t rounded(std::uint32_t x)
    {
        if ((x & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(x >> 16 | 0x40u);
        return static_cast<std::uint16_t>((x + 0x7fffu + (x >> 16 & 1u)) >> 16);
    }
};

// The type that stored values are computed in: float for 16 bits, else their own.
template <class T>
struct ComputedIn {
    using type = T;
};
template <>
struct ComputedIn<Fp16> {
    using type = float;
};
template <>
struct ComputedIn<Bf16> {
    using type = float;
};
template <class T>
using computed_t = typename ComputedIn<T>::type;

}  // namespace tenon
