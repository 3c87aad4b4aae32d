// SPDX-License-Identifier: BSL-1.0
// Network: a topology as a type. Everything about it that does not depend on the weights is a constant.
#pragma once

#include <tenon/core/precision.hpp>
#include <tenon/core/tensor.hpp>
#include <tenon/network/fusion.hpp>
#include <tenon/network/parameter_layout.hpp>
#include <tenon/network/topology_hash.hpp>

// A toolchain for boards has no Boost: without it Net::layers is missing, and nothing else.
#if __has_include(<boost/hana/tuple.hpp>)
#    include <boost/hana/tuple.hpp>
#    include <boost/hana/type.hpp>
#    define TENON_DETAIL_HANA 1
#else
#    define TENON_DETAIL_HANA 0
#endif

namespace tenon::inline TENON_ISA {

// The first argument of a Network: the extents of one sample, channels last.
template <std::size_t... Extents>
struct Input {
    static constexpr bool valid = sizeof...(Extents) > 0 && ((Extents > 0) && ...);
    using shape = std::conditional_t<valid, Shape<Extents...>, Shape<1>>;

    static_assert(sizeof...(Extents) > 0, "tenon: Input<extents...> needs at least one extent.");
    static_assert(((Extents > 0) && ...), "tenon: Input<extents...>: every extent must be positive.");
};

namespace detail {

template <class T>
inline constexpr bool is_input = false;
template <std::size_t... Extents>
inline constexpr bool is_input<Input<Extents...>> = true;

template <class First, class... Layers>
struct NetworkChain {
    using type = Chain<Shape<1>>;

    static_assert(is_input<First>, "tenon: a Network starts with Input<...>, the extents of one sample.");
    static_assert(!is_input<First> || sizeof...(Layers) > 0,
                  "tenon: a Network needs at least one layer after its Input.");
};
template <std::size_t... Extents, class Layer, class... Layers>
struct NetworkChain<Input<Extents...>, Layer, Layers...> {
    // An Input that failed has reported it; what follows is not bound.
    using input = checked<Input<Extents...>>;
    using type = typename std::conditional_t<input::valid, List<Chain<typename input::shape, Layer, Layers...>>,
                                             List<Chain<Shape<1>>>>::template at<0>;
};

template <class C, std::size_t I>
using shape_after_t = typename C::template bound<I>::output;

}  // namespace detail

// Bytes that a precision needs for a chain's parameters, and for its intermediate values at inference.
template <class P>
struct Footprint {
    using scalar = typename P::scalar;
    template <class C>
    static constexpr std::size_t parameters = (chain_storage<scalar, C>() +
                                               chain_storage<scalar, C, Role::statistics>()) *
                                              sizeof(stored_t<P>);
    template <class C, std::size_t Rows>
    static constexpr std::size_t workspace = chain_workspace<stored_t<P>, C, Rows>() * sizeof(scalar);
};

// Network<Input<784>, Dense<128>, ReLU, Dense<10>>: an empty type with these constants.
template <class First, class... Layers>
struct Network {
    using chain = typename checked<detail::NetworkChain<First, Layers...>>::type;
    using input_type = First;

    // False after a shape error, which has then been reported.
    static constexpr bool valid = chain::valid && sizeof...(Layers) > 0;
    static constexpr std::size_t layer_count = chain::count;

    using input_shape = typename chain::input;
    using output_shape = std::conditional_t<valid, typename chain::output, Shape<1>>;
    // Of the I-th layer of the list, counted from 0.
    template <std::size_t I>
    using shape_after = detail::shape_after_t<chain, I>;
    template <std::size_t I>
    using layer = typename chain::template layer<I>;

    // Values without padding, running statistics included: Keras's "Total params".
    static constexpr std::size_t parameter_count = chain_parameter_count<chain>();
    // Those that an optimiser moves: Keras's "Trainable params".
    static constexpr std::size_t trainable_count = chain_value_count<chain, Role::learned>();
    // The block that holds them all, padding included.
    template <class P>
    static constexpr std::size_t parameter_bytes = Footprint<P>::template parameters<chain>;
    // Multiply-adds of one row.
    static constexpr std::size_t macs = chain_macs<chain>();
    // Memory for intermediate values at inference, Rows rows at a time, planned by liveness; input and output are the
    // caller's. The chain that runs is the rewritten one: fused, without Dropout (network/fusion.hpp).
    template <class P, std::size_t Rows = 1>
    static constexpr std::size_t workspace_bytes =
        Footprint<P>::template workspace<rewritten_chain<Purpose::inference, chain>, Rows>;
    // What training keeps of one row for the backward pass: the output of each layer but the last, and what a layer notes
    // down besides. The chain that trains is the rewritten one as well.
    template <class P>
    static constexpr std::size_t activation_bytes = chain_tape<rewritten_chain<Purpose::training, chain>>().row *
                                                    sizeof(typename P::scalar);

    // The same with every compiler and on every machine; stands in weight files.
    static constexpr std::uint64_t hash = topology_hash<chain>;

#if TENON_DETAIL_HANA
    // The layers as a Hana tuple of types: hana::transform(Net::layers, …), hana::contains(Net::layers, …).
    static constexpr boost::hana::tuple<boost::hana::type<Layers>...> layers{};
#endif
};

}  // namespace tenon
