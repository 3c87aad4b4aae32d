// SPDX-License-Identifier: BSL-1.0
// ZeroPadding2D: rows and columns of zeros around an image, as a layer of its own.
#pragma once

#include <tenon/layers/window.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// Its own class, so that a Padding that has been refused is not looked into.
template <class P>
struct Zeros {
    static constexpr bool numbers = false;
    static constexpr std::size_t top = 0, bottom = 0, left = 0, right = 0;
};
template <auto... Values>
    requires((sizeof...(Values) == 1 || sizeof...(Values) == 2 || sizeof...(Values) == 4) &&
             (!std::is_same_v<std::remove_const_t<decltype(Values)>, PaddingMode> && ...))
struct Zeros<Padding<Values...>> {
    using padding = Padding<Values...>;
    static constexpr bool numbers = true;
    static constexpr std::size_t top = padding::top, bottom = padding::bottom, left = padding::left,
                                 right = padding::right;
};

}  // namespace detail

// y[i + top, j + left, c] = x[i, j, c], 0 elsewhere. x: (h, w, c), y: (top + h + bottom, left + w + right, c).
// ZeroPadding2D<Padding<1>>: one on every side; Padding<1, 2>: one above and below, two left and right;
// Padding<top, bottom, left, right>. In front of a convolution without padding the same as that convolution's Padding, and
// slower; Keras's models have it where a convolution with a stride pads on one side only.
template <class Amount>
struct ZeroPadding2D {
    static constexpr const char* name = "zero_padding2d";
    static constexpr bool rows_are_independent = true;
    using zeros = detail::Zeros<Amount>;
    // Zeros before and zeros behind give equal shapes.
    static constexpr std::uint64_t signature = zeros::top * 31 + zeros::left;

    template <class In>
    struct rule {
        static constexpr bool fitting_rank = In::rank == 3;
        static constexpr std::size_t height = fitting_rank ? In::extents[0] : 1;
        static constexpr std::size_t width = fitting_rank ? In::extents[fitting_rank ? 1 : 0] : 1;
        using output =
            std::conditional_t<fitting_rank && zeros::numbers,
                               Shape<zeros::top + height + zeros::bottom, zeros::left + width + zeros::right, In::last>,
                               InvalidShape>;

        static_assert(zeros::numbers,
                      "tenon: ZeroPadding2D takes a Padding of one, two or four numbers: ZeroPadding2D<Padding<1>>.");
        static_assert(In::rank == 3, "tenon: ZeroPadding2D takes an image (height, width, channels).");
    };
};

}  // namespace tenon
