// SPDX-License-Identifier: BSL-1.0
// BatchNorm: normalises each channel by its mean and variance over the batch, and by running estimates at inference.
#pragma once

#include <tenon/core/per_row.hpp>
#include <tenon/layers/bound.hpp>
#include <tenon/layers/options.hpp>

namespace tenon::inline TENON_ISA {

namespace kind {
struct momentum;
}

// The share of the old running statistics that is kept at each step.
template <std::int64_t Numerator, std::int64_t Denominator = 1>
struct Momentum : Fraction<Numerator, Denominator> {
    using option_kind = kind::momentum;
};

// y = (x - mean) / sqrt(variance + epsilon) · gamma + beta for each channel (the last axis) (Ioffe & Szegedy 2015).
// Training: mean and (biased) variance over all rows and positions; moving ← momentum · moving + (1 - momentum) · batch, the
// biased variance as in Keras (PyTorch keeps the unbiased one). Inference: the moving ones.
// gamma, beta, moving_mean, moving_variance: (channels); the last two are statistics, which no optimiser moves.
// Options: VarianceEpsilon, default 1/1000; Momentum, default 99/100 (Keras's; PyTorch: 1/100000 and 9/10).
template <class... Options>
struct BatchNormWith {
    static constexpr const char* name = "batch_normalization";
    using epsilon = options::get<kind::epsilon, VarianceEpsilon<1, 1000>, Options...>;
    using momentum = options::get<kind::momentum, Momentum<99, 100>, Options...>;
    static constexpr std::uint64_t signature = static_cast<std::uint64_t>(epsilon::numerator) * 1000003u +
                                               static_cast<std::uint64_t>(epsilon::denominator);

    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<Shape<In::last>>("gamma", init::ones),
                                                   slot<Shape<In::last>>("beta", init::zeros));
        static constexpr auto statistics = tenon::slots(slot<Shape<In::last>>("moving_mean", init::zeros),
                                                        slot<Shape<In::last>>("moving_variance", init::ones));
        // Kept for the backward pass: the batch's mean and 1/sqrt(variance + epsilon).
        static constexpr PerRow tape{0, (2 * In::last + 15) / 16 * 16};

        static_assert(options::Check<BatchNormWith, List<kind::epsilon, kind::momentum>, Options...>::value,
                      "tenon: BatchNorm's options are VarianceEpsilon and Momentum.");
        static_assert(In::rank >= 1, "tenon: BatchNorm takes an input with at least one axis.");
    };
};

// With the default options.
using BatchNorm = BatchNormWith<>;

}  // namespace tenon
