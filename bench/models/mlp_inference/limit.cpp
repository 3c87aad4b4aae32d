// SPDX-License-Identifier: BSL-1.0
// The machine's limit for one row of 784-128-10: its weights are larger than the first-level cache and are needed once
// per call, so no call is faster than reading them from the second level.
#include "inference.hpp"

namespace contest::with_limit {

#if defined(__AVX512F__)
constexpr std::size_t vector_bytes = 64;
#elif defined(__AVX__)
constexpr std::size_t vector_bytes = 32;
#else
constexpr std::size_t vector_bytes = 16;
#endif
typedef float Vector __attribute__((vector_size(vector_bytes)));

template <class Case>
void read_weights(benchmark::State& state)
{
    std::size_t count = 0;
    for (std::size_t l = 0; l < Case::layers; ++l) count += (Case::widths[l] + 1) * Case::widths[l + 1];
    constexpr std::size_t step = 8 * vector_bytes / sizeof(float);
    const Buffer weights(count / step * step, 1.0f);
    const float* values = weights.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(values);
        Vector sums[8] = {};
        for (std::size_t i = 0; i < weights.size(); i += step)
            for (std::size_t v = 0; v < 8; ++v)
                sums[v] += *reinterpret_cast<const Vector*>(values + i + v * vector_bytes / sizeof(float));
        for (const Vector& sum : sums) asm volatile("" : : "x"(sum));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(Case::rows));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(weights.size() * sizeof(float)));
}

using Case = Mlp<Activation::relu, 1, 784, 128, 10>;
const bool enlisted = add({"mlp_inference/" + Case::name(), "read-weights", Role::limit, Show::time},
                          read_weights<Case>);

}  // namespace contest::with_limit
