// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/pool.hpp>
#include <tenon/layers/pool.hpp>
#include <tenon/passes/context.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// The kernel's view of a pooling rule, and of a whole image as one window.
template <class Rule>
inline constexpr kernels::PoolShape pool_shape{Rule::in_height,      Rule::in_width,         Rule::channels,
                                               Rule::window_height,  Rule::window_width,     Rule::stride_height,
                                               Rule::stride_width,   Rule::rows.before,      Rule::columns.before,
                                               Rule::rows.positions, Rule::columns.positions};
template <class In>
inline constexpr kernels::PoolShape whole_image{
    In::extents[0], In::extents[1], In::last, In::extents[0], In::extents[1], 1, 1, 0, 0, 1, 1};

template <class L>
inline constexpr bool is_max_pool = false;
template <std::size_t Size, class... Options>
inline constexpr bool is_max_pool<MaxPool2D<Size, Options...>> = true;
template <std::size_t Size, class... Options>
inline constexpr bool is_max_pool<MaxPool1D<Size, Options...>> = true;
template <class L>
inline constexpr bool is_average_pool = false;
template <std::size_t Size, class... Options>
inline constexpr bool is_average_pool<AveragePool2D<Size, Options...>> = true;
template <std::size_t Size, class... Options>
inline constexpr bool is_average_pool<AveragePool1D<Size, Options...>> = true;

}  // namespace passes

template <class L, class In, class T>
    requires passes::is_max_pool<L>
constexpr void forward(Bound<L, In> bound, std::size_t rows, auto, const T* x, T* y)
{
    kernels::max_pool(rows, passes::pool_shape<typename decltype(bound)::rule>, x, y);
}
template <class L, class In, class T>
    requires passes::is_average_pool<L>
constexpr void forward(Bound<L, In> bound, std::size_t rows, auto, const T* x, T* y)
{
    kernels::average_pool(rows, passes::pool_shape<typename decltype(bound)::rule>, x, y);
}
template <class In, class T>
constexpr void forward(Bound<GlobalMaxPool2D, In>, std::size_t rows, auto, const T* x, T* y)
{
    kernels::max_pool(rows, passes::whole_image<In>, x, y);
}
template <class In, class T>
constexpr void forward(Bound<GlobalAveragePool2D, In>, std::size_t rows, auto, const T* x, T* y)
{
    kernels::average_pool(rows, passes::whole_image<In>, x, y);
}

}  // namespace tenon
