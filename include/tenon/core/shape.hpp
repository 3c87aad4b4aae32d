// SPDX-License-Identifier: BSL-1.0
// Shape: the extents of one sample as a type, channels last (height, width, channels) as in Keras. The number of rows
// (the batch) is never part of a shape: features are static, rows are not.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon::inline TENON_ISA {

// Shape<28, 28, 1>: rank 3, size 784. Shape<> is a scalar (rank 0, size 1).
template <std::size_t... Extents>
struct Shape {
    static constexpr std::size_t rank = sizeof...(Extents);
    static constexpr std::size_t size = (std::size_t{1} * ... * Extents);

    // extents[rank] is a sentinel, so that rank 0 has an array as well.
    static constexpr std::size_t extents[rank + 1] = {Extents..., 0};

    static constexpr std::size_t extent(std::size_t axis) { return extents[axis]; }
    static constexpr std::size_t last = rank == 0 ? 1 : extents[rank == 0 ? 0 : rank - 1];
    // Product of all extents but the last: how many vectors of `last` values a sample holds.
    static constexpr std::size_t outer = last == 0 ? 0 : size / (last == 0 ? 1 : last);
};

// Whether T is a Shape.
template <class T>
inline constexpr bool is_shape = false;
template <std::size_t... Extents>
inline constexpr bool is_shape<Shape<Extents...>> = true;

template <class T>
concept AnyShape = is_shape<T>;

}  // namespace tenon
