// SPDX-License-Identifier: BSL-1.0
// Pooling: the largest value or the mean of a window, channel by channel; and of a whole image.
#pragma once

#include <tenon/core/per_row.hpp>
#include <tenon/layers/window.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

template <class In, std::size_t Rank, std::size_t Height, std::size_t Width, class... Options>
struct PoolRule {
    using stride = options::get<kind::stride, Stride<(Height == 0 ? 1 : Height), (Width == 0 ? 1 : Width)>, Options...>;
    using padding = options::get<kind::padding, Padding<Valid>, Options...>;

    static constexpr bool fitting_rank = In::rank == Rank;
    static constexpr std::size_t in_height = Rank == 3 && fitting_rank ? In::extents[0] : 1;
    static constexpr std::size_t in_width = fitting_rank ? In::extents[Rank - 2] : 1;
    static constexpr std::size_t channels = fitting_rank ? In::last : 1;
    static constexpr std::size_t window_height = Rank == 3 ? Height : 1;
    static constexpr std::size_t window_width = Width;
    static constexpr std::size_t stride_height = Rank == 3 ? stride::height : 1;
    static constexpr std::size_t stride_width = stride::width;
    static constexpr WindowAxis rows = Rank == 3 ? window_axis(in_height, Height, stride_height, 1, padding::same,
                                                               padding::top, padding::bottom)
                                                 : WindowAxis{0, 0, 1};
    static constexpr WindowAxis columns = window_axis(in_width, Width, stride_width, 1, padding::same, padding::left,
                                                      padding::right);
    static constexpr bool fits = rows.positions > 0 && columns.positions > 0;
    // A window of nothing but padding has no largest value, on either side.
    static constexpr std::size_t reach_height = Rank != 3 || Height == 0 ? 1 : Height;
    static constexpr bool padding_in_reach = rows.before < reach_height && rows.after < reach_height &&
                                             columns.before < Width && columns.after < Width;

    template <bool IsValid>
    static constexpr auto find_output()
    {
        if constexpr (!IsValid)
            return InvalidShape{};
        else if constexpr (Rank == 3)
            return Shape<rows.positions, columns.positions, channels>{};
        else
            return Shape<columns.positions, channels>{};
    }
    using output = decltype(find_output < fitting_rank && fits && padding_in_reach > ());

    static constexpr std::uint64_t signature =
        ((((std::uint64_t{window_height} * 31 + window_width) * 31 + stride_height) * 31 + stride_width) * 31 +
         rows.before) *
            31 +
        columns.before;
};

}  // namespace detail

// y[i, j, c] = max over the window at (i·s, j·s) of x[., ., c]; padding never wins (Keras, PyTorch).
// MaxPool2D<2>: 2 × 2 with stride 2; MaxPool2D<3, Stride<2>, Padding<Same>>. x: (h, w, c), y: (h', w', c).
template <std::size_t Size, class... Options>
struct MaxPool2D {
    static constexpr const char* name = "max_pooling2d";
    static constexpr bool rows_are_independent = true;
    static constexpr bool is_block_maximum = Size == 2 && sizeof...(Options) == 0;

    template <class In>
    struct rule : detail::PoolRule<In, 3, Size, Size, Options...> {
        using base = detail::PoolRule<In, 3, Size, Size, Options...>;
        static_assert(Size > 0, "tenon: MaxPool2D<size>: the window's size must be positive.");
        static_assert(options::Check<MaxPool2D, List<kind::stride, kind::padding>, Options...>::value,
                      "tenon: MaxPool2D's options are Stride and Padding.");
        static_assert(In::rank == 3, "tenon: MaxPool2D takes an image (height, width, channels).");
        static_assert(!base::fitting_rank || base::fits, "tenon: MaxPool2D's pool window is larger than the input.");
        static_assert(!base::fits || base::padding_in_reach,
                      "tenon: MaxPool2D's padding must be smaller than its window.");
    };
};

// The same over sequences (length, channels).
template <std::size_t Size, class... Options>
struct MaxPool1D {
    static constexpr const char* name = "max_pooling1d";
    static constexpr bool rows_are_independent = true;

    template <class In>
    struct rule : detail::PoolRule<In, 2, 1, Size, Options...> {
        using base = detail::PoolRule<In, 2, 1, Size, Options...>;
        static_assert(Size > 0, "tenon: MaxPool1D<size>: the window's size must be positive.");
        static_assert(options::Check<MaxPool1D, List<kind::stride, kind::padding>, Options...>::value,
                      "tenon: MaxPool1D's options are Stride and Padding.");
        static_assert(In::rank == 2, "tenon: MaxPool1D takes a sequence (length, channels).");
        static_assert(!base::fitting_rank || base::fits, "tenon: MaxPool1D's pool window is larger than the input.");
        static_assert(!base::fits || base::padding_in_reach,
                      "tenon: MaxPool1D's padding must be smaller than its window.");
    };
};

// The mean of the window's values that lie inside the image: padding is not counted, as in Keras.
template <std::size_t Size, class... Options>
struct AveragePool2D {
    static constexpr const char* name = "average_pooling2d";
    static constexpr bool rows_are_independent = true;

    template <class In>
    struct rule : detail::PoolRule<In, 3, Size, Size, Options...> {
        using base = detail::PoolRule<In, 3, Size, Size, Options...>;
        static_assert(Size > 0, "tenon: AveragePool2D<size>: the window's size must be positive.");
        static_assert(options::Check<AveragePool2D, List<kind::stride, kind::padding>, Options...>::value,
                      "tenon: AveragePool2D's options are Stride and Padding.");
        static_assert(In::rank == 3, "tenon: AveragePool2D takes an image (height, width, channels).");
        static_assert(!base::fitting_rank || base::fits,
                      "tenon: AveragePool2D's pool window is larger than the input.");
        static_assert(!base::fits || base::padding_in_reach,
                      "tenon: AveragePool2D's padding must be smaller than its window.");
    };
};

// The same along a sequence: (length, c) → (length', c).
template <std::size_t Size, class... Options>
struct AveragePool1D {
    static constexpr const char* name = "average_pooling1d";
    static constexpr bool rows_are_independent = true;

    template <class In>
    struct rule : detail::PoolRule<In, 2, 1, Size, Options...> {
        using base = detail::PoolRule<In, 2, 1, Size, Options...>;
        static_assert(Size > 0, "tenon: AveragePool1D<size>: the window's size must be positive.");
        static_assert(options::Check<AveragePool1D, List<kind::stride, kind::padding>, Options...>::value,
                      "tenon: AveragePool1D's options are Stride and Padding.");
        static_assert(In::rank == 2, "tenon: AveragePool1D takes a sequence (length, channels).");
        static_assert(!base::fitting_rank || base::fits,
                      "tenon: AveragePool1D's pool window is larger than the input.");
        static_assert(!base::fits || base::padding_in_reach,
                      "tenon: AveragePool1D's padding must be smaller than its window.");
    };
};

// The mean of each channel over the whole image: (h, w, c) → (c).
struct GlobalAveragePool2D {
    static constexpr const char* name = "global_average_pooling2d";
    static constexpr bool rows_are_independent = true;

    template <class In>
    struct rule {
        using output = std::conditional_t<In::rank == 3, Shape<In::last>, InvalidShape>;
        static_assert(In::rank == 3, "tenon: GlobalAveragePool2D takes an image (height, width, channels).");
    };
};

// The largest value of each channel: (h, w, c) → (c).
struct GlobalMaxPool2D {
    static constexpr const char* name = "global_max_pooling2d";
    static constexpr bool rows_are_independent = true;

    template <class In>
    struct rule {
        using output = std::conditional_t<In::rank == 3, Shape<In::last>, InvalidShape>;
        static_assert(In::rank == 3, "tenon: GlobalMaxPool2D takes an image (height, width, channels).");
    };
};

}  // namespace tenon
