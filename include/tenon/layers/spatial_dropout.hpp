// SPDX-License-Identifier: BSL-1.0
// SpatialDropout: the identity at inference; in training whole channels are dropped with a given probability.
#pragma once

#include <tenon/layers/bound.hpp>
#include <tenon/layers/options.hpp>

namespace tenon::inline TENON_ISA {

// y = x · mask / (1 - rate), mask[row, channel] ~ Bernoulli(1 - rate), the same at all positions of a sample (Tompson et
// al. 2015; Keras's SpatialDropout1D and 2D by the rank of the input). Neighbouring pixels are so alike that Dropout takes
// little from them. x, y: (length, c) or (h, w, c). SpatialDropout<Rate<1, 5>> drops a fifth of the channels.
// The mask depends on (seed, step, layer, row, channel) alone, so it is the same for any number of threads.
template <class DropRate>
struct SpatialDropout {
    static constexpr const char* name = "spatial_dropout";
    static constexpr bool rows_are_independent = true;
    static constexpr bool is_dropout = true;
    static constexpr bool in_place = true;
    static constexpr double rate = [] {
        if constexpr (requires { DropRate::value; })
            return DropRate::value;
        else
            return 0.0;
    }();
    static constexpr bool lies_in_range = [] {
        if constexpr (requires { DropRate::numerator; })
            return DropRate::numerator >= 0 && DropRate::numerator < DropRate::denominator;
        else
            return false;
    }();

    template <class In>
    struct rule {
        using output = std::conditional_t<In::rank >= 2, In, InvalidShape>;
        static_assert(In::rank >= 2,
                      "tenon: SpatialDropout drops the channels of a sequence or an image; for a flat input there is "
                      "Dropout.");
    };

    static_assert(lies_in_range,
                  "tenon: SpatialDropout's rate must lie in [0, 1): write SpatialDropout<Rate<1, 5>> for a fifth.");
};

}  // namespace tenon
