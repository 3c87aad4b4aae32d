// SPDX-License-Identifier: BSL-1.0
// Activations that no layer in front has taken, and pools, on int8.
#pragma once

#include <tenon/network/int8.hpp>
#include <tenon/passes/forward/pool.hpp>

namespace tenon::inline TENON_ISA {

// Any element-wise function but ReLU, by its table; x == y is allowed.
template <class L, class In>
    requires(detail::int8_kind<L> == detail::Int8Kind::table)
constexpr void run_int8(Bound<L, In>, std::size_t rows, const Int8View& view, const std::int8_t* x, std::int8_t* y,
                        std::int8_t*)
{
    kernels::int8_lookup(rows * In::size, x, view.table[0], y);
}

template <class In>
constexpr void run_int8(Bound<Softmax, In>, std::size_t rows, const Int8View& view, const std::int8_t* x,
                        std::int8_t* y, std::int8_t*)
{
    kernels::int8_softmax(rows * In::outer, In::last, x, view.softmax[0], y);
}

// What keeps its input's scale. A ReLU on its own has nothing to do: the layer that makes its input has clamped it
// (model/int8_model.hpp), as the fused activations of TensorFlow Lite are.
template <class L, class In>
    requires(detail::int8_kind<L> == detail::Int8Kind::same)
constexpr void run_int8(Bound<L, In> bound, std::size_t rows, const Int8View&, const std::int8_t* x, std::int8_t* y,
                        std::int8_t*)
{
    if constexpr (passes::is_max_pool<L>)
        kernels::int8_max_pool(rows, passes::pool_shape<typename decltype(bound)::rule>, x, y);
    else if constexpr (passes::is_average_pool<L>)
        kernels::int8_average_pool(rows, passes::pool_shape<typename decltype(bound)::rule>, x, y);
    else if constexpr (std::is_same_v<L, GlobalMaxPool2D>)
        kernels::int8_max_pool(rows, passes::whole_image<In>, x, y);
    else if constexpr (std::is_same_v<L, GlobalAveragePool2D>)
        kernels::int8_average_pool(rows, passes::whole_image<In>, x, y);
    else if (x != y)
        for (std::size_t i = 0; i < rows * In::size; ++i) y[i] = x[i];
}

}  // namespace tenon
