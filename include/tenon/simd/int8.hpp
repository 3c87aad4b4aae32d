// SPDX-License-Identifier: BSL-1.0
// Products of int8 weights and activations with int32 sums, and their requantisation, on each target's own instructions:
// AVX-512 VNNI, AVX2, NEON with and without dot product, the DSP instructions of Cortex-M4 and M7, plain C++.
// Sums are exact on all of them, so all give the same bits.
#pragma once

#include <tenon/config.hpp>
#include <tenon/core/fixed_point.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if TENON_SIMD && defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#    define TENON_DETAIL_INT8_VNNI 1
#    include <immintrin.h>
#elif TENON_SIMD && defined(__AVX2__)
#    define TENON_DETAIL_INT8_AVX2 1
#    include <immintrin.h>
#elif TENON_SIMD && defined(__aarch64__) && defined(__ARM_FEATURE_DOTPROD)
#    define TENON_DETAIL_INT8_NEON_DOT 1
#    include <arm_neon.h>
#elif TENON_SIMD && defined(__aarch64__)
#    define TENON_DETAIL_INT8_NEON 1
#    include <arm_neon.h>
#elif !defined(TENON_FORCE_SCALAR) && defined(__ARM_FEATURE_DSP) && defined(__ARM_ARCH_PROFILE) && \
    __ARM_ARCH_PROFILE == 'M'
#    define TENON_DETAIL_INT8_DSP 1
#endif

namespace tenon::inline TENON_ISA::simd::int8 {

// What turns a sum into an output: clamp(zero + sum · multiplier · 2^(shift - 31), lowest, highest), channel by channel.
struct Requantize {
    const std::int32_t* multiplier;
    const std::int8_t* shift;
    std::int32_t zero, lowest, highest;
};

// Of one channel, everywhere; what the vector versions below are equal to.
constexpr std::int8_t requantize(std::int32_t sum, std::int32_t multiplier, std::int32_t shift, std::int32_t zero,
                                 std::int32_t lowest, std::int32_t highest)
{
    // multiply_fixed for a multiplier that is not negative, so that nothing saturates; shorter where instructions count.
    const std::int32_t left = shift > 0 ? shift : 0, right = left - shift;
    const auto shifted = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum) << left);
    const std::int64_t product = static_cast<std::int64_t>(shifted) * multiplier + (std::int64_t{1} << 30);
    return clamp_int8(rounding_shift_right(static_cast<std::int32_t>(product >> 31), right) + zero, lowest, highest);
}

// Operand: what an activation x is before it meets a weight, x + offset in that type.
// lanes: output channels of one Sums; group: inputs that one step takes; panel_registers: Sums side by side in a panel of
// weights; row_tile: rows of the largest tile. With VNNI 6 × 4 registers of sums; 12 × 2 and 8 × 3, whose panels would stay in the
// first-level cache, are as fast with 32 rows (within 4 %), and take 1.4 to 1.6 times as long on small images.
#if defined(TENON_DETAIL_INT8_VNNI)

using Operand = std::uint8_t;
inline constexpr std::int32_t offset = 128;
inline constexpr std::size_t lanes = 16, group = 4, panel_registers = 4, row_tile = 6;

// Of the type that VPDPBUSD is given: with __m512i, eight 64-bit numbers, g++ copies every sum at every step.
using Lanes = std::int32_t __attribute__((vector_size(64)));
TENON_ALWAYS_INLINE Lanes lanes_of(__m512i v) { return reinterpret_cast<Lanes>(v); }
TENON_ALWAYS_INLINE __m512i bits(Lanes v) { return reinterpret_cast<__m512i>(v); }

struct Sums {
    Lanes v;
};
TENON_ALWAYS_INLINE Sums zero() { return {Lanes{}}; }
TENON_ALWAYS_INLINE Sums load(const std::int32_t* p) { return {lanes_of(_mm512_loadu_si512(p))}; }
TENON_ALWAYS_INLINE Sums add(Sums a, Sums b) { return {a.v + b.v}; }
TENON_ALWAYS_INLINE Sums add(Sums a, std::int32_t b) { return {a.v + b}; }
TENON_ALWAYS_INLINE Sums max(Sums a, Sums b)
{
    return {lanes_of(_mm512_maskz_max_epi32(0xffff, bits(a.v), bits(b.v)))};
}

using Inputs = Lanes;
using Weights = Lanes;
TENON_ALWAYS_INLINE Inputs broadcast(const Operand* x)
{
    std::int32_t word;
    std::memcpy(&word, x, 4);
    return lanes_of(_mm512_set1_epi32(word));
}
TENON_ALWAYS_INLINE Weights load_weights(const std::int8_t* w)
{
    Lanes v = lanes_of(_mm512_loadu_si512(w));
    // In a register: g++ would read it again for each row of a tile, and loads would be what bounds it.
    __asm__("" : "+v"(v));
    return v;
}
// Four unsigned activations by four signed weights a lane; the instruction's inner sum does not saturate.
TENON_ALWAYS_INLINE void dot(Sums& s, Inputs x, Weights w)
{
    s.v = lanes_of(_mm512_dpbusd_epi32(bits(s.v), bits(x), bits(w)));
}

// Sixteen channels, of which `count` are stored.
TENON_ALWAYS_INLINE void store(Sums s, std::size_t c, const Requantize& r, std::int8_t* y, std::size_t count)
{
    constexpr __mmask16 all = 0xffff;
    const __m512i multiplier = _mm512_loadu_si512(r.multiplier + c), none = _mm512_setzero_si512();
    const __m512i shift = _mm512_maskz_cvtepi8_epi32(all,
                                                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(r.shift + c)));
    const __m512i left = _mm512_maskz_max_epi32(all, shift, none);
    const __m512i right = _mm512_sub_epi32(left, shift);
    const __m512i x = _mm512_maskz_sllv_epi32(all, bits(s.v), left);
    // The even lanes' products end in the low halves, the odd lanes' in the high ones.
    const __m512i nudge = _mm512_set1_epi64(std::int64_t{1} << 30);
    const __m512i even = _mm512_add_epi64(_mm512_maskz_mul_epi32(0xff, x, multiplier), nudge);
    const __m512i odd = _mm512_add_epi64(_mm512_maskz_mul_epi32(0xff, _mm512_maskz_srli_epi64(0xff, x, 32),
                                                                _mm512_maskz_srli_epi64(0xff, multiplier, 32)),
                                         nudge);
    const __m512i high = _mm512_mask_blend_epi32(0xaaaa, _mm512_maskz_srli_epi64(0xff, even, 31),
                                                 _mm512_maskz_slli_epi64(0xff, odd, 1));
    const __m512i one = _mm512_set1_epi32(1);
    const __m512i mask = _mm512_sub_epi32(_mm512_maskz_sllv_epi32(all, one, right), one);
    const __m512i threshold = _mm512_sub_epi32(_mm512_maskz_srli_epi32(all, mask, 1),
                                               _mm512_maskz_srai_epi32(all, high, 31));
    const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(high, mask), threshold);
    __m512i q = _mm512_maskz_srav_epi32(all, high, right);
    q = _mm512_mask_add_epi32(q, up, q, one);
    q = _mm512_add_epi32(q, _mm512_set1_epi32(r.zero));
    q = _mm512_maskz_max_epi32(all, q, _mm512_set1_epi32(r.lowest));
    q = _mm512_maskz_min_epi32(all, q, _mm512_set1_epi32(r.highest));
    const __m128i bytes = _mm512_maskz_cvtepi32_epi8(all, q);
    if (count >= lanes)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(y), bytes);
    else
        _mm_mask_storeu_epi8(y, static_cast<__mmask16>((1u << count) - 1u), bytes);
}

#elif defined(TENON_DETAIL_INT8_AVX2)

// vpmaddubsw would saturate its sums of two products; 16-bit operands and vpmaddwd cannot.
using Operand = std::int16_t;
inline constexpr std::int32_t offset = 0;
inline constexpr std::size_t lanes = 8, group = 2, panel_registers = 2, row_tile = 4;

struct Sums {
    __m256i v;
};
TENON_ALWAYS_INLINE Sums zero() { return {_mm256_setzero_si256()}; }
TENON_ALWAYS_INLINE Sums load(const std::int32_t* p)
{
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
}
TENON_ALWAYS_INLINE Sums add(Sums a, Sums b) { return {_mm256_add_epi32(a.v, b.v)}; }
TENON_ALWAYS_INLINE Sums add(Sums a, std::int32_t b) { return {_mm256_add_epi32(a.v, _mm256_set1_epi32(b))}; }
TENON_ALWAYS_INLINE Sums max(Sums a, Sums b) { return {_mm256_max_epi32(a.v, b.v)}; }

using Inputs = __m256i;
using Weights = __m256i;
TENON_ALWAYS_INLINE Inputs broadcast(const Operand* x)
{
    std::int32_t word;
    std::memcpy(&word, x, 4);
    return _mm256_set1_epi32(word);
}
TENON_ALWAYS_INLINE Weights load_weights(const std::int8_t* w)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
}
TENON_ALWAYS_INLINE void dot(Sums& s, Inputs x, Weights w) { s.v = _mm256_add_epi32(s.v, _mm256_madd_epi16(x, w)); }

TENON_ALWAYS_INLINE void store(Sums s, std::size_t c, const Requantize& r, std::int8_t* y, std::size_t count)
{
    const __m256i multiplier = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(r.multiplier + c));
    std::int64_t eight;
    std::memcpy(&eight, r.shift + c, 8);
    const __m256i shift = _mm256_cvtepi8_epi32(_mm_cvtsi64_si128(eight)), none = _mm256_setzero_si256();
    const __m256i left = _mm256_max_epi32(shift, none), right = _mm256_sub_epi32(left, shift);
    const __m256i x = _mm256_sllv_epi32(s.v, left), nudge = _mm256_set1_epi64x(std::int64_t{1} << 30);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multiplier), nudge);
    const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(multiplier, 32)),
                                         nudge);
    const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
    const __m256i one = _mm256_set1_epi32(1);
    const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, right), one);
    const __m256i threshold = _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(high, 31));
    const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(high, mask), threshold);
    __m256i q = _mm256_sub_epi32(_mm256_srav_epi32(high, right), up);
    q = _mm256_add_epi32(q, _mm256_set1_epi32(r.zero));
    q = _mm256_min_epi32(_mm256_max_epi32(q, _mm256_set1_epi32(r.lowest)), _mm256_set1_epi32(r.highest));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
    const __m128i bytes = _mm_packs_epi16(words, words);
    if (count >= lanes)
        _mm_storel_epi64(reinterpret_cast<__m128i*>(y), bytes);
    else
        std::memcpy(y, &bytes, count);
}

#elif defined(TENON_DETAIL_INT8_NEON_DOT) || defined(TENON_DETAIL_INT8_NEON)

inline constexpr std::int32_t offset = 0;

// Four channels, as far as requantisation goes: VQRDMULH is gemmlowp's first rounding; its second one is VRSHL, once
// negative numbers are moved down by one so that halves go away from zero.
TENON_ALWAYS_INLINE int16x4_t requantize(int32x4_t s, std::size_t c, const Requantize& r)
{
    std::int32_t four;
    std::memcpy(&four, r.shift + c, 4);
    const int32x4_t shift = vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(four)))));
    const int32x4_t left = vmaxq_s32(shift, vdupq_n_s32(0)), right = vminq_s32(shift, vdupq_n_s32(0));
    const int32x4_t high = vqrdmulhq_s32(vshlq_s32(s, left), vld1q_s32(r.multiplier + c));
    const int32x4_t fixed = vqaddq_s32(high, vshrq_n_s32(vandq_s32(high, right), 31));
    int32x4_t q = vaddq_s32(vrshlq_s32(fixed, right), vdupq_n_s32(r.zero));
    q = vminq_s32(vmaxq_s32(q, vdupq_n_s32(r.lowest)), vdupq_n_s32(r.highest));
    return vmovn_s32(q);
}

#    if defined(TENON_DETAIL_INT8_NEON_DOT)

using Operand = std::int8_t;
inline constexpr std::size_t lanes = 4, group = 4, panel_registers = 4, row_tile = 4;

struct Sums {
    int32x4_t v;
};
TENON_ALWAYS_INLINE Sums zero() { return {vdupq_n_s32(0)}; }
TENON_ALWAYS_INLINE Sums load(const std::int32_t* p) { return {vld1q_s32(p)}; }
TENON_ALWAYS_INLINE Sums add(Sums a, Sums b) { return {vaddq_s32(a.v, b.v)}; }
TENON_ALWAYS_INLINE Sums add(Sums a, std::int32_t b) { return {vaddq_s32(a.v, vdupq_n_s32(b))}; }
TENON_ALWAYS_INLINE Sums max(Sums a, Sums b) { return {vmaxq_s32(a.v, b.v)}; }

using Inputs = int8x16_t;
using Weights = int8x16_t;
TENON_ALWAYS_INLINE Inputs broadcast(const Operand* x)
{
    std::int32_t word;
    std::memcpy(&word, x, 4);
    return vreinterpretq_s8_s32(vdupq_n_s32(word));
}
TENON_ALWAYS_INLINE Weights load_weights(const std::int8_t* w) { return vld1q_s8(w); }
TENON_ALWAYS_INLINE void dot(Sums& s, Inputs x, Weights w) { s.v = vdotq_s32(s.v, x, w); }

TENON_ALWAYS_INLINE void store(Sums s, std::size_t c, const Requantize& r, std::int8_t* y, std::size_t count)
{
    const int16x4_t words = requantize(s.v, c, r);
    const int8x8_t bytes = vmovn_s16(vcombine_s16(words, words));
    std::memcpy(y, &bytes, count >= lanes ? lanes : count);
}

#    else

// Without the dot product: eight channels by one 16-bit activation.
using Operand = std::int16_t;
inline constexpr std::size_t lanes = 8, group = 1, panel_registers = 2, row_tile = 4;

struct Sums {
    int32x4_t low, high;
};
TENON_ALWAYS_INLINE Sums zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
TENON_ALWAYS_INLINE Sums load(const std::int32_t* p) { return {vld1q_s32(p), vld1q_s32(p + 4)}; }
TENON_ALWAYS_INLINE Sums add(Sums a, Sums b) { return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)}; }
TENON_ALWAYS_INLINE Sums add(Sums a, std::int32_t b)
{
    return {vaddq_s32(a.low, vdupq_n_s32(b)), vaddq_s32(a.high, vdupq_n_s32(b))};
}
TENON_ALWAYS_INLINE Sums max(Sums a, Sums b) { return {vmaxq_s32(a.low, b.low), vmaxq_s32(a.high, b.high)}; }

using Inputs = int16x4_t;
using Weights = int16x8_t;
TENON_ALWAYS_INLINE Inputs broadcast(const Operand* x) { return vdup_n_s16(*x); }
TENON_ALWAYS_INLINE Weights load_weights(const std::int8_t* w) { return vmovl_s8(vld1_s8(w)); }
TENON_ALWAYS_INLINE void dot(Sums& s, Inputs x, Weights w)
{
    s.low = vmlal_s16(s.low, vget_low_s16(w), x);
    s.high = vmlal_s16(s.high, vget_high_s16(w), x);
}

TENON_ALWAYS_INLINE void store(Sums s, std::size_t c, const Requantize& r, std::int8_t* y, std::size_t count)
{
    const int8x8_t bytes = vmovn_s16(vcombine_s16(requantize(s.low, c, r), requantize(s.high, c + 4, r)));
    std::memcpy(y, &bytes, count >= lanes ? lanes : count);
}

#    endif
#elif defined(TENON_DETAIL_INT8_DSP)

// Pairs of 16-bit numbers in general-purpose registers: simd/int8_dsp.hpp.
using Operand = std::int8_t;
inline constexpr std::int32_t offset = 0;
inline constexpr std::size_t lanes = 4, group = 4, panel_registers = 1;

#else

// Four channels in general-purpose registers.
using Operand = std::int8_t;
inline constexpr std::int32_t offset = 0;
inline constexpr std::size_t lanes = 4, panel_registers = 1;

struct Sums {
    std::int32_t v[lanes];
};
TENON_ALWAYS_INLINE Sums zero() { return {}; }
TENON_ALWAYS_INLINE Sums load(const std::int32_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
TENON_ALWAYS_INLINE Sums add(Sums a, Sums b)
{
    return {{a.v[0] + b.v[0], a.v[1] + b.v[1], a.v[2] + b.v[2], a.v[3] + b.v[3]}};
}
TENON_ALWAYS_INLINE Sums add(Sums a, std::int32_t b) { return add(a, Sums{{b, b, b, b}}); }
TENON_ALWAYS_INLINE Sums max(Sums a, Sums b)
{
    Sums m{};
    TENON_UNROLL
    for (std::size_t l = 0; l < lanes; ++l) m.v[l] = a.v[l] > b.v[l] ? a.v[l] : b.v[l];
    return m;
}

inline constexpr std::size_t group = 1, row_tile = 2;

using Inputs = std::int32_t;
using Weights = const std::int8_t*;
TENON_ALWAYS_INLINE Inputs broadcast(const Operand* x) { return *x; }
TENON_ALWAYS_INLINE Weights load_weights(const std::int8_t* w) { return w; }
TENON_ALWAYS_INLINE void dot(Sums& s, Inputs x, Weights w)
{
    TENON_UNROLL
    for (std::size_t l = 0; l < lanes; ++l) s.v[l] += x * w[l];
}

TENON_ALWAYS_INLINE void store(Sums s, std::size_t c, const Requantize& r, std::int8_t* y, std::size_t count)
{
    for (std::size_t l = 0; l < lanes && l < count; ++l)
        y[l] = requantize(s.v[l], r.multiplier[c + l], r.shift[c + l], r.zero, r.lowest, r.highest);
}

#endif

// Whether activations are read where they lie, or copied as operands first.
inline constexpr bool reads_in_place = std::is_same_v<Operand, std::int8_t>;

// The operands of n activations.
inline void convert(const std::int8_t* x, Operand* to, std::size_t n)
{
    std::size_t i = 0;
#if defined(TENON_DETAIL_INT8_VNNI)
    const __m512i sign = _mm512_set1_epi8(-128);
    for (const std::size_t whole = n / 64 * 64; i != whole; i += 64)
        _mm512_storeu_si512(to + i, _mm512_xor_si512(_mm512_loadu_si512(x + i), sign));
    if (i < n) {
        const __mmask64 rest = (std::uint64_t{1} << (n - i)) - 1;
        _mm512_mask_storeu_epi8(to + i, rest, _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, x + i), sign));
    }
#else
#    if defined(TENON_DETAIL_INT8_AVX2)
    for (const std::size_t whole = n / 16 * 16; i != whole; i += 16)
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i),
                            _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i))));
#    elif defined(TENON_DETAIL_INT8_NEON)
    for (const std::size_t whole = n / 8 * 8; i != whole; i += 8) vst1q_s16(to + i, vmovl_s8(vld1_s8(x + i)));
#    endif
    for (; i != n; ++i) to[i] = static_cast<Operand>(x[i] + offset);
#endif
}

// q = quantize_value(value) for the first of n values, as many as fill registers; returns how many.
inline std::size_t quantize([[maybe_unused]] std::size_t n, [[maybe_unused]] const float* values,
                            [[maybe_unused]] const Affine& affine, [[maybe_unused]] std::int8_t* q)
{
    std::size_t i = 0;
#if defined(TENON_DETAIL_INT8_VNNI)
    const __m512 scale = _mm512_set1_ps(affine.scale), half = _mm512_set1_ps(0.5f), limit = _mm512_set1_ps(512.0f);
    const __m512i zero = _mm512_set1_epi32(affine.zero_point), one = _mm512_set1_epi32(1);
    for (const std::size_t end = n / 16 * 16; i != end; i += 16) {
        __m512 ratio = _mm512_div_ps(_mm512_loadu_ps(values + i), scale);
        // The second operand where the first is NaN.
        ratio = _mm512_maskz_max_ps(0xffff, ratio, _mm512_set1_ps(-512.0f));
        ratio = _mm512_maskz_min_ps(0xffff, ratio, limit);
        __m512i whole = _mm512_maskz_cvttps_epi32(0xffff, ratio);
        const __m512 rest = _mm512_sub_ps(ratio, _mm512_maskz_cvtepi32_ps(0xffff, whole));
        whole = _mm512_mask_add_epi32(whole, _mm512_cmp_ps_mask(rest, half, _CMP_GE_OQ), whole, one);
        whole = _mm512_mask_sub_epi32(whole, _mm512_cmp_ps_mask(rest, _mm512_set1_ps(-0.5f), _CMP_LE_OQ), whole, one);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(q + i),
                         _mm512_maskz_cvtsepi32_epi8(0xffff, _mm512_add_epi32(whole, zero)));
    }
#elif defined(TENON_DETAIL_INT8_AVX2)
    const __m256 scale = _mm256_set1_ps(affine.scale), half = _mm256_set1_ps(0.5f), limit = _mm256_set1_ps(512.0f);
    const __m256i zero = _mm256_set1_epi32(affine.zero_point);
    for (const std::size_t end = n / 8 * 8; i != end; i += 8) {
        __m256 ratio = _mm256_div_ps(_mm256_loadu_ps(values + i), scale);
        ratio = _mm256_min_ps(_mm256_max_ps(ratio, _mm256_set1_ps(-512.0f)), limit);
        __m256i whole = _mm256_cvttps_epi32(ratio);
        const __m256 rest = _mm256_sub_ps(ratio, _mm256_cvtepi32_ps(whole));
        whole = _mm256_sub_epi32(whole, _mm256_castps_si256(_mm256_cmp_ps(rest, half, _CMP_GE_OQ)));
        whole = _mm256_add_epi32(whole, _mm256_castps_si256(_mm256_cmp_ps(rest, _mm256_set1_ps(-0.5f), _CMP_LE_OQ)));
        whole = _mm256_add_epi32(whole, zero);
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(q + i), _mm_packs_epi16(words, words));
    }
#endif
    return i;
}

#if !defined(TENON_DETAIL_INT8_DSP)
// The inputs of a segment's last group, of which only `count` are there; the rest meet zeros.
TENON_ALWAYS_INLINE Inputs broadcast_part(const Operand* x, std::size_t count)
{
    Operand part[group] = {};
    for (std::size_t i = 0; i < count; ++i) part[i] = x[i];
    return broadcast(part);
}
#endif

// Whether two channels' weights lie byte by byte beside each other (Layout::pairs).
#if defined(TENON_DETAIL_INT8_DSP)
inline constexpr bool pairs = true;
#else
inline constexpr bool pairs = false;
#endif

// How a (K, N) matrix of weights lies: panels of panel_registers · lanes channels (the last one only as many registers as it
// needs), in each the groups of inputs one after the other, and of each group the channels with their `group` weights side by
// side. Inputs come in segments (a convolution's rows of taps), each filled up to whole groups with zeros.
//
// With `pairs` (lanes = group = 4) the sixteen bytes of four inputs and four channels lie so that a word holds inputs 0 and 2, or
// 1 and 3, of two channels, byte by byte; the first channel's weights are stored plus 128 (simd/int8_dsp.hpp says what for):
//   a0 b0 a2 b2  a1 b1 a3 b3  c0 d0 c2 d2  c1 d1 c3 d3.
struct Layout {
    std::size_t segments, length, outputs;  // K = segments · length, N
    std::size_t lanes = int8::lanes, group = int8::group, panel_registers = int8::panel_registers;
    bool pairs = int8::pairs;

    constexpr std::size_t groups() const { return (length + group - 1) / group; }  // of a segment
    constexpr std::size_t channels() const { return (outputs + lanes - 1) / lanes * lanes; }
    constexpr std::size_t panel() const { return panel_registers * lanes; }
    constexpr std::size_t size() const { return segments * groups() * group * channels(); }
    constexpr std::size_t index(std::size_t k, std::size_t n) const
    {
        const std::size_t first = n / panel() * panel();
        const std::size_t width = channels() - first < panel() ? channels() - first : panel();
        const std::size_t segment = k / length, at = k % length;
        if (pairs)
            return first * segments * groups() * group + (segment * groups() + at / 4) * 16 + n % 4 / 2 * 8 +
                   at % 2 * 4 + at % 4 / 2 * 2 + n % 2;
        return first * segments * groups() * group + ((segment * groups() + at / group) * width + (n - first)) * group +
               at % group;
    }
    // What is stored for a weight of channel n, and the weight of what is stored.
    constexpr std::int8_t stored(std::int8_t w, std::size_t n) const
    {
        return pairs && n % 2 == 0 ? static_cast<std::int8_t>(w ^ -128) : w;
    }
};

}  // namespace tenon::inline TENON_ISA::simd::int8
