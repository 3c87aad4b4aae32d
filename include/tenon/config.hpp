// SPDX-License-Identifier: BSL-1.0
//
// Configuration by macros: the compiler's dialect, and the instruction set that a translation unit is compiled for.
// A user may define TENON_FORCE_SCALAR (before the first include, in every translation unit alike) to do without SIMD.
#pragma once

// TENON_ISA names an inline namespace around everything in tenon. Functions compiled for different instruction sets get
// different names, so that one program may contain several builds of the library: without it the linker would keep any
// one copy of each inline function, and an old processor would meet AVX-512 code (SIGILL).
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#    if defined(__AVX512VNNI__)
#        define TENON_DETAIL_ISA avx512_vnni
#    else
#        define TENON_DETAIL_ISA avx512
#    endif
#elif defined(__AVX512F__)
#    define TENON_DETAIL_ISA avx512f
#elif defined(__AVX2__) && defined(__FMA__)
#    define TENON_DETAIL_ISA avx2_fma
#elif defined(__AVX2__)
#    define TENON_DETAIL_ISA avx2
#elif defined(__AVX__) && defined(__FMA__)
#    define TENON_DETAIL_ISA avx_fma
#elif defined(__AVX__)
#    define TENON_DETAIL_ISA avx
#elif defined(__SSE4_2__)
#    define TENON_DETAIL_ISA sse4_2
#elif defined(__SSE4_1__)
#    define TENON_DETAIL_ISA sse4_1
#elif defined(__SSSE3__)
#    define TENON_DETAIL_ISA ssse3
#elif defined(__SSE2__) || defined(__x86_64__) || defined(_M_X64)
#    define TENON_DETAIL_ISA sse2
#elif (defined(__aarch64__) || defined(_M_ARM64)) && defined(__ARM_FEATURE_DOTPROD)
#    define TENON_DETAIL_ISA neon64_dot
#elif defined(__aarch64__) || defined(_M_ARM64)
#    define TENON_DETAIL_ISA neon64
#elif defined(__ARM_NEON)
#    define TENON_DETAIL_ISA neon
#elif defined(__ARM_FEATURE_DSP)
#    define TENON_DETAIL_ISA armv7em
#else
#    define TENON_DETAIL_ISA generic
#endif

#define TENON_DETAIL_CONCAT(a, b) a##b
#define TENON_DETAIL_JOIN(a, b) TENON_DETAIL_CONCAT(a, b)
#ifdef TENON_FORCE_SCALAR
#    define TENON_ISA TENON_DETAIL_JOIN(isa_scalar_, TENON_DETAIL_ISA)
#else
#    define TENON_ISA TENON_DETAIL_JOIN(isa_, TENON_DETAIL_ISA)
#endif

// 1 where SIMD registers are used (through xsimd), 0 where every pack has one lane: on request, and on targets without a
// vector unit that xsimd knows (Cortex-M; 32-bit NEON flushes denormals and has no double, so it counts as without).
#if !defined(TENON_FORCE_SCALAR) && (defined(__SSE2__) || defined(_M_X64) || defined(__aarch64__) || defined(_M_ARM64))
#    define TENON_SIMD 1
#else
#    define TENON_SIMD 0
#endif

#if defined(__GNUC__) || defined(__clang__)
#    define TENON_ALWAYS_INLINE __attribute__((always_inline)) inline
#    define TENON_LAMBDA_INLINE __attribute__((always_inline))  // after a lambda's parameter list
#    define TENON_NOINLINE __attribute__((noinline))
#    define TENON_RESTRICT __restrict__
#else
#    define TENON_ALWAYS_INLINE __forceinline
#    define TENON_LAMBDA_INLINE
#    define TENON_NOINLINE __declspec(noinline)
#    define TENON_RESTRICT __restrict
#endif

// Before a loop of few constant steps: unroll it entirely, whatever the optimisation level thinks of its size. Register
// tiles are arrays indexed in such loops; only unrolled do their elements become registers.
// TENON_UNROLL_BY(n) repeats the body of a loop of unknown length.
#define TENON_DETAIL_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#    define TENON_UNROLL_BY(n) TENON_DETAIL_PRAGMA(clang loop unroll_count(n))
#    define TENON_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#    define TENON_UNROLL_BY(n) TENON_DETAIL_PRAGMA(GCC unroll n)
#    define TENON_UNROLL _Pragma("GCC unroll 32")
#else
#    define TENON_UNROLL
#    define TENON_UNROLL_BY(n)
#endif

// 1 where the translation unit is compiled with exceptions; errors are thrown there and returned as Result otherwise.
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#    define TENON_EXCEPTIONS 1
#else
#    define TENON_EXCEPTIONS 0
#endif
