// SPDX-License-Identifier: BSL-1.0
// What the machine can multiply and add: the limit of every matrix product.
#pragma once

#include "../../support/contest.hpp"

#include <cstdint>

namespace contest::with_raw {

#if defined(__AVX512F__)
constexpr std::size_t vector_bytes = 64;
#elif defined(__AVX__)
constexpr std::size_t vector_bytes = 32;
#else
constexpr std::size_t vector_bytes = 16;
#endif
typedef float Vector __attribute__((vector_size(vector_bytes)));

// Twelve independent chains cover latency 4 to 6 at two per cycle, and stay in 16 registers.
inline void fma_peak(benchmark::State& state)
{
    constexpr int chains = 12, repeats = 256;
    Vector sums[chains];
    for (Vector& sum : sums) sum = Vector{} + 1.0f;
    Vector factor = Vector{} + 0.999f, term = Vector{} + 0.001f;
    asm volatile("" : "+x"(factor), "+x"(term));
    for ([[maybe_unused]] auto _ : state)
        for (int i = 0; i < repeats; ++i) {
            for (Vector& sum : sums) sum = sum * factor + term;
            asm volatile("");  // one pass of the loop stays one pass
        }
    for (const Vector& sum : sums) asm volatile("" : : "x"(sum));
    state.SetItemsProcessed(state.iterations() * 2 * chains * repeats *
                            static_cast<std::int64_t>(vector_bytes / sizeof(float)));
}

}  // namespace contest::with_raw
