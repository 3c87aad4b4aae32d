// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/layers/dropout.hpp>
#include <tenon/passes/context.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// out = keep ? in / (1 - rate) : 0. The decision for (row, position) is drawn from the counter row · size + position, so
// forward and backward pass, and every split of the rows, see the same mask, and nothing need be kept.
template <class Rate, std::size_t Size, class T>
void dropout(std::size_t rows, const T* in, T* out, const TrainingContext<T>& context)
{
    const Random random{Seed{mix_bits(context.seed.value) ^ context.step}, context.stream};
    constexpr auto threshold = static_cast<std::uint64_t>(Rate::rate * 0x1p32);
    const T scale = static_cast<T>(1.0 / (1.0 - Rate::rate));
    const std::uint64_t first = context.first_row * Size;
    for (std::size_t i = 0; i < rows * Size; ++i) {
        // Two decisions a draw: 32 bits are plenty for a rate.
        const std::uint64_t counter = first + i;
        const std::uint64_t bits = (random.bits_at(counter / 2) >> (counter % 2 * 32)) & 0xffffffffu;
        out[i] = bits >= threshold ? in[i] * scale : T{0};
    }
}

}  // namespace passes

// The identity. (A network at inference has no Dropout left; this serves a block of nothing else.)
template <class Rate, class In, class T, std::size_t Rows>
constexpr void forward(Bound<Dropout<Rate>, In>, std::size_t rows, auto, const T* x, T* y,
                       const InferenceContext<T, Rows>&)
{
    for (std::size_t i = 0; i < rows * In::size; ++i) y[i] = x[i];
}

template <class Rate, class In, class T>
void forward(Bound<Dropout<Rate>, In>, std::size_t rows, auto, const T* x, T* y, const TrainingContext<T>& context)
{
    passes::dropout<Dropout<Rate>, In::size>(rows, x, y, context);
}

}  // namespace tenon
