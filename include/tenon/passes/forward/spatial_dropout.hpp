// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/spatial_dropout.hpp>
#include <tenon/layers/spatial_dropout.hpp>
#include <tenon/passes/context.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// The decision for (row, channel) is drawn from the counter row · channels + channel: forward and backward pass, and every
// split of the rows, see the same mask, and nothing need be kept.
template <class Layer, class In, class T>
void spatial_dropout(std::size_t rows, const T* in, T* out, const TrainingContext<T>& context)
{
    const Random random{Seed{mix_bits(context.seed.value) ^ context.step}, context.stream};
    constexpr auto threshold = static_cast<std::uint64_t>(Layer::rate * 0x1p32);
    const T scale = static_cast<T>(1.0 / (1.0 - Layer::rate));
    for (std::size_t r = 0; r < rows; ++r) {
        const std::uint64_t first = (context.first_row + r) * In::last;
        const auto keeps = [&](std::size_t c) { return (random.bits_at(first + c) & 0xffffffffu) >= threshold; };
        kernels::spatial_dropout(In::outer, In::last, scale, keeps, in + r * In::size, out + r * In::size);
    }
}

}  // namespace passes

// The identity. (A network at inference has no Dropout left; this serves a block of nothing else.)
template <class Rate, class In, class T, std::size_t Rows>
constexpr void forward(Bound<SpatialDropout<Rate>, In>, std::size_t rows, auto, const T* x, T* y,
                       const InferenceContext<T, Rows>&)
{
    for (std::size_t i = 0; i < rows * In::size; ++i) y[i] = x[i];
}

template <class Rate, class In, class T>
void forward(Bound<SpatialDropout<Rate>, In>, std::size_t rows, auto, const T* x, T* y,
             const TrainingContext<T>& context)
{
    passes::spatial_dropout<SpatialDropout<Rate>, In>(rows, x, y, context);
}

}  // namespace tenon
