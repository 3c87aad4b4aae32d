// SPDX-License-Identifier: BSL-1.0
//
// One row times a matrix in panels: a walk over the weights at the speed of the cache that holds them. Extents are
// constants here, since a small network is all overhead otherwise. Stored: the weights' type in memory.
//
// Order of summation: where a layer has too few columns to keep the multiply-add units busy, its depth is dealt out to
// several sums (k = 0, S, 2S, … to the first) that are added as a tree. So the last bits may differ from those of the
// same row in a batch.
#pragma once

#include <tenon/config.hpp>
#include <tenon/kernels/gemm.hpp>
#include <tenon/simd/half.hpp>
#include <tenon/simd/pack.hpp>
#include <tenon/simd/panels.hpp>

#include <cstddef>

namespace tenon::inline TENON_ISA::kernels::detail {

// Sums in flight: two units with a latency of four (x86, recent ARM).
inline constexpr std::size_t gemv_sums = 8;

// How many sums share one column: more until the units are busy, but each should get four products at least.
constexpr std::size_t gemv_split(std::size_t depth, std::size_t registers)
{
    std::size_t split = 1;
    while (split * registers * 2 <= gemv_sums && split * 8 <= depth) split *= 2;
    return split;
}

// Columns of G neighbouring panels of V registers each; the first `valid` of the last register are stored.
template <class P, std::size_t K, std::size_t G, std::size_t V, std::size_t Valid, class T, class Stored,
          class Epilogue>
TENON_ALWAYS_INLINE void gemv_columns(const T* x, const Stored* w, const Stored* bias, T* y, const Epilogue& epilogue)
{
    constexpr std::size_t W = P::size, width = V * W, S = gemv_split(K, G * V);
    constexpr bool from_afar = K * width * G * sizeof(Stored) >
                               16 * 1024;  // more than the first-level cache has at hand

    P sum[S][G][V];
    TENON_UNROLL
    for (std::size_t g = 0; g < G; ++g) {
        if (bias == nullptr) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) sum[0][g][v] = P(T(0));
        } else {
            simd::load_some_order(bias + g * width, sum[0][g]);
        }
        TENON_UNROLL
        for (std::size_t s = 1; s < S; ++s) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) sum[s][g][v] = P(T(0));
        }
    }

    const auto products = [&](std::size_t k, std::size_t s) TENON_LAMBDA_INLINE {
        const P a = x[k];
        TENON_UNROLL
        for (std::size_t g = 0; g < G; ++g) {
            const Stored* row = w + g * K * width + k * width;
            if constexpr (from_afar) {
                TENON_UNROLL
                for (std::size_t v = 0; v < V; ++v)
                    if (v * W * sizeof(Stored) % 64 == 0) simd::prefetch(row + v * W + 512 / sizeof(Stored));
            }
            P b[V];
            simd::load_some_order(row, b);
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) sum[s][g][v] = fma(a, b[v], sum[s][g][v]);
        }
    };
    constexpr std::size_t whole = K / S * S;
    const auto step = [&](std::size_t k) TENON_LAMBDA_INLINE {
        TENON_UNROLL
        for (std::size_t s = 0; s < S; ++s) products(k + s, s);
    };
    if constexpr (K * G * V <= 64) {
        TENON_UNROLL
        for (std::size_t k = 0; k < whole; k += S) step(k);
    } else {
        for (std::size_t k = 0; k < whole; k += S) step(k);
    }
    TENON_UNROLL
    for (std::size_t s = 0; s < K - whole; ++s) products(whole + s, s);

    TENON_UNROLL
    for (std::size_t half = S / 2; half != 0; half /= 2) {
        TENON_UNROLL
        for (std::size_t s = 0; s < half; ++s) {
            TENON_UNROLL
            for (std::size_t g = 0; g < G; ++g) {
                TENON_UNROLL
                for (std::size_t v = 0; v < V; ++v) sum[s][g][v] += sum[s + half][g][v];
            }
        }
    }
    TENON_UNROLL
    for (std::size_t g = 0; g < G; ++g) {
        simd::in_order<Stored>(sum[0][g]);
        TENON_UNROLL
        for (std::size_t v = 0; v < V; ++v) {
            const P result = epilogue(sum[0][g][v]);
            T* to = y + g * width + v * W;
            if (g + 1 < G || v + 1 < V || Valid == W)
                result.store(to);
            else
                result.store_partial(to, Valid);
        }
    }
}

// Without SIMD: up to eight columns at a time, row-major.
template <std::size_t K, std::size_t N, std::size_t Count, class T, class Stored, class Epilogue>
TENON_ALWAYS_INLINE void gemv_scalars(const T* x, const Stored* w, const Stored* bias, T* y, const Epilogue& epilogue)
{
    using P = simd::Pack<T, 1>;
    P sum[Count];
    TENON_UNROLL
    for (std::size_t i = 0; i < Count; ++i) sum[i] = bias == nullptr ? P(T(0)) : simd::load_widened<P>(bias + i);
    for (std::size_t k = 0; k < K; ++k) {
        const P a = x[k];
        TENON_UNROLL
        for (std::size_t i = 0; i < Count; ++i) sum[i] = fma(a, simd::load_widened<P>(w + k * N + i), sum[i]);
    }
    TENON_UNROLL
    for (std::size_t i = 0; i < Count; ++i) epilogue(sum[i]).store(y + i);
}

// y = f(bias + x · w).   x: K, w: (K, N) in panels, bias: padded columns or null, y: N
template <class T, std::size_t K, std::size_t N, class Stored, class Epilogue>
TENON_ALWAYS_INLINE void gemv_inline(const T* x, const Stored* w, const Stored* bias, T* y, const Epilogue& epilogue)
{
    constexpr std::size_t W = simd::width<T>;
    const auto bias_at = [bias](std::size_t n) TENON_LAMBDA_INLINE { return bias == nullptr ? nullptr : bias + n; };
    if constexpr (W == 1) {
        constexpr std::size_t count = 8, whole = N / count * count;
        for (std::size_t n = 0; n < whole; n += count) gemv_scalars<K, N, count>(x, w + n, bias_at(n), y + n, epilogue);
        if constexpr (whole != N) gemv_scalars<K, N, N - whole>(x, w + whole, bias_at(whole), y + whole, epilogue);
    } else {
        using L = simd::Panels<T, K, N>;
        using P = simd::Pack<T, W>;
        constexpr std::size_t V = simd::panel_registers, width = L::full_width, group = gemv_sums / V;
        constexpr std::size_t grouped = L::full_panels / group * group;
        for (std::size_t p = 0; p < grouped; p += group)
            gemv_columns<P, K, group, V, W>(x, w + p * K * width, bias_at(p * width), y + p * width, epilogue);
        if constexpr (grouped != L::full_panels)
            gemv_columns<P, K, L::full_panels - grouped, V, W>(x, w + grouped * K * width, bias_at(grouped * width),
                                                               y + grouped * width, epilogue);
        if constexpr (L::last_width != 0) {
            using Last = PanelRegisters<T, L::last_width>;
            constexpr std::size_t n = L::full_panels * width;
            gemv_columns<typename Last::pack, K, 1, Last::count, L::rest - (Last::count - 1) * Last::lanes>(
                x, w + n * K, bias_at(n), y + n, epilogue);
        }
    }
}

template <class T, std::size_t K, std::size_t N, class Stored, class Epilogue>
TENON_NOINLINE void gemv_called(const T* x, const Stored* w, const Stored* bias, T* y, const Epilogue& epilogue)
{
    gemv_inline<T, K, N>(x, w, bias, y, epilogue);
}

// A call and its spilled registers cost a few nanoseconds: worth avoiding where the product itself takes few.
template <class T, std::size_t K, std::size_t N, class Stored, class Epilogue>
TENON_ALWAYS_INLINE void gemv(const T* x, const Stored* w, const Stored* bias, T* y, const Epilogue& epilogue)
{
    if constexpr (simd::width < T >> 1 && simd::Panels<T, K, N>::size / simd::width<T> <= 64)
        gemv_inline<T, K, N>(x, w, bias, y, epilogue);
    else
        gemv_called<T, K, N>(x, w, bias, y, epilogue);
}

}  // namespace tenon::inline TENON_ISA::kernels::detail
