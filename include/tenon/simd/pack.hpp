// SPDX-License-Identifier: BSL-1.0
//
// Pack<T, W>: W values of type float or double that are computed on together. W == 1 is plain arithmetic without any
// SIMD: it works in constant expressions and on targets without vectors. Wider packs wrap xsimd batches, whose version
// differences (Debian 12 has 8.1, current is 14) end here. This folder is the only one that knows xsimd or intrinsics.
#pragma once

#include <tenon/config.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#if TENON_SIMD
#    include <xsimd/xsimd.hpp>
#endif

namespace tenon::inline TENON_ISA::simd {

template <class T, std::size_t W>
struct Pack;

// One truth value per lane of Pack<T, W>.
template <class T, std::size_t W>
struct Mask;

namespace detail {

template <class T>
struct Bits;
template <>
struct Bits<float> {
    using type = std::uint32_t;
    static constexpr int mantissa = 23;
    static constexpr int bias = 127;
};
template <>
struct Bits<double> {
    using type = std::uint64_t;
    static constexpr int mantissa = 52;
    static constexpr int bias = 1023;
};

// 1.5 · 2^mantissa: adding it to a small whole number puts that number into the low bits of the sum.
template <class T>
inline constexpr T magic = static_cast<T>(std::uint64_t{3} << (Bits<T>::mantissa - 1));

#if defined(__FMA__) || defined(__aarch64__) || (defined(__ARM_FEATURE_FMA) && defined(__ARM_FP) && (__ARM_FP & 8))
inline constexpr bool fast_fma_double = true;
#else
inline constexpr bool fast_fma_double = false;
#endif
#if defined(__FMA__) || defined(__aarch64__) || defined(__ARM_FEATURE_FMA)
inline constexpr bool fast_fma_float = true;
#else
inline constexpr bool fast_fma_float = false;
#endif

#if TENON_SIMD
template <class T, std::size_t W>
using batch_of = xsimd::make_sized_batch_t<T, W>;

template <class T, std::size_t W>
concept HasBatch = (std::is_same_v<T, float> || std::is_same_v<T, double>)&&W > 1 && !std::is_void_v<batch_of<T, W>>;

// Read from the middle leftwards: masks of n ones.
alignas(64) inline constexpr std::int32_t ones_then_zeros_32[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
alignas(64) inline constexpr std::int64_t ones_then_zeros_64[8] = {-1, -1, -1, -1};

// Vectors of the compiler, for bit patterns: both g++ and clang lower their shifts and logic on every target.
template <class T, std::size_t Bytes>
struct BitVector;
template <>
struct BitVector<float, 16> {
    typedef std::uint32_t type __attribute__((vector_size(16)));
};
template <>
struct BitVector<double, 16> {
    typedef std::uint64_t type __attribute__((vector_size(16)));
};
template <>
struct BitVector<float, 32> {
    typedef std::uint32_t type __attribute__((vector_size(32)));
};
template <>
struct BitVector<double, 32> {
    typedef std::uint64_t type __attribute__((vector_size(32)));
};
template <>
struct BitVector<float, 64> {
    typedef std::uint32_t type __attribute__((vector_size(64)));
};
template <>
struct BitVector<double, 64> {
    typedef std::uint64_t type __attribute__((vector_size(64)));
};

// Vectors of N integers, for conversions (a size that depends on a template parameter is lost on g++).
template <std::size_t N>
struct IntegerVectors;
template <>
struct IntegerVectors<2> {
    typedef std::uint8_t bytes __attribute__((vector_size(2)));
    typedef std::int32_t words __attribute__((vector_size(8)));
};
template <>
struct IntegerVectors<4> {
    typedef std::uint8_t bytes __attribute__((vector_size(4)));
    typedef std::int32_t words __attribute__((vector_size(16)));
};
template <>
struct IntegerVectors<8> {
    typedef std::uint8_t bytes __attribute__((vector_size(8)));
    typedef std::int32_t words __attribute__((vector_size(32)));
};
template <>
struct IntegerVectors<16> {
    typedef std::uint8_t bytes __attribute__((vector_size(16)));
    typedef std::int32_t words __attribute__((vector_size(64)));
};
#endif

}  // namespace detail

// Whether Pack<T, W> exists for this target. W == 1 always does.
template <class T, std::size_t W>
inline constexpr bool has_width =
#if TENON_SIMD
    W == 1 || detail::HasBatch<T, W>;
#else
    W == 1;
#endif

// The widest W of Pack<T, W>: 16, 8 or 4 floats with AVX-512, AVX or SSE and NEON; 1 without SIMD.
template <class T>
inline constexpr std::size_t width = has_width<T, 64 / sizeof(T)>   ? 64 / sizeof(T)
                                     : has_width<T, 32 / sizeof(T)> ? 32 / sizeof(T)
                                     : has_width<T, 16 / sizeof(T)> ? 16 / sizeof(T)
                                                                    : 1;

// Number of vector registers: what a register tile can count on.
inline constexpr std::size_t register_count =
#if defined(__AVX512F__) || defined(__aarch64__) || defined(_M_ARM64)
    32;
#else
    16;
#endif

// Asks the cache for the line at p; never faults, and does nothing where the target has no such instruction.
TENON_ALWAYS_INLINE void prefetch([[maybe_unused]] const void* p)
{
#if TENON_SIMD
    __builtin_prefetch(p);
#endif
}

// ---- one lane: plain scalars, all of it constexpr ----------------------------------------------------------------

template <class T>
struct Mask<T, 1> {
    bool lanes;

    friend TENON_ALWAYS_INLINE constexpr Mask operator&(Mask a, Mask b) { return {a.lanes && b.lanes}; }
    friend TENON_ALWAYS_INLINE constexpr Mask operator|(Mask a, Mask b) { return {a.lanes || b.lanes}; }
    friend TENON_ALWAYS_INLINE constexpr Mask operator!(Mask a) { return {!a.lanes}; }
    friend TENON_ALWAYS_INLINE constexpr bool any(Mask a) { return a.lanes; }
    friend TENON_ALWAYS_INLINE constexpr bool all(Mask a) { return a.lanes; }
    friend TENON_ALWAYS_INLINE constexpr std::uint32_t bits(Mask a) { return a.lanes; }
};

template <class T>
struct Pack<T, 1> {
    using value_type = T;
    using mask_type = Mask<T, 1>;
    using bits_type = typename detail::Bits<T>::type;
    static constexpr std::size_t size = 1;

    T lanes;

    Pack() = default;
    TENON_ALWAYS_INLINE constexpr Pack(T value) : lanes(value) {}

    static TENON_ALWAYS_INLINE constexpr Pack load(const T* p) { return *p; }
    TENON_ALWAYS_INLINE constexpr void store(T* p) const { *p = lanes; }
    static TENON_ALWAYS_INLINE constexpr Pack load_partial(const T* p, std::size_t n) { return n ? *p : T(0); }
    TENON_ALWAYS_INLINE constexpr void store_partial(T* p, std::size_t n) const
    {
        if (n) *p = lanes;
    }
    static TENON_ALWAYS_INLINE constexpr Pack from_bits(bits_type bits) { return std::bit_cast<T>(bits); }

    friend TENON_ALWAYS_INLINE constexpr Pack operator+(Pack a, Pack b) { return a.lanes + b.lanes; }
    friend TENON_ALWAYS_INLINE constexpr Pack operator-(Pack a, Pack b) { return a.lanes - b.lanes; }
    friend TENON_ALWAYS_INLINE constexpr Pack operator*(Pack a, Pack b) { return a.lanes * b.lanes; }
    friend TENON_ALWAYS_INLINE constexpr Pack operator/(Pack a, Pack b) { return a.lanes / b.lanes; }
    friend TENON_ALWAYS_INLINE constexpr Pack operator-(Pack a) { return -a.lanes; }
    TENON_ALWAYS_INLINE constexpr Pack& operator+=(Pack b) { return *this = *this + b; }
    TENON_ALWAYS_INLINE constexpr Pack& operator-=(Pack b) { return *this = *this - b; }
    TENON_ALWAYS_INLINE constexpr Pack& operator*=(Pack b) { return *this = *this * b; }
    TENON_ALWAYS_INLINE constexpr Pack& operator/=(Pack b) { return *this = *this / b; }

    friend TENON_ALWAYS_INLINE constexpr mask_type operator<(Pack a, Pack b) { return {a.lanes < b.lanes}; }
    friend TENON_ALWAYS_INLINE constexpr mask_type operator<=(Pack a, Pack b) { return {a.lanes <= b.lanes}; }
    friend TENON_ALWAYS_INLINE constexpr mask_type operator>(Pack a, Pack b) { return {a.lanes > b.lanes}; }
    friend TENON_ALWAYS_INLINE constexpr mask_type operator>=(Pack a, Pack b) { return {a.lanes >= b.lanes}; }
    friend TENON_ALWAYS_INLINE constexpr mask_type operator==(Pack a, Pack b) { return {a.lanes == b.lanes}; }
    friend TENON_ALWAYS_INLINE constexpr mask_type operator!=(Pack a, Pack b) { return {a.lanes != b.lanes}; }

    friend TENON_ALWAYS_INLINE constexpr Pack fma(Pack a, Pack b, Pack c)
    {
        if (!std::is_constant_evaluated()) {
            if constexpr (std::is_same_v<T, float> && detail::fast_fma_float)
                return __builtin_fmaf(a.lanes, b.lanes, c.lanes);
            if constexpr (std::is_same_v<T, double> && detail::fast_fma_double)
                return __builtin_fma(a.lanes, b.lanes, c.lanes);
        }
        return a.lanes * b.lanes + c.lanes;
    }
    friend TENON_ALWAYS_INLINE constexpr Pack max(Pack a, Pack b) { return a.lanes > b.lanes ? a.lanes : b.lanes; }
    friend TENON_ALWAYS_INLINE constexpr Pack min(Pack a, Pack b) { return a.lanes < b.lanes ? a.lanes : b.lanes; }
    friend TENON_ALWAYS_INLINE constexpr Pack abs(Pack a)
    {
        return from_bits(std::bit_cast<bits_type>(a.lanes) & (bits_type(-1) >> 1));
    }
    friend TENON_ALWAYS_INLINE constexpr Pack select(mask_type m, Pack a, Pack b)
    {
        return m.lanes ? a.lanes : b.lanes;
    }
    friend TENON_ALWAYS_INLINE constexpr T reduce_add(Pack a) { return a.lanes; }
    friend TENON_ALWAYS_INLINE constexpr T reduce_max(Pack a) { return a.lanes; }

    friend constexpr Pack sqrt(Pack a)
    {
        if (!std::is_constant_evaluated()) {
            if constexpr (std::is_same_v<T, float>)
                return __builtin_sqrtf(a.lanes);
            else
                return __builtin_sqrt(a.lanes);
        }
        // Newton's iteration from above; falls until it has converged.
        if (!(a.lanes > T(0)) || a.lanes == a.lanes * T(2))
            return a.lanes < T(0) ? (a.lanes - a.lanes) / T(0) : a.lanes;
        T root = a.lanes > T(1) ? a.lanes : T(1);
        for (T next = (root + a.lanes / root) / T(2); next < root; next = (root + a.lanes / root) / T(2)) root = next;
        return root;
    }

    // Nearest whole number, halves to even; ±inf, NaN and the sign of zero pass through.
    friend TENON_ALWAYS_INLINE constexpr Pack round(Pack a)
    {
        constexpr T whole = static_cast<T>(std::uint64_t{1} << detail::Bits<T>::mantissa);
        const T magnitude = abs(a).lanes;
        const T nearest = (magnitude + whole) - whole;
        return magnitude < whole ? copy_sign(nearest, a) : a;
    }

    // Bit patterns as unsigned integers of T's size.
    friend TENON_ALWAYS_INLINE constexpr Pack bit_and(Pack a, Pack b) { return from_bits(a.bits() & b.bits()); }
    friend TENON_ALWAYS_INLINE constexpr Pack bit_or(Pack a, Pack b) { return from_bits(a.bits() | b.bits()); }
    friend TENON_ALWAYS_INLINE constexpr Pack bit_xor(Pack a, Pack b) { return from_bits(a.bits() ^ b.bits()); }
    template <int S>
    TENON_ALWAYS_INLINE constexpr Pack bit_shift_left() const
    {
        return from_bits(bits() << S);
    }
    template <int S>
    TENON_ALWAYS_INLINE constexpr Pack bit_shift_right() const
    {
        return from_bits(bits() >> S);
    }

    // The magnitude of a with the sign of s.
    friend TENON_ALWAYS_INLINE constexpr Pack copy_sign(Pack a, Pack s)
    {
        constexpr bits_type sign = bits_type(1) << (sizeof(T) * 8 - 1);
        return from_bits((a.bits() & ~sign) | (s.bits() & sign));
    }

private:
    TENON_ALWAYS_INLINE constexpr bits_type bits() const { return std::bit_cast<bits_type>(lanes); }
};

// ---- several lanes -----------------------------------------------------------------------------------------------

#if TENON_SIMD

// g++ 12 warns of an uninitialised value inside some AVX-512 intrinsics (its bug 105593), into which xsimd's functions
// lead; their zero-masked forms with all lanes set are the same instructions without the warning.
#    if defined(__AVX512F__)
#        define TENON_DETAIL_AVX512(name, ...)                                                   \
            if constexpr (sizeof(register_type) == 64) {                                         \
                if constexpr (sizeof(T) == 4)                                                    \
                    return batch_type(_mm512_maskz_##name##_ps(__mmask16(0xffff), __VA_ARGS__)); \
                else                                                                             \
                    return batch_type(_mm512_maskz_##name##_pd(__mmask8(0xff), __VA_ARGS__));    \
            }
#    else
#        define TENON_DETAIL_AVX512(name, ...)
#    endif

template <class T, std::size_t W>
struct Mask {
    using batch_type = typename detail::batch_of<T, W>::batch_bool_type;
    batch_type lanes;

    friend TENON_ALWAYS_INLINE Mask operator&(Mask a, Mask b) { return {a.lanes & b.lanes}; }
    friend TENON_ALWAYS_INLINE Mask operator|(Mask a, Mask b) { return {a.lanes | b.lanes}; }
    friend TENON_ALWAYS_INLINE Mask operator!(Mask a) { return {!a.lanes}; }
    friend TENON_ALWAYS_INLINE bool any(Mask a) { return xsimd::any(a.lanes); }
    friend TENON_ALWAYS_INLINE bool all(Mask a) { return xsimd::all(a.lanes); }

    // Bit i is lane i.
    friend TENON_ALWAYS_INLINE std::uint32_t bits(Mask a)
    {
        using register_type = typename batch_type::register_type;
        const register_type v = a.lanes;
        if constexpr (sizeof(v) < 16) {  // a mask register. By size: g++ warns of vectors as template arguments
            return v;
        } else {
#    if defined(__AVX__)
            if constexpr (sizeof(v) == 32) {
                if constexpr (sizeof(T) == 4)
                    return static_cast<std::uint32_t>(_mm256_movemask_ps(v));
                else
                    return static_cast<std::uint32_t>(_mm256_movemask_pd(v));
            }
#    endif
#    if defined(__SSE2__)
            if constexpr (sizeof(v) == 16) {
                if constexpr (sizeof(T) == 4)
                    return static_cast<std::uint32_t>(_mm_movemask_ps(v));
                else
                    return static_cast<std::uint32_t>(_mm_movemask_pd(v));
            }
#    else
            std::uint32_t result = 0;
            for (std::size_t i = 0; i < W; ++i) result |= static_cast<std::uint32_t>(v[i] != 0) << i;
            return result;
#    endif
        }
    }
};

// W values of T in one register. Loads and stores need no alignment. max(a, b) and min(a, b) follow the target where an
// operand is NaN (x86 gives b, NEON gives NaN). fma(a, b, c) = a·b + c, rounded once where the target has FMA.
template <class T, std::size_t W>
struct Pack {
    static_assert(detail::HasBatch<T, W>, "tenon: this target has no register of W values: see simd::has_width.");
    using value_type = T;
    using mask_type = Mask<T, W>;
    using batch_type = detail::batch_of<T, W>;
    using register_type = typename batch_type::register_type;
    using bits_type = typename detail::Bits<T>::type;
    using bit_vector = typename detail::BitVector<T, sizeof(T) * W>::type;
    static constexpr std::size_t size = W;

    batch_type lanes;

    Pack() = default;
    TENON_ALWAYS_INLINE Pack(T value) : lanes(value) {}
    TENON_ALWAYS_INLINE Pack(batch_type value) : lanes(value) {}

    static TENON_ALWAYS_INLINE Pack load(const T* p) { return batch_type::load_unaligned(p); }
    TENON_ALWAYS_INLINE void store(T* p) const { lanes.store_unaligned(p); }

    // The first n < W lanes only (n == W is allowed as well); nothing beyond p + n is touched. Missing lanes are 0.
    static TENON_ALWAYS_INLINE Pack load_partial(const T* p, std::size_t n);
    TENON_ALWAYS_INLINE void store_partial(T* p, std::size_t n) const;

    static TENON_ALWAYS_INLINE Pack from_bits(bits_type bits) { return Pack(std::bit_cast<T>(bits)); }

    friend TENON_ALWAYS_INLINE Pack operator+(Pack a, Pack b) { return a.lanes + b.lanes; }
    friend TENON_ALWAYS_INLINE Pack operator-(Pack a, Pack b) { return a.lanes - b.lanes; }
    friend TENON_ALWAYS_INLINE Pack operator*(Pack a, Pack b) { return a.lanes * b.lanes; }
    friend TENON_ALWAYS_INLINE Pack operator/(Pack a, Pack b)
    {
#    if defined(__aarch64__)  // xsimd 8 divides and takes roots by approximation here, as on 32-bit NEON
        if constexpr (sizeof(T) == 4) return batch_type(vdivq_f32(a.lanes, b.lanes));
#    endif
        return a.lanes / b.lanes;
    }
    friend TENON_ALWAYS_INLINE Pack operator-(Pack a) { return bit_xor(a, Pack(T(-0.0))); }
    TENON_ALWAYS_INLINE Pack& operator+=(Pack b) { return *this = *this + b; }
    TENON_ALWAYS_INLINE Pack& operator-=(Pack b) { return *this = *this - b; }
    TENON_ALWAYS_INLINE Pack& operator*=(Pack b) { return *this = *this * b; }
    TENON_ALWAYS_INLINE Pack& operator/=(Pack b) { return *this = *this / b; }

    friend TENON_ALWAYS_INLINE mask_type operator<(Pack a, Pack b) { return {a.lanes < b.lanes}; }
    friend TENON_ALWAYS_INLINE mask_type operator<=(Pack a, Pack b) { return {a.lanes <= b.lanes}; }
    friend TENON_ALWAYS_INLINE mask_type operator>(Pack a, Pack b) { return {b.lanes < a.lanes}; }
    friend TENON_ALWAYS_INLINE mask_type operator>=(Pack a, Pack b) { return {b.lanes <= a.lanes}; }
    friend TENON_ALWAYS_INLINE mask_type operator==(Pack a, Pack b) { return {a.lanes == b.lanes}; }
    friend TENON_ALWAYS_INLINE mask_type operator!=(Pack a, Pack b) { return !(a == b); }  // xsimd 8: wrong for NaN

    friend TENON_ALWAYS_INLINE Pack fma(Pack a, Pack b, Pack c)
    {
        // xsimd 8 multiplies and adds in two steps with AVX-512, and with 128-bit registers where there are wider ones.
#    if defined(__AVX512F__)
        if constexpr (sizeof(T) * W == 64) {
            if constexpr (sizeof(T) == 4)
                return batch_type(_mm512_fmadd_ps(a.lanes, b.lanes, c.lanes));
            else
                return batch_type(_mm512_fmadd_pd(a.lanes, b.lanes, c.lanes));
        }
#    endif
#    if defined(__FMA__)
        if constexpr (sizeof(T) * W == 16) {
            if constexpr (sizeof(T) == 4)
                return batch_type(_mm_fmadd_ps(a.lanes, b.lanes, c.lanes));
            else
                return batch_type(_mm_fmadd_pd(a.lanes, b.lanes, c.lanes));
        }
#    endif
        return xsimd::fma(a.lanes, b.lanes, c.lanes);
    }
    friend TENON_ALWAYS_INLINE Pack max(Pack a, Pack b)
    {
        TENON_DETAIL_AVX512(max, a.lanes, b.lanes)
        return xsimd::max(a.lanes, b.lanes);
    }
    friend TENON_ALWAYS_INLINE Pack min(Pack a, Pack b)
    {
        TENON_DETAIL_AVX512(min, a.lanes, b.lanes)
        return xsimd::min(a.lanes, b.lanes);
    }
    friend TENON_ALWAYS_INLINE Pack abs(Pack a) { return bit_and(a, from_bits(bits_type(-1) >> 1)); }
    friend TENON_ALWAYS_INLINE Pack sqrt(Pack a)
    {
        TENON_DETAIL_AVX512(sqrt, a.lanes)
#    if defined(__aarch64__)
        if constexpr (sizeof(T) == 4) return batch_type(vsqrtq_f32(a.lanes));
#    endif
        return xsimd::sqrt(a.lanes);
    }
    friend TENON_ALWAYS_INLINE Pack select(mask_type m, Pack a, Pack b)
    {
        return xsimd::select(m.lanes, a.lanes, b.lanes);
    }

    // Nearest whole number, halves to even; ±inf, NaN and the sign of zero pass through.
    friend TENON_ALWAYS_INLINE Pack round(Pack a)
    {
#    if defined(__SSE4_1__) || defined(__aarch64__)
        TENON_DETAIL_AVX512(roundscale, a.lanes, _MM_FROUND_TO_NEAREST_INT)
        return xsimd::nearbyint(a.lanes);
#    else
        const Pack whole = static_cast<T>(std::uint64_t{1} << detail::Bits<T>::mantissa);
        const Pack magnitude = abs(a);
        return select(magnitude < whole, copy_sign((magnitude + whole) - whole, a), a);
#    endif
    }

    // Sum and maximum of all lanes, as a tree: the upper half is folded on the lower one until one lane is left.
    friend TENON_ALWAYS_INLINE T reduce_add(Pack a)
    {
        if constexpr (W > 16 / sizeof(T))
            return reduce_add(a.lower() + a.upper());
        else {
            const register_type v = a.lanes;
            if constexpr (W == 4)
                return (v[0] + v[2]) + (v[1] + v[3]);
            else
                return v[0] + v[1];
        }
    }
    friend TENON_ALWAYS_INLINE T reduce_max(Pack a)
    {
        if constexpr (W > 16 / sizeof(T))
            return reduce_max(max(a.lower(), a.upper()));
        else {
            const register_type v = a.lanes;
            T largest = v[0];
            for (std::size_t i = 1; i < W; ++i) largest = v[i] > largest ? v[i] : largest;
            return largest;
        }
    }

    // Bit patterns as unsigned integers of T's size.
    friend TENON_ALWAYS_INLINE Pack bit_and(Pack a, Pack b) { return of_bits(a.bits() & b.bits()); }
    friend TENON_ALWAYS_INLINE Pack bit_or(Pack a, Pack b) { return of_bits(a.bits() | b.bits()); }
    friend TENON_ALWAYS_INLINE Pack bit_xor(Pack a, Pack b) { return of_bits(a.bits() ^ b.bits()); }
    template <int S>
    TENON_ALWAYS_INLINE Pack bit_shift_left() const
    {
        return of_bits(bits() << S);
    }
    template <int S>
    TENON_ALWAYS_INLINE Pack bit_shift_right() const
    {
        return of_bits(bits() >> S);
    }

    // The magnitude of a with the sign of s.
    friend TENON_ALWAYS_INLINE Pack copy_sign(Pack a, Pack s)
    {
        const Pack sign = T(-0.0);
        return of_bits((a.bits() & ~sign.bits()) | (s.bits() & sign.bits()));
    }

    // The half with the first, and with the last W/2 lanes.
    TENON_ALWAYS_INLINE auto lower() const { return half<0>(); }
    TENON_ALWAYS_INLINE auto upper() const { return half<1>(); }

private:
    TENON_ALWAYS_INLINE bit_vector bits() const { return (bit_vector)(static_cast<register_type>(lanes)); }
    static TENON_ALWAYS_INLINE Pack of_bits(bit_vector bits) { return batch_type((register_type)(bits)); }

    template <int Upper>
    TENON_ALWAYS_INLINE Pack<T, W / 2> half() const
    {
        const register_type v = lanes;
#    if defined(__AVX512F__)
        if constexpr (sizeof(v) == 64) {
            const __m512d wide = (__m512d)v;
            const __m256d part = _mm512_maskz_extractf64x4_pd(__mmask8(0xf), wide, Upper);
            return typename Pack<T, W / 2>::batch_type((typename Pack<T, W / 2>::register_type) part);
        }
#    endif
#    if defined(__AVX__)
        if constexpr (sizeof(v) == 32) {
            const __m256d wide = (__m256d)v;
            const __m128d part = Upper ? _mm256_extractf128_pd(wide, 1) : _mm256_castpd256_pd128(wide);
            return typename Pack<T, W / 2>::batch_type((typename Pack<T, W / 2>::register_type) part);
        }
#    endif
    }
};

template <class T, std::size_t W>
TENON_ALWAYS_INLINE Pack<T, W> Pack<T, W>::load_partial(const T* p, std::size_t n)
{
#    if defined(__AVX512F__)
    if constexpr (sizeof(T) * W == 64) {
        const auto mask = (1u << n) - 1u;
        if constexpr (sizeof(T) == 4)
            return batch_type(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p));
        else
            return batch_type(_mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), p));
    } else
#    endif
#    if defined(__AVX__)
        if constexpr (sizeof(T) == 4)
    {
        const std::int32_t* mask = detail::ones_then_zeros_32 + 8 - n;
        if constexpr (W == 8)
            return batch_type(_mm256_maskload_ps(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask))));
        else
            return batch_type(_mm_maskload_ps(p, _mm_loadu_si128(reinterpret_cast<const __m128i*>(mask))));
    } else {
        const std::int64_t* mask = detail::ones_then_zeros_64 + 4 - n;
        if constexpr (W == 4)
            return batch_type(_mm256_maskload_pd(p, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask))));
        else
            return batch_type(_mm_maskload_pd(p, _mm_loadu_si128(reinterpret_cast<const __m128i*>(mask))));
    }
#    else
    {
        if (n == W) return load(p);
        T lane[W] = {};
        for (std::size_t i = 0; i < n; ++i) lane[i] = p[i];
        return load(lane);
    }
#    endif
}

template <class T, std::size_t W>
TENON_ALWAYS_INLINE void Pack<T, W>::store_partial(T* p, std::size_t n) const
{
    if (n == W) return store(p);
#    if defined(__AVX512F__)
    if constexpr (sizeof(T) * W == 64) {
        const auto mask = (1u << n) - 1u;
        if constexpr (sizeof(T) == 4)
            return _mm512_mask_storeu_ps(p, static_cast<__mmask16>(mask), lanes);
        else
            return _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask), lanes);
    }
#    endif
    // By halves: AVX's masked store takes some 20 micro-operations on AMD processors.
    if constexpr (W > 16 / sizeof(T)) {
        if (n >= W / 2) {
            lower().store(p);
            upper().store_partial(p + W / 2, n - W / 2);
        } else
            lower().store_partial(p, n);
    } else {
        const register_type v = lanes;
        for (std::size_t i = 0; i < W - 1; ++i)
            if (i < n) p[i] = v[i];
    }
}

#    undef TENON_DETAIL_AVX512
#endif  // TENON_SIMD

// The P::size bytes from p on, as numbers 0 … 255.
template <class P>
TENON_ALWAYS_INLINE constexpr P load_bytes(const std::uint8_t* p)
{
    using T = typename P::value_type;
    if constexpr (P::size == 1) return P(static_cast<T>(*p));
#if TENON_SIMD
    else {
        using Vectors = detail::IntegerVectors<P::size>;
        using Register = typename P::register_type;
        typename Vectors::bytes packed;
        __builtin_memcpy(&packed, p, P::size);
        // g++ 12 widens bytes one by one unless told the instruction.
#    if defined(__AVX512F__)
        if constexpr (P::size == 16) {
            const __m512i whole = _mm512_maskz_cvtepu8_epi32(__mmask16(0xffff), (__m128i)packed);
            return typename P::batch_type(_mm512_maskz_cvtepi32_ps(__mmask16(0xffff), whole));
        }
#    endif
#    if defined(__AVX2__)
        if constexpr (P::size == 8) {
            const auto whole = (typename Vectors::words)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p));
            return typename P::batch_type(__builtin_convertvector(whole, Register));
        }
#    endif
        const auto whole = __builtin_convertvector(packed, typename Vectors::words);
        return typename P::batch_type(__builtin_convertvector(whole, Register));
    }
#endif
}

// ---- powers of two and the parts of a number, for exp and log ----------------------------------------------------

// 2^n for whole n with 2^n a normal number: n in [-126, 127] in float, [-1022, 1023] in double.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr Pack<T, W> pow2(Pack<T, W> n)
{
    // The low bits of the sum are n + bias; shifting drops all others and leaves an exponent field.
    constexpr int mantissa = detail::Bits<T>::mantissa;
    return (n + Pack<T, W>(detail::magic<T> + T(detail::Bits<T>::bias))).template bit_shift_left<mantissa>();
}

// floor(log2 x) and x / 2^floor(log2 x) in [1, 2), for positive normal x.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr Pack<T, W> exponent(Pack<T, W> x)
{
    constexpr int mantissa = detail::Bits<T>::mantissa;
    constexpr T whole = static_cast<T>(std::uint64_t{1} << mantissa);
    return bit_or(x.template bit_shift_right<mantissa>(), Pack<T, W>(whole)) -
           Pack<T, W>(whole + T(detail::Bits<T>::bias));
}
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr Pack<T, W> mantissa(Pack<T, W> x)
{
    using P = Pack<T, W>;
    using bits_type = typename detail::Bits<T>::type;
    constexpr bits_type field = (bits_type(1) << detail::Bits<T>::mantissa) - 1;
    return bit_or(bit_and(x, P::from_bits(field)), P(T(1)));
}

}  // namespace tenon::inline TENON_ISA::simd
