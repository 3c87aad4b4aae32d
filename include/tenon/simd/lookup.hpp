// SPDX-License-Identifier: BSL-1.0
//
// lookup: a register of values from places near one another, by permuting registers where the target can. Its gathers of
// AVX2 and AVX-512 take a load for each lane.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <cstdint>

#if TENON_SIMD && defined(__AVX2__)
#    include <immintrin.h>
#endif

namespace tenon::inline TENON_ISA::simd {

namespace detail {

// Two registers of T in full width are permuted: with AVX-512 for both types, with AVX2 for float.
template <class T>
inline constexpr bool permutes_two = TENON_SIMD != 0 &&
#if defined(__AVX512F__)
                                     sizeof(T) * width<T> == 64;
#elif defined(__AVX2__)
                                     sizeof(T) == 4 && width<T> == 8;
#else
                                     false;
#endif

}  // namespace detail

// How many values a lookup chooses from: 32 floats or 16 doubles with AVX-512, 16 floats with AVX2; elsewhere what an index
// can name.
template <class T>
inline constexpr std::size_t lookup_window = detail::permutes_two<T> ? 2 * width<T> : 256;
// Whether it reads all of them, wanted or not.
template <class T>
inline constexpr bool lookup_reads_window = detail::permutes_two<T>;

// {from[places[0]], from[places[1]], …} for places below lookup_window<T>.
template <class T>
TENON_ALWAYS_INLINE Pack<T, width<T>> lookup(const T* from, const std::uint8_t* places)
{
    constexpr std::size_t W = width<T>;
    if constexpr (W == 1) {
        return Pack<T, 1>(from[places[0]]);
    } else {
#if TENON_SIMD && defined(__AVX512F__)
        if constexpr (detail::permutes_two<T> && sizeof(T) == 4) {
            // The plain form warns on g++ 12 (an operand that is meant to be undefined).
            const __m512i index = _mm512_maskz_cvtepu8_epi32(0xffff,
                                                             _mm_loadu_si128(reinterpret_cast<const __m128i*>(places)));
            return typename Pack<T, W>::batch_type(
                _mm512_permutex2var_ps(_mm512_loadu_ps(from), index, _mm512_loadu_ps(from + W)));
        } else if constexpr (detail::permutes_two<T>) {
            const __m512i index = _mm512_maskz_cvtepu8_epi64(0xff,
                                                             _mm_loadl_epi64(reinterpret_cast<const __m128i*>(places)));
            return typename Pack<T, W>::batch_type(
                _mm512_permutex2var_pd(_mm512_loadu_pd(from), index, _mm512_loadu_pd(from + W)));
        } else
#elif TENON_SIMD && defined(__AVX2__)
        if constexpr (detail::permutes_two<T>) {
            // Each register by the low three bits, and between them by the fourth, moved to the sign.
            const __m256i index = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(places)));
            const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(from), index);
            const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(from + W), index);
            return typename Pack<T, W>::batch_type(
                _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28))));
        } else
#endif
        {
            T lanes[W];
            TENON_UNROLL
            for (std::size_t i = 0; i < W; ++i) lanes[i] = from[places[i]];
            return Pack<T, W>::load(lanes);
        }
    }
}

// Whether each lane can choose among the four values of its 128 bits: floats with AVX2 and AVX-512.
template <class T>
inline constexpr bool permutes_fours = detail::permutes_two<T> && sizeof(T) == 4;

#if TENON_SIMD && (defined(__AVX512F__) || defined(__AVX2__))

// Four neighbouring values, in each 128 bits of a register.
template <class T>
struct Four {
    typename Pack<T, width<T>>::register_type lanes;

    TENON_ALWAYS_INLINE explicit Four(const T* from)
    {
#    if defined(__AVX512F__)
        lanes = _mm512_maskz_broadcast_f32x4(0xffff, _mm_loadu_ps(from));
#    else
        lanes = _mm256_broadcast_ps(reinterpret_cast<const __m128*>(from));
#    endif
    }
};

// Which of four values each lane takes: the low two bits of a word, then the next two.
template <class T>
struct FourPlaces {
#    if defined(__AVX512F__)
    __m512i words;
#    else
    __m256i words;
#    endif

    TENON_ALWAYS_INLINE explicit FourPlaces(const std::uint32_t* from)
    {
#    if defined(__AVX512F__)
        words = _mm512_loadu_si512(from);
#    else
        words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
#    endif
    }
    TENON_ALWAYS_INLINE Pack<T, width<T>> choose(const Four<T>& four) const
    {
        using Batch = typename Pack<T, width<T>>::batch_type;
#    if defined(__AVX512F__)
        return Batch(_mm512_maskz_permutevar_ps(0xffff, four.lanes, words));
#    else
        return Batch(_mm256_permutevar_ps(four.lanes, words));
#    endif
    }
    TENON_ALWAYS_INLINE void next()
    {
#    if defined(__AVX512F__)
        words = _mm512_maskz_srli_epi32(0xffff, words, 2);
#    else
        words = _mm256_srli_epi32(words, 2);
#    endif
    }
};

#else

template <class T>
struct Four;
template <class T>
struct FourPlaces;

#endif

}  // namespace tenon::inline TENON_ISA::simd
