// SPDX-License-Identifier: BSL-1.0
// Bound: a layer together with the shape of its input, and what can be asked of that pair. Layers state only what is
// special about them; the queries here supply the rest.
#pragma once

#include <tenon/core/diagnostics.hpp>
#include <tenon/core/half.hpp>
#include <tenon/core/list.hpp>
#include <tenon/core/shape.hpp>
#include <tenon/layers/slot.hpp>

namespace tenon::inline TENON_ISA {

// What a rule answers with after its assertion failed: everything behind it is cut off, so that one mistake is one error.
// A rule names its output first and asserts last (core/diagnostics.hpp says why).
using InvalidShape = Shape<0>;

// Asked without instantiating the rule, so that a mistake in it is reported once, from the right place.
template <class L>
concept LayerSpec = requires
{
    typename checked<L>::template rule<Shape<1>>;
};

// A layer bound to its input. Passes take it by value as their first argument and are found by its namespace.
template <class Layer, AnyShape In>
struct Bound {
    using layer = Layer;
    using input = In;
    using rule = checked<typename Layer::template rule<In>>;
    using output = typename rule::output;
};

namespace detail {

template <class Rule>
constexpr auto slots_of()
{
    if constexpr (requires { Rule::slots; })
        return Rule::slots;
    else
        return Slots<>{};
}

template <class T>
constexpr std::size_t aligned(std::size_t scalars)
{
    // Without SIMD there is nothing to align, and firmware counts bytes.
    // What is stored in 16 bits lies at the same places as its floats.
    using Computed = computed_t<T>;
    constexpr std::size_t step = sizeof(T) == 1 ? (simd::width<float> == 1 ? 4 : 64)  // int8 is read by words
                                 : simd::width<Computed> == 1 ? 1
                                                              : 64 / sizeof(Computed);
    return (scalars + step - 1) / step * step;
}

}  // namespace detail

// The slots of a bound layer as a type, Slots<…>; the values are bound_slots<B>.
template <class B>
inline constexpr auto bound_slots = detail::slots_of<typename B::rule>();
template <class B>
using slots_type = std::remove_const_t<decltype(bound_slots<B>)>;

// Layers made of layers (Sequential, Residual, …) name their branches: rule::branches = List<Chain<…>, …>.
template <class B>
concept HasBranches = requires
{
    typename B::rule::branches;
};

// Multiply-adds of one row.
template <class B>
constexpr std::size_t macs_of()
{
    if constexpr (requires { B::rule::macs; })
        return B::rule::macs;
    else
        return 0;
}

// A layer that only renames extents (Flatten, Reshape) or is the identity at inference: its output is its input's memory.
template <class B>
constexpr bool is_view()
{
    if constexpr (requires { B::layer::is_view; })
        return B::layer::is_view;
    else
        return false;
}

// A layer that treats each row by itself and says so: its passes may be split over threads by rows.
template <class L>
constexpr bool rows_are_independent()
{
    if constexpr (requires { L::rows_are_independent; })
        return L::rows_are_independent;
    else if constexpr (requires { typename L::head; })
        return rows_are_independent<typename L::head>();
    else
        return false;
}

// A layer whose kernels read weights of 16 bits as they are; those of others are widened into the workspace first.
template <class B>
constexpr bool reads_stored()
{
    if constexpr (requires { B::layer::reads_stored; })
        return B::layer::reads_stored;
    else if constexpr (requires { typename B::layer::head; })
        return reads_stored<Bound<typename B::layer::head, typename B::input>>();
    else
        return HasBranches<B>;
}

// A layer whose forward pass may write over its input (y == x), and whose backward pass over its output's gradient
// (dx == dy).
template <class B>
constexpr bool in_place()
{
    if constexpr (requires { B::layer::in_place; })
        return B::layer::in_place;
    else
        return false;
}

}  // namespace tenon
