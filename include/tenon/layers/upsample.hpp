// SPDX-License-Identifier: BSL-1.0
// Upsample2D: an image made larger by a whole factor, as Keras's UpSampling2D.
#pragma once

#include <tenon/core/per_row.hpp>
#include <tenon/layers/bound.hpp>
#include <tenon/layers/options.hpp>

namespace tenon::inline TENON_ISA {

namespace kind {
struct interpolation;
}

// What Interpolation<…> takes.
enum class InterpolationMode : std::size_t { nearest, bilinear };
inline constexpr InterpolationMode Nearest = InterpolationMode::nearest;
inline constexpr InterpolationMode Bilinear = InterpolationMode::bilinear;

// How the values between the pixels are found.
template <InterpolationMode Mode>
struct Interpolation {
    using option_kind = kind::interpolation;
    static constexpr InterpolationMode mode = Mode;
};

// y[i, j, c] = x at row (i + 1/2) / Factor - 1/2 and column (j + 1/2) / Factor - 1/2, so that the pixels' centres keep
// their places (Keras; PyTorch's interpolate with align_corners=False). x: (h, w, c), y: (Factor · h, Factor · w, c).
// Option: Interpolation<Nearest> (the default: the pixel that the place lies in, each one Factor × Factor times) or
// Interpolation<Bilinear> (the mean of the four pixels around, weighted by nearness; beyond the border its pixels).
template <std::size_t Factor, class... Options>
struct Upsample2D {
    static constexpr const char* name = "up_sampling2d";
    static constexpr bool rows_are_independent = true;
    static constexpr std::size_t factor = Factor;
    using interpolation = options::get<kind::interpolation, Interpolation<Nearest>, Options...>;
    static constexpr std::uint64_t signature = static_cast<std::uint64_t>(interpolation::mode);

    template <class In>
    struct rule {
        static constexpr bool fitting_rank = In::rank == 3;
        static constexpr std::size_t height = fitting_rank ? In::extents[0] : 1;
        static constexpr std::size_t width = fitting_rank ? In::extents[fitting_rank ? 1 : 0] : 1;
        using output = std::conditional_t<fitting_rank && (Factor > 0),
                                          Shape<Factor * height, Factor * width, In::last>, InvalidShape>;

        // Bilinear: a line between two of the input.
        static constexpr std::size_t line = interpolation::mode == Bilinear && fitting_rank ? width * In::last : 0;
        template <class T, std::size_t>
        static constexpr std::size_t workspace = line;
        static constexpr PerRow training_workspace{0, 0, (line + 15) / 16 * 16};

        static_assert(Factor > 0, "tenon: Upsample2D<factor>: the factor must be positive.");
        static_assert(options::Check<Upsample2D, List<kind::interpolation>, Options...>::value,
                      "tenon: Upsample2D's option is Interpolation.");
        static_assert(In::rank == 3, "tenon: Upsample2D takes an image (height, width, channels).");
    };
};

}  // namespace tenon
