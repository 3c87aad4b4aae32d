// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/dropout.hpp>

namespace tenon::inline TENON_ISA {

// The same mask on the gradient.
template <class Rate, class In, class T>
void backward(Bound<Dropout<Rate>, In>, std::size_t rows, auto, const auto&, const T*, const T*, T* dy, T* dx,
              const TrainingContext<T>& context)
{
    if (dx != nullptr) passes::dropout<Dropout<Rate>, In::size>(rows, dy, dx, context);
}

}  // namespace tenon
