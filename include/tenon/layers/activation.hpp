// SPDX-License-Identifier: BSL-1.0
// Activations as layers: y = f(x), element by element, any shape. The formulas live with the kernels
// (kernels/activations.hpp); here stands what a topology has to know.
#pragma once

#include <tenon/layers/bound.hpp>
#include <tenon/layers/options.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// What all element-wise layers share: the shape stays, and the forward pass may write over its input.
struct Elementwise {
    static constexpr bool is_elementwise = true;
    static constexpr bool rows_are_independent = true;
    static constexpr bool in_place = true;

    template <class In>
    struct rule {
        using output = In;
    };
};

}  // namespace detail

// An activation whose derivative can be had from its output alone may be fused into the layer before it in training as
// well: the pre-activation need not be kept.
struct ReLU : detail::Elementwise {
    static constexpr const char* name = "relu";
    static constexpr bool is_floor = true;
    static constexpr bool derivative_from_output = true;
};
struct Tanh : detail::Elementwise {
    static constexpr const char* name = "tanh";
    static constexpr bool derivative_from_output = true;
};
struct Sigmoid : detail::Elementwise {
    static constexpr const char* name = "sigmoid";
    static constexpr bool derivative_from_output = true;
};
// Keras 3 and PyTorch: relu6(x + 3) / 6.
struct HardSigmoid : detail::Elementwise {
    static constexpr const char* name = "hard_sigmoid";
    static constexpr bool derivative_from_output = true;
};
// x · relu6(x + 3) / 6.
struct HardSwish : detail::Elementwise {
    static constexpr const char* name = "hard_swish";
    static constexpr bool derivative_from_output = false;
};
// x · sigmoid(x), also called swish.
struct SiLU : detail::Elementwise {
    static constexpr const char* name = "silu";
    static constexpr bool derivative_from_output = false;
};
struct SELU : detail::Elementwise {
    static constexpr const char* name = "selu";
    static constexpr bool derivative_from_output = true;
};
struct Softplus : detail::Elementwise {
    static constexpr const char* name = "softplus";
    static constexpr bool derivative_from_output = true;
};
// x · Φ(x) with the error function (Hendrycks & Gimpel 2016).
struct GELU : detail::Elementwise {
    static constexpr const char* name = "gelu";
    static constexpr bool derivative_from_output = false;
};
// GELU's approximation with tanh, as in GPT-2.
struct GELUTanh : detail::Elementwise {
    static constexpr const char* name = "gelu_tanh";
    static constexpr bool derivative_from_output = false;
};

// max(x, slope · x). Option: Slope<numerator, denominator>, default 1/100 (PyTorch's; Keras 3 uses 3/10).
template <class... Options>
struct LeakyReLUWith : detail::Elementwise {
    static constexpr const char* name = "leaky_relu";
    static constexpr bool derivative_from_output = false;
    using slope = options::get<kind::slope, Slope<1, 100>, Options...>;
    static constexpr std::uint64_t signature = static_cast<std::uint64_t>(slope::numerator) * 1000003u +
                                               static_cast<std::uint64_t>(slope::denominator);

    static_assert(options::Check<LeakyReLUWith, List<kind::slope>, Options...>::value,
                  "tenon: LeakyReLU's option is Slope.");
};

// x for x > 0, alpha · (exp(x) - 1) otherwise (Clevert et al. 2015). Option: Alpha<numerator, denominator>, default 1.
template <class... Options>
struct ELUWith : detail::Elementwise {
    static constexpr const char* name = "elu";
    static constexpr bool derivative_from_output = false;
    using alpha = options::get<kind::alpha, Alpha<1, 1>, Options...>;
    static constexpr std::uint64_t signature = static_cast<std::uint64_t>(alpha::numerator) * 1000003u +
                                               static_cast<std::uint64_t>(alpha::denominator);

    static_assert(options::Check<ELUWith, List<kind::alpha>, Options...>::value, "tenon: ELU's option is Alpha.");
};

// With an option: LeakyReLUWith<Slope<1, 5>>, ELUWith<Alpha<1, 2>>; without: the plain names.
using LeakyReLU = LeakyReLUWith<>;
using ELU = ELUWith<>;

// x for x > 0, slope[c] · x otherwise, with one learned slope per channel (the last axis), 0.25 at first (He et al. 2015).
struct PReLU {
    static constexpr const char* name = "prelu";
    static constexpr bool in_place = true;
    static constexpr bool rows_are_independent = true;

    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<Shape<In::last>>("slope", init::constant(0.25)));
    };
};

// Probabilities over the last axis: exp(x_i - m) / Σ exp(x_j - m), m = max(x).
struct Softmax {
    static constexpr const char* name = "softmax";
    static constexpr bool rows_are_independent = true;
    static constexpr bool in_place = true;

    template <class In>
    struct rule {
        using output = In;
        static_assert(In::rank >= 1, "tenon: Softmax takes an input with at least one axis.");
    };
};

// Logarithms of those probabilities: x_i - m - log Σ exp(x_j - m).
struct LogSoftmax {
    static constexpr const char* name = "log_softmax";
    static constexpr bool rows_are_independent = true;
    static constexpr bool in_place = true;

    template <class In>
    struct rule {
        using output = In;
        static_assert(In::rank >= 1, "tenon: LogSoftmax takes an input with at least one axis.");
    };
};

}  // namespace tenon
