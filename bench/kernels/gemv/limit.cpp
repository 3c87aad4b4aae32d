// SPDX-License-Identifier: BSL-1.0
// The machine's limit: reading as many bytes as the weights have, in order, into eight sums.
#include "problem.hpp"

namespace contest::with_raw {

#if defined(__AVX512F__)
constexpr std::size_t vector_bytes = 64;
#elif defined(__AVX__)
constexpr std::size_t vector_bytes = 32;
#else
constexpr std::size_t vector_bytes = 16;
#endif
typedef float Vector __attribute__((vector_size(vector_bytes)));

template <class Case>
void read_once(benchmark::State& state)
{
    constexpr std::size_t sums = 8, step = vector_bytes / sizeof(float), count = Case::K * Case::N / step;
    Buffer w(Case::K * Case::N, 1.0f);
    const float* input = w.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(input);
        const Vector* const vectors = reinterpret_cast<const Vector*>(input);
        Vector sum[sums] = {};
        // Fewer than eight vectors at the end are left out.
        for (std::size_t i = 0; i + sums <= count; i += sums)
#if defined(__clang__)
#    pragma clang loop unroll(full)
#else
#    pragma GCC unroll 8
#endif
            for (std::size_t s = 0; s < sums; ++s) {
                __builtin_prefetch(input + (i + s) * step + 512 / sizeof(float));
                sum[s] += vectors[i + s];
            }
        for (const Vector& value : sum) asm volatile("" : : "x"(value));
    }
    state.SetItemsProcessed(state.iterations() * Case::flops);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(4 * Case::K * Case::N));
}

template <class... Sizes>
bool enlist_limit(SizeList<Sizes...>)
{
    return (
        add({"gemv/" + std::to_string(Sizes::K) + "x" + std::to_string(Sizes::N), "read-once", Role::limit, Show::time},
            read_once<Sizes>) &&
        ...);
}

const bool enlisted = enlist_limit(GemvSizes{});

}  // namespace contest::with_raw
