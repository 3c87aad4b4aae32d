// SPDX-License-Identifier: BSL-1.0
// Dropout: the identity at inference; in training each value is dropped with a given probability.
#pragma once

#include <tenon/layers/bound.hpp>
#include <tenon/layers/options.hpp>

namespace tenon::inline TENON_ISA {

// y = x · mask / (1 - rate), mask ~ Bernoulli(1 - rate) (Srivastava et al. 2014, in the inverted form of Keras and
// PyTorch). Dropout<Rate<1, 5>> drops a fifth. The mask depends on (seed, step, layer, row, position) alone, so it is the
// same for any number of threads.
template <class DropRate>
struct Dropout {
    static constexpr const char* name = "dropout";
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
        using output = In;
    };

    static_assert(lies_in_range, "tenon: Dropout's rate must lie in [0, 1): write Dropout<Rate<1, 5>> for a fifth.");
};

}  // namespace tenon
