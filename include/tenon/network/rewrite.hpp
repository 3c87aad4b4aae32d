// SPDX-License-Identifier: BSL-1.0
// Rewriting topologies as types, with Boost.Hana: append, replace, truncate, and the rewrites that inference applies.
// A result is again a Network, checked like one that was written by hand.
#pragma once

#include <tenon/network/network.hpp>

#include <boost/hana/append.hpp>
#include <boost/hana/concat.hpp>
#include <boost/hana/drop_front.hpp>
#include <boost/hana/integral_constant.hpp>
#include <boost/hana/remove_if.hpp>
#include <boost/hana/take_front.hpp>
#include <boost/hana/unpack.hpp>

namespace tenon::inline TENON_ISA::rewrite {

namespace detail {

namespace hana = boost::hana;

template <class First>
struct MakeNetwork {
    template <class... Ls>
    constexpr auto operator()(hana::basic_type<Ls>...) const
    {
        return hana::type<Network<First, Ls...>>{};
    }
};

// A Hana sequence of layer types → the Network of them, behind the input of another.
template <class Net, class Layers>
using network_of = typename decltype(hana::unpack(std::declval<Layers>(),
                                                  MakeNetwork<typename Net::input_type>{}))::type;

template <class Net>
using layers_of = std::remove_const_t<decltype(Net::layers)>;

}  // namespace detail

namespace hana = boost::hana;

// The network with more layers behind it.
template <class Net, class... Layers>
using append = detail::network_of<Net, decltype(hana::concat(std::declval<detail::layers_of<Net>>(),
                                                             std::declval<hana::tuple<hana::type<Layers>...>>()))>;

// The first Count layers.
template <class Net, std::size_t Count>
struct Truncate {
    static_assert(Count > 0 && Count <= Net::layer_count,
                  "tenon: truncate keeps between one and all of the network's layers.");
    using type = detail::network_of<Net, decltype(hana::take_front(std::declval<detail::layers_of<Net>>(),
                                                                   hana::size_c<Count>))>;
};
template <class Net, std::size_t Count>
using truncate = typename Truncate<Net, Count>::type;

// Layer I becomes another layer.
template <class Net, std::size_t I, class Layer>
struct Replace {
    static_assert(I < Net::layer_count, "tenon: replace names a layer by its place, counted from 0, within the network.");
    using type = detail::network_of<
        Net, decltype(hana::concat(
                 hana::append(hana::take_front(std::declval<detail::layers_of<Net>>(), hana::size_c<I>),
                              hana::type<Layer>{}),
                 hana::drop_front(std::declval<detail::layers_of<Net>>(), hana::size_c<I + 1>)))>;
};
template <class Net, std::size_t I, class Layer>
using replace = typename Replace<Net, I, Layer>::type;

namespace detail {

struct IsDropout {
    template <class L>
    constexpr auto operator()(hana::basic_type<L>) const
    {
        return hana::bool_c<tenon::detail::is_dropout<L>()>;
    }
};

template <class Net, class C>
struct NetworkOfChain;
template <class Net, class In, class... Ls>
struct NetworkOfChain<Net, Chain<In, Ls...>> {
    using type = Network<typename Net::input_type, Ls...>;
};

}  // namespace detail

// The network without the Dropout layers of its own list (those inside blocks stay).
template <class Net>
using without_dropout = detail::network_of<
    Net, decltype(hana::remove_if(std::declval<detail::layers_of<Net>>(), std::declval<detail::IsDropout>()))>;

// The network as it runs: activations inside the layers that compute them, no Dropout at inference. Its parameters have the
// order and the layout of the original's.
template <class Net, Purpose For = Purpose::inference>
using fuse = typename detail::NetworkOfChain<Net, rewritten_chain<For, typename Net::chain>>::type;

}  // namespace tenon::rewrite
