// SPDX-License-Identifier: BSL-1.0
// Flatten and Reshape: other extents for the same values in the same order. They cost nothing: no copy is made.
#pragma once

#include <tenon/layers/bound.hpp>

namespace tenon::inline TENON_ISA {

// (a, b, c) → (a · b · c), channels last, as Keras.
struct Flatten {
    static constexpr const char* name = "flatten";
    static constexpr bool is_view = true;

    template <class In>
    struct rule {
        using output = Shape<In::size>;
    };
};

// Reshape<4, 7>: any shape of the same size.
template <std::size_t... Extents>
struct Reshape {
    static constexpr const char* name = "reshape";
    static constexpr bool positive = ((Extents > 0) && ...);
    static constexpr bool is_view = true;

    template <class In>
    struct rule {
        using output = std::conditional_t<In::size == Shape<Extents...>::size, Shape<Extents...>, InvalidShape>;
        static_assert(In::size == Shape<Extents...>::size || !positive,
                      "tenon: Reshape keeps the number of values: the product of its extents must equal its input's.");
    };

    static_assert(positive, "tenon: Reshape<extents...>: every extent must be positive.");
};

}  // namespace tenon
