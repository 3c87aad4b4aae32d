// SPDX-License-Identifier: BSL-1.0
// Taps: places in a network where somebody looks at the values between two layers, or adds to their gradients. A tap is a
// layer that does nothing and has nothing; it keeps rewrites from hiding the value (an activation is not swallowed across
// it), so that a network without taps runs as if there were none anywhere.
#pragma once

#include <tenon/network/chain.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// Behind the Index-th layer of the network as it was written.
template <std::size_t Index>
struct TapPoint {
    static constexpr const char* name = "tap";
    static constexpr bool is_view = true;
    static constexpr std::size_t tapped = Index;

    template <class In>
    struct rule {
        using output = In;
    };
};

template <class L>
inline constexpr bool is_tap = false;
template <std::size_t Index>
inline constexpr bool is_tap<TapPoint<Index>> = true;

// A list of layers as Taps = std::index_sequence<…> asks: each layer, and a tap behind it where its place is among them.
template <class Done, std::size_t Place, class Taps, class... Ls>
struct InsertTaps {
    using type = Done;
};
template <class... Ds, std::size_t Place, std::size_t... Taps, class L, class... Rest>
struct InsertTaps<List<Ds...>, Place, std::index_sequence<Taps...>, L, Rest...>
    : InsertTaps<std::conditional_t<((Taps == Place) || ...), List<Ds..., L, TapPoint<Place>>, List<Ds..., L>>,
                 Place + 1, std::index_sequence<Taps...>, Rest...> {};

template <class C, class Taps>
struct TappedChain {
    using type = C;
};
template <AnyShape In, class... Ls, std::size_t First, std::size_t... Taps>
struct TappedChain<Chain<In, Ls...>, std::index_sequence<First, Taps...>> {
    template <class L>
    struct Of;
    template <class... All>
    struct Of<List<All...>> {
        using type = Chain<In, All...>;
    };
    using type = typename Of<typename InsertTaps<List<>, 0, std::index_sequence<First, Taps...>, Ls...>::type>::type;
};

}  // namespace detail

// A chain with taps behind the layers of those numbers (any order, any number of times; those beyond its end are left out).
template <class C, class Taps>
using tapped_chain = typename detail::TappedChain<C, Taps>::type;

}  // namespace tenon
