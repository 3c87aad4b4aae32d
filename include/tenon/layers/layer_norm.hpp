// SPDX-License-Identifier: BSL-1.0
// LayerNorm: normalises each vector along the last axis by its own mean and variance.
#pragma once

#include <tenon/layers/bound.hpp>
#include <tenon/layers/options.hpp>

namespace tenon::inline TENON_ISA {

// y = (x - mean) / sqrt(variance + epsilon) · gamma + beta over the last axis (Ba, Kiros & Hinton 2016).
// gamma, beta: (last extent). Option: VarianceEpsilon<numerator, denominator>, default 1/1000 (Keras; PyTorch uses 1/100000).
template <class... Options>
struct LayerNormWith {
    static constexpr const char* name = "layer_norm";
    static constexpr bool in_place = true;
    using epsilon = options::get<kind::epsilon, VarianceEpsilon<1, 1000>, Options...>;
    static constexpr std::uint64_t signature = static_cast<std::uint64_t>(epsilon::numerator) * 1000003u +
                                               static_cast<std::uint64_t>(epsilon::denominator);

    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<Shape<In::last>>("gamma", init::ones),
                                                   slot<Shape<In::last>>("beta", init::zeros));
        // Kept for the backward pass: mean and 1/sqrt(variance + epsilon) of each vector.
        static constexpr std::size_t tape = 2 * In::outer;
        static_assert(In::rank >= 1, "tenon: LayerNorm takes an input with at least one axis.");
    };

    static_assert(options::Check<LayerNormWith, List<kind::epsilon>, Options...>::value,
                  "tenon: LayerNorm's option is VarianceEpsilon.");
};

// With the default epsilon.
using LayerNorm = LayerNormWith<>;

}  // namespace tenon
