// SPDX-License-Identifier: BSL-1.0
//
// Transposes small square blocks in registers.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>

namespace tenon::inline TENON_ISA::simd {

// Side of the largest block that transpose_block takes: 8 floats with AVX, 4 with SSE and NEON, 1 without SIMD.
template <class T>
inline constexpr std::size_t transpose_side = has_width<T, 32 / sizeof(T)>   ? 32 / sizeof(T)
                                              : has_width<T, 16 / sizeof(T)> ? 16 / sizeof(T)
                                                                             : 1;

// to[j * to_stride + i] = from[i * from_stride + j] for i, j < B; rows i >= rows of `from` are not read and count as 0.
template <std::size_t B, class T>
TENON_ALWAYS_INLINE void transpose_block(std::size_t rows, const T* from, [[maybe_unused]] std::size_t from_stride,
                                         T* to, [[maybe_unused]] std::size_t to_stride)
{
    if constexpr (B == 1) {
        *to = rows == 0 ? T(0) : *from;
    } else {
#if TENON_SIMD
        using P = Pack<T, B>;
        using R = typename P::register_type;
        R a[B], b[B];
        TENON_UNROLL
        for (std::size_t i = 0; i < B; ++i) a[i] = i < rows ? P::load(from + i * from_stride).lanes : P(T(0)).lanes;
        // Rows 2i and 2i+1 interleaved within lanes of 128 bits, then pairs of pairs, then the lanes themselves.
        if constexpr (sizeof(T) == 8 && B == 2) {
            b[0] = __builtin_shufflevector(a[0], a[1], 0, 2);
            b[1] = __builtin_shufflevector(a[0], a[1], 1, 3);
        } else if constexpr (sizeof(T) == 8) {
            TENON_UNROLL
            for (std::size_t i = 0; i < 4; i += 2) {
                b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 4, 2, 6);
                b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 1, 5, 3, 7);
            }
            TENON_UNROLL
            for (std::size_t i = 0; i < 2; ++i) {
                a[i] = __builtin_shufflevector(b[i], b[i + 2], 0, 1, 4, 5);
                a[i + 2] = __builtin_shufflevector(b[i], b[i + 2], 2, 3, 6, 7);
            }
            TENON_UNROLL
            for (std::size_t i = 0; i < 4; ++i) b[i] = a[i];
        } else if constexpr (B == 4) {
            TENON_UNROLL
            for (std::size_t i = 0; i < 4; i += 2) {
                b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 4, 1, 5);
                b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 6, 3, 7);
            }
            a[0] = __builtin_shufflevector(b[0], b[2], 0, 1, 4, 5);
            a[1] = __builtin_shufflevector(b[0], b[2], 2, 3, 6, 7);
            a[2] = __builtin_shufflevector(b[1], b[3], 0, 1, 4, 5);
            a[3] = __builtin_shufflevector(b[1], b[3], 2, 3, 6, 7);
            TENON_UNROLL
            for (std::size_t i = 0; i < 4; ++i) b[i] = a[i];
        } else {
            static_assert(sizeof(T) == 4 && B == 8);
            TENON_UNROLL
            for (std::size_t i = 0; i < 8; i += 2) {
                b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
                b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
            }
            TENON_UNROLL
            for (std::size_t i = 0; i < 8; i += 4) {
                a[i] = __builtin_shufflevector(b[i], b[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
                a[i + 1] = __builtin_shufflevector(b[i], b[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
                a[i + 2] = __builtin_shufflevector(b[i + 1], b[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
                a[i + 3] = __builtin_shufflevector(b[i + 1], b[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
            }
            TENON_UNROLL
            for (std::size_t i = 0; i < 4; ++i) {
                b[i] = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
                b[i + 4] = __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
            }
        }
        TENON_UNROLL
        for (std::size_t i = 0; i < B; ++i) P(typename P::batch_type(b[i])).store(to + i * to_stride);
#endif
    }
}

}  // namespace tenon::inline TENON_ISA::simd
