// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/batch_norm.hpp>
#include <tenon/layers/batch_norm.hpp>
#include <tenon/passes/context.hpp>

namespace tenon::inline TENON_ISA {

// Inference: the moving statistics.
template <class... Options, class In, class T, std::size_t Rows>
constexpr void forward(Bound<BatchNormWith<Options...>, In>, std::size_t rows, auto parameters, const T* x, T* y,
                       const InferenceContext<T, Rows>&)
{
    kernels::scale_channels(rows * In::outer, In::last, x, parameters.template statistic<0>(),
                            parameters.template statistic<1>(), parameters.template get<0>(),
                            parameters.template get<1>(), static_cast<T>(BatchNormWith<Options...>::epsilon::value), y);
}

// Training: the batch's own, kept with 1/sqrt(variance + epsilon) for the backward pass; the moving ones follow.
template <class... Options, class In, class T>
void forward(Bound<BatchNormWith<Options...>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
             const TrainingContext<T>& context)
{
    using B = decltype(bound);
    constexpr std::size_t channels = In::last;
    const T epsilon = static_cast<T>(BatchNormWith<Options...>::epsilon::value);
    T* mean = context.tape;
    T* spread = context.tape + channels;
    kernels::channel_statistics(rows * In::outer, channels, x, mean, spread);
    kernels::scale_channels(rows * In::outer, channels, x, static_cast<const T*>(mean), static_cast<const T*>(spread),
                            parameters.template get<0>(), parameters.template get<1>(), epsilon, y);
    if (context.statistics != nullptr) {
        const ParameterView<B, T> own{nullptr, context.statistics};
        const T gain = static_cast<T>(1.0 - BatchNormWith<Options...>::momentum::value);
        T* moving_mean = own.template statistic<0>();
        T* moving_variance = own.template statistic<1>();
        for (std::size_t c = 0; c < channels; ++c) {
            moving_mean[c] += gain * (mean[c] - moving_mean[c]);
            moving_variance[c] += gain * (spread[c] - moving_variance[c]);
        }
    }
    for (std::size_t c = 0; c < channels; ++c) spread[c] = T(1) / sqrt(simd::Pack<T, 1>(spread[c] + epsilon)).lanes;
}

}  // namespace tenon
