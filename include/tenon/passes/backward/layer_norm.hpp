// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/layer_norm.hpp>

namespace tenon::inline TENON_ISA {

template <class... Options, class In, class T>
void backward(Bound<LayerNormWith<Options...>, In>, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T*, T* dy, T* dx, const TrainingContext<T>& context)
{
    const std::size_t vectors = rows * In::outer;
    kernels::layer_norm_gradient<In::last>(vectors, x, parameters.template get<0>(), context.tape,
                                           context.tape + vectors, dy, dx, gradients.template get<0>(),
                                           gradients.template get<1>());
}

}  // namespace tenon
