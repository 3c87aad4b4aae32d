// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/pool.hpp>

namespace tenon::inline TENON_ISA {

template <class L, class In, class T>
    requires passes::is_max_pool<L>
void backward(Bound<L, In> bound, std::size_t rows, auto, const auto&, const T* x, const T* y, T* dy, T* dx,
              const TrainingContext<T>&)
{
    if (dx != nullptr)
        kernels::max_pool_gradient(rows, passes::pool_shape<typename decltype(bound)::rule>, x, y,
                                   static_cast<const T*>(dy), dx);
}
template <class L, class In, class T>
    requires passes::is_average_pool<L>
void backward(Bound<L, In> bound, std::size_t rows, auto, const auto&, const T*, const T*, T* dy, T* dx,
              const TrainingContext<T>&)
{
    if (dx != nullptr)
        kernels::average_pool_gradient(rows, passes::pool_shape<typename decltype(bound)::rule>,
                                       static_cast<const T*>(dy), dx);
}
template <class In, class T>
void backward(Bound<GlobalMaxPool2D, In>, std::size_t rows, auto, const auto&, const T* x, const T* y, T* dy, T* dx,
              const TrainingContext<T>&)
{
    if (dx != nullptr) kernels::max_pool_gradient(rows, passes::whole_image<In>, x, y, static_cast<const T*>(dy), dx);
}
template <class In, class T>
void backward(Bound<GlobalAveragePool2D, In>, std::size_t rows, auto, const auto&, const T*, const T*, T* dy, T* dx,
              const TrainingContext<T>&)
{
    if (dx != nullptr) kernels::average_pool_gradient(rows, passes::whole_image<In>, static_cast<const T*>(dy), dx);
}

}  // namespace tenon
