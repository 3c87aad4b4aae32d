// SPDX-License-Identifier: BSL-1.0
// Named options of layers, in any order: Dense<10, NoBias, KernelInitializer<init::he_normal>>. Each option is an empty
// type that says its kind; a layer lists the kinds that it knows.
#pragma once

#include <tenon/core/diagnostics.hpp>
#include <tenon/core/list.hpp>
#include <tenon/layers/initializer.hpp>

#include <cstdint>
#include <type_traits>

namespace tenon::inline TENON_ISA {

namespace kind {
struct bias;
struct kernel_initializer;
struct bias_initializer;
struct slope;
struct alpha;
struct epsilon;
struct beta;
}  // namespace kind

// A layer without its bias.
struct NoBias {
    using option_kind = kind::bias;
    static constexpr bool use_bias = false;
};
struct WithBias {
    using option_kind = kind::bias;
    static constexpr bool use_bias = true;
};

// Initialisers are referred to, so a user's own `inline constexpr Initializer` serves as well.
template <const Initializer& Value>
struct KernelInitializer {
    using option_kind = kind::kernel_initializer;
    static constexpr Initializer value = Value;
};
template <const Initializer& Value>
struct BiasInitializer {
    using option_kind = kind::bias_initializer;
    static constexpr Initializer value = Value;
};

// A fraction as a type: Fraction<1, 4> is 0.25. (Floating-point template arguments are not to be had before clang 18.)
template <std::int64_t Numerator, std::int64_t Denominator>
struct Fraction {
    static constexpr std::int64_t numerator = Numerator;
    static constexpr std::int64_t denominator = Denominator;
    static constexpr double value = static_cast<double>(Numerator) /
                                    static_cast<double>(Denominator > 0 ? Denominator : 1);

    static_assert(Denominator > 0, "tenon: a fraction's denominator must be positive.");
};

// A fraction's value read from its name, so that one that has been refused is not looked into again.
template <class F>
inline constexpr double fraction_value = 0.0;
template <template <std::int64_t, std::int64_t> class F, std::int64_t Numerator, std::int64_t Denominator>
inline constexpr double fraction_value<F<Numerator, Denominator>> = static_cast<double>(Numerator) /
                                                                    static_cast<double>(Denominator > 0 ? Denominator
                                                                                                        : 1);

// The share of values that Dropout drops.
template <std::int64_t Numerator, std::int64_t Denominator = 1>
struct Rate : Fraction<Numerator, Denominator> {};
// LeakyReLU's slope, PReLU's first slope.
template <std::int64_t Numerator, std::int64_t Denominator = 1>
struct Slope : Fraction<Numerator, Denominator> {
    using option_kind = kind::slope;
};
// ELU's saturation.
template <std::int64_t Numerator, std::int64_t Denominator = 1>
struct Alpha : Fraction<Numerator, Denominator> {
    using option_kind = kind::alpha;
};
// Softplus's steepness.
template <std::int64_t Numerator, std::int64_t Denominator = 1>
struct Beta : Fraction<Numerator, Denominator> {
    using option_kind = kind::beta;
};
// What a normalisation adds to the variance.
template <std::int64_t Numerator, std::int64_t Denominator = 1>
struct VarianceEpsilon : Fraction<Numerator, Denominator> {
    using option_kind = kind::epsilon;
    static_assert(Numerator > 0, "tenon: VarianceEpsilon must be positive.");
};

namespace options {

template <class Option, class... Kinds>
constexpr bool is_known()
{
    if constexpr (requires { typename checked<Option>::option_kind; })
        return (std::is_same_v<typename Option::option_kind, Kinds> || ...);
    else
        return false;
}

template <class Kind, class... Options>
constexpr std::size_t count()
{
    return (std::size_t{0} + ... + static_cast<std::size_t>(is_known<Options, Kind>()));
}

// The errors carry the layer and the option in the name of the failing template: Known<Dense<10, Stride<2>>, Stride<2>>.
template <class Layer, class Option, class... Kinds>
struct Known {
    static constexpr bool value = true;
    static_assert(is_known<Option, Kinds...>(),
                  "tenon: the layer does not know this option: see the layer's list of options.");
};
template <class Layer, class Kind, std::size_t Times>
struct GivenOnce {
    static constexpr bool value = true;
    static_assert(Times <= 1, "tenon: the same option is given twice: a layer takes each option at most once.");
};
template <class Layer, class Kind, std::size_t Times>
struct NotMissing {
    static constexpr bool value = true;
    static_assert(Times >= 1, "tenon: an option is missing that the layer needs: see the layer's list of options.");
};

// The first option that is not known: several are still one error.
template <class... Kinds, class... Options>
constexpr std::size_t first_unknown(List<Options...>)
{
    constexpr bool known[] = {is_known<Options, Kinds...>()..., false};
    std::size_t i = 0;
    while (known[i]) ++i;
    return i;
}

// check<Layer, List<kinds…>, Options…>: every option known, none given twice. One error: unknown options come first.
template <class Layer, class KindList, class... Options>
struct Check;
template <class Layer, class... Kinds, class... Options>
struct Check<Layer, List<Kinds...>, Options...> {
    static constexpr std::size_t unknown = first_unknown<Kinds...>(List<Options...>{});
    static constexpr bool value = [] {
        if constexpr (unknown == sizeof...(Options))
            return (checked<GivenOnce<Layer, Kinds, count<Kinds, Options...>()>>::value && ...);
        else
            return checked<Known<Layer, element<unknown, Options...>, Kinds...>>::value;
    }();
};

template <class Kind, class Default, class... Options>
struct Get {
    using type = Default;
};
template <class Kind, class Default, class First, class... Rest>
struct Get<Kind, Default, First, Rest...> {
    using type = typename std::conditional_t<is_known<First, Kind>(), List<First>,
                                             List<typename Get<Kind, Default, Rest...>::type>>;
};

template <class L>
struct Unwrap {
    using type = L;
};
template <class T>
struct Unwrap<List<T>> {
    using type = typename Unwrap<T>::type;
};

// The option of a kind, or the layer's default.
template <class Kind, class Default, class... Options>
using get = typename Unwrap<typename Get<Kind, Default, Options...>::type>::type;

}  // namespace options
}  // namespace tenon
