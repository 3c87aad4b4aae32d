// SPDX-License-Identifier: BSL-1.0
// Weights on their way from memory into registers: as they are, or from 16 bits.
#pragma once

#include <tenon/core/half.hpp>
#include <tenon/simd/pack.hpp>

#if TENON_SIMD && defined(__F16C__)
#    include <immintrin.h>
#elif TENON_SIMD && defined(__aarch64__)
#    include <arm_neon.h>
#endif

namespace tenon::inline TENON_ISA::simd {

#if !defined(TENON_FORCE_SCALAR) && defined(__ARM_FP) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M'
#    define TENON_DETAIL_HALF_VCVT 1
// Every floating-point unit of a Cortex-M has it (Armv7-M Architecture Reference Manual, FPv4-SP and FPv5: VCVTB), whether or not
// the compiler has a type for it.
TENON_ALWAYS_INLINE float widen_by_vcvt(const Fp16& value)
{
    float wide;
    asm("vcvtb.f32.f16 %0, %1" : "=t"(wide) : "t"(std::bit_cast<float>(std::uint32_t{value.bits})));
    return wide;
}
#endif

// The P::size values from p on.
template <class P>
TENON_ALWAYS_INLINE constexpr P load_widened(const typename P::value_type* p)
{
    return P::load(p);
}

// One instruction with F16C, AVX-512, NEON and the FPU of a Cortex-M; elsewhere lane by lane.
template <class P>
TENON_ALWAYS_INLINE constexpr P load_widened(const Fp16* p)
{
#if defined(TENON_DETAIL_HALF_VCVT)
    if (!std::is_constant_evaluated()) return P(widen_by_vcvt(*p));
#endif
    if constexpr (P::size == 1) return P(static_cast<float>(*p));
#if TENON_SIMD
    else {
#    if defined(__AVX512F__)
        if constexpr (P::size == 16)
            return typename P::batch_type(
                _mm512_maskz_cvtph_ps(__mmask16(0xffff), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#    endif
#    if defined(__F16C__)
        if constexpr (P::size == 8)
            return typename P::batch_type(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
        if constexpr (P::size == 4)
            return typename P::batch_type(_mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
#    elif defined(__aarch64__)
        if constexpr (P::size == 4)
            return typename P::batch_type(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(&p->bits))));
#    endif
        float lanes[P::size];
        for (std::size_t i = 0; i < P::size; ++i) lanes[i] = p[i];
        return P::load(lanes);
    }
#endif
}

// Widened as integers and shifted into the upper halves.
template <class P>
TENON_ALWAYS_INLINE constexpr P load_widened(const Bf16* p)
{
    if constexpr (P::size == 1) return P(static_cast<float>(*p));
#if TENON_SIMD
    else {
        using Register = typename P::register_type;
#    if defined(__AVX512F__)
        if constexpr (P::size == 16) {
            const __m512i whole = _mm512_maskz_cvtepu16_epi32(__mmask16(0xffff),
                                                              _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
            return typename P::batch_type((Register)_mm512_maskz_slli_epi32(__mmask16(0xffff), whole, 16));
        }
#    endif
#    if defined(__AVX2__)
        if constexpr (P::size == 8) {
            const __m256i whole = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
            return typename P::batch_type((Register)_mm256_slli_epi32(whole, 16));
        }
#    endif
#    if defined(__SSE2__)
        if constexpr (P::size == 4) {
            const __m128i narrow = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
            return typename P::batch_type((Register)_mm_unpacklo_epi16(_mm_setzero_si128(), narrow));
        }
#    elif defined(__aarch64__)
        if constexpr (P::size == 4) return typename P::batch_type((Register)vshll_n_u16(vld1_u16(&p->bits), 16));
#    endif
        float lanes[P::size];
        for (std::size_t i = 0; i < P::size; ++i) lanes[i] = p[i];
        return P::load(lanes);
    }
#endif
}

// V registers of neighbouring values for sums over many of them: the lanes may come in another order, the same every time, which
// in_order brings back to the sums in the end.
// With bfloat16 a pair of registers is one load and two interleavings with zeros inside 128 bits, twice as fast as widening
// across them; fp16 has only the conversion, of which AVX-512 processors start one a cycle.
template <class S, class P, std::size_t V>
inline constexpr bool interleaves =
#if TENON_SIMD && defined(__AVX512BW__)
    std::is_same_v<S, Bf16> && (P::size == 16 || P::size == 8) && V % 2 == 0;
#elif TENON_SIMD && defined(__AVX2__)
    std::is_same_v<S, Bf16>&& P::size == 8 && V % 2 == 0;
#else
    false;
#endif

template <class P, std::size_t V, class S>
TENON_ALWAYS_INLINE void load_some_order(const S* p, P (&to)[V])
{
    if constexpr (!interleaves<S, P, V>) {
        TENON_UNROLL
        for (std::size_t v = 0; v < V; ++v) to[v] = load_widened<P>(p + v * P::size);
    }
#if TENON_SIMD && defined(__AVX2__)
    else
    {
        using Register = typename P::register_type;
        TENON_UNROLL
        for (std::size_t v = 0; v < V; v += 2) {
#    if defined(__AVX512BW__)
            if constexpr (P::size == 16) {
                const __m512i both = _mm512_loadu_si512(p + v * P::size), zero = _mm512_setzero_si512();
                to[v] = typename P::batch_type((Register)_mm512_unpacklo_epi16(zero, both));
                to[v + 1] = typename P::batch_type((Register)_mm512_unpackhi_epi16(zero, both));
                continue;
            }
#    endif
            if constexpr (P::size == 8) {
                const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + v * P::size));
                const __m256i zero = _mm256_setzero_si256();
                to[v] = typename P::batch_type((Register)_mm256_unpacklo_epi16(zero, both));
                to[v + 1] = typename P::batch_type((Register)_mm256_unpackhi_epi16(zero, both));
            }
        }
    }
#endif
}

// S: the type that was loaded.
template <class S, class P, std::size_t V>
TENON_ALWAYS_INLINE void in_order([[maybe_unused]] P (&sums)[V])
{
#if TENON_SIMD && defined(__AVX2__)
    if constexpr (interleaves<S, P, V>) {
        TENON_UNROLL
        for (std::size_t v = 0; v < V; v += 2) {
            const typename P::register_type low = sums[v].lanes, high = sums[v + 1].lanes;
#    if defined(__AVX512BW__)
            if constexpr (P::size == 16) {
                constexpr __mmask16 all = 0xffff;
                const __m512 first = _mm512_maskz_shuffle_f32x4(all, low, high, 0x44);
                const __m512 second = _mm512_maskz_shuffle_f32x4(all, low, high, 0xee);
                sums[v] = typename P::batch_type(_mm512_maskz_shuffle_f32x4(all, first, first, 0xd8));
                sums[v + 1] = typename P::batch_type(_mm512_maskz_shuffle_f32x4(all, second, second, 0xd8));
                continue;
            }
#    endif
            if constexpr (P::size == 8) {
                sums[v] = typename P::batch_type(_mm256_permute2f128_ps(low, high, 0x20));
                sums[v + 1] = typename P::batch_type(_mm256_permute2f128_ps(low, high, 0x31));
            }
        }
    }
#endif
}

// to[i] = from[i] for i < n, 16 bits to float.
template <class S>
constexpr void widen(std::size_t n, const S* from, float* to)
{
    using P = Pack<float, width<float>>;
    std::size_t whole = 0;
    if (!std::is_constant_evaluated()) whole = n / P::size * P::size;
    for (std::size_t i = 0; i < whole; i += P::size) load_widened<P>(from + i).store(to + i);
    for (std::size_t i = whole; i < n; ++i) to[i] = from[i];
}

}  // namespace tenon::inline TENON_ISA::simd
