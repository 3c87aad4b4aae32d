// SPDX-License-Identifier: BSL-1.0
// Dtype: the element types of safetensors files, their names there, their sizes and the C++ types that they hold.
#pragma once

#include <tenon/core/half.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenon::inline TENON_ISA::io {

// Element types of the format. F4 and F6 are packed below a byte.
// clang-format off
enum class Dtype : std::uint8_t {
    BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ,
    I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64
};

namespace detail {

struct DtypeEntry {
    std::string_view name;
    std::uint64_t bits;
};

// In the order of the enumerators.
inline constexpr DtypeEntry dtypes[] = {
    {"BOOL", 8}, {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8}, {"I8", 8}, {"F8_E5M2", 8}, {"F8_E4M3", 8},
    {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
    {"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16}, {"I32", 32}, {"U32", 32}, {"F32", 32}, {"C64", 64},
    {"F64", 64}, {"I64", 64}, {"U64", 64}};

}  // namespace detail
// clang-format on

// A dtype's name in files, and the size of one value.
constexpr std::string_view name_of(Dtype dtype) { return detail::dtypes[static_cast<std::size_t>(dtype)].name; }
constexpr std::uint64_t bits_of(Dtype dtype) { return detail::dtypes[static_cast<std::size_t>(dtype)].bits; }

// The dtype whose values a C++ type holds, bit by bit: dtype_of<float> is F32.
template <class T>
inline constexpr bool has_dtype = false;
template <class T>
    requires has_dtype<T>
inline constexpr Dtype dtype_of{};
#define TENON_DETAIL_DTYPE(type, dtype)           \
    template <>                                   \
    inline constexpr bool has_dtype<type> = true; \
    template <>                                   \
    inline constexpr Dtype dtype_of<type> = Dtype::dtype
TENON_DETAIL_DTYPE(bool, BOOL);
TENON_DETAIL_DTYPE(std::uint8_t, U8);
TENON_DETAIL_DTYPE(std::int8_t, I8);
TENON_DETAIL_DTYPE(std::uint16_t, U16);
TENON_DETAIL_DTYPE(std::int16_t, I16);
TENON_DETAIL_DTYPE(std::uint32_t, U32);
TENON_DETAIL_DTYPE(std::int32_t, I32);
TENON_DETAIL_DTYPE(std::uint64_t, U64);
TENON_DETAIL_DTYPE(std::int64_t, I64);
TENON_DETAIL_DTYPE(Fp16, F16);
TENON_DETAIL_DTYPE(Bf16, BF16);
TENON_DETAIL_DTYPE(float, F32);
TENON_DETAIL_DTYPE(double, F64);
#undef TENON_DETAIL_DTYPE

}  // namespace tenon::inline TENON_ISA::io
