// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/normalize.hpp>
#include <tenon/layers/layer_norm.hpp>
#include <tenon/passes/context.hpp>

namespace tenon::inline TENON_ISA {

// LayerNorm.   x, y: (rows · outer, last)
template <class... Options, class In, class T, std::size_t Rows>
constexpr void forward(Bound<LayerNormWith<Options...>, In>, std::size_t rows, auto parameters, const T* x, T* y,
                       const InferenceContext<T, Rows>&)
{
    kernels::layer_norm<In::last>(rows * In::outer, x, parameters.template get<0>(), parameters.template get<1>(),
                                  static_cast<T>(LayerNormWith<Options...>::epsilon::value), y,
                                  static_cast<T*>(nullptr), static_cast<T*>(nullptr));
}

// Training keeps each vector's mean and 1/sqrt(variance + epsilon).
template <class... Options, class In, class T>
void forward(Bound<LayerNormWith<Options...>, In>, std::size_t rows, auto parameters, const T* x, T* y,
             const TrainingContext<T>& context)
{
    const std::size_t vectors = rows * In::outer;
    kernels::layer_norm<In::last>(vectors, x, parameters.template get<0>(), parameters.template get<1>(),
                                  static_cast<T>(LayerNormWith<Options...>::epsilon::value), y, context.tape,
                                  context.tape + vectors);
}

}  // namespace tenon
