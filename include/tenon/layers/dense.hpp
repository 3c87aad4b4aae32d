// SPDX-License-Identifier: BSL-1.0
// Dense: a fully connected layer.
#pragma once

#include <tenon/layers/bound.hpp>
#include <tenon/layers/options.hpp>

namespace tenon::inline TENON_ISA {

// y = x · kernel + bias.   x: (rows, in), kernel: (in, Units), bias: (Units), y: (rows, Units).
// Options: NoBias; KernelInitializer<…> (default glorot_uniform); BiasInitializer<…> (default zeros).
template <std::size_t Units, class... Options>
struct Dense {
    static constexpr const char* name = "dense";
    static constexpr bool rows_are_independent = true;
    static constexpr bool fuses_activation = true;
    static constexpr bool folds_batch_norm = true;
    static constexpr bool writes_gradients_once = true;
    static constexpr bool reads_stored = true;

    template <class In>
    struct rule {
        using output = std::conditional_t<In::rank == 1 && (Units > 0), Shape<Units>, InvalidShape>;

        static constexpr std::size_t inputs = In::size;
        static constexpr std::size_t units = Units;
        static constexpr bool use_bias = options::get<kind::bias, WithBias, Options...>::use_bias;
        static constexpr std::size_t macs = inputs * units;

        static constexpr auto slots = [] {
            constexpr auto kernel = slot<Shape<inputs, units>, layout::Panels>(
                "kernel",
                options::get<kind::kernel_initializer, KernelInitializer<init::glorot_uniform>, Options...>::value);
            if constexpr (use_bias)
                return tenon::slots(
                    kernel,
                    slot<Shape<units>, layout::PanelBias>(
                        "bias", options::get<kind::bias_initializer, BiasInitializer<init::zeros>, Options...>::value));
            else
                return tenon::slots(kernel);
        }();

        static_assert(In::rank == 1, "tenon: Dense takes a flat (rank-1) input: put Flatten before it.");
        static_assert(options::Check<Dense, List<kind::bias, kind::kernel_initializer, kind::bias_initializer>,
                                     Options...>::value,
                      "tenon: Dense's options are NoBias, KernelInitializer and BiasInitializer.");
    };

    static_assert(Units > 0, "tenon: Dense<units>: the number of units must be positive.");
};

}  // namespace tenon
