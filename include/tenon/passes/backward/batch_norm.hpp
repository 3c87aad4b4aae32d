// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/batch_norm.hpp>

namespace tenon::inline TENON_ISA {

template <class... Options, class In, class T>
void backward(Bound<BatchNormWith<Options...>, In>, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T*, T* dy, T* dx, const TrainingContext<T>& context)
{
    kernels::batch_norm_gradient(rows * In::outer, In::last, x, parameters.template get<0>(),
                                 static_cast<const T*>(context.tape), static_cast<const T*>(context.tape + In::last),
                                 static_cast<const T*>(dy), dx, gradients.template get<0>(),
                                 gradients.template get<1>());
}

}  // namespace tenon
