// SPDX-License-Identifier: BSL-1.0
// The chain that a loss trains: fused for training, and without a final layer that the loss computes itself, more exactly
// (Softmax before CrossEntropy, Sigmoid before BinaryCrossEntropy).
#pragma once

#include <tenon/losses/loss.hpp>
#include <tenon/network/network.hpp>
#include <tenon/network/taps.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// What is left of a last layer: nothing of one that the loss absorbs; a Sequential loses its own last layer.
template <class Loss, class Layer>
struct WithoutAbsorbed {
    using type = std::conditional_t<absorbs<Loss, Layer>(), List<>, List<Layer>>;
};

// The layers Begin + I … of a list, and what is left of its last one.
template <class Loss, class Indices, class... Layers>
struct WithoutAbsorbedLast;
template <class Loss, std::size_t... I, class... Layers>
struct WithoutAbsorbedLast<Loss, std::index_sequence<I...>, Layers...> {
    template <class Left>
    struct Join;
    template <class... Left>
    struct Join<List<Left...>> {
        using type = List<element<I, Layers...>..., Left...>;
    };
    using last = element<sizeof...(I), Layers...>;
    using type = typename Join<typename WithoutAbsorbed<Loss, last>::type>::type;
};

template <class Loss, class... Layers>
using without_absorbed_last =
    typename WithoutAbsorbedLast<Loss, std::make_index_sequence<sizeof...(Layers) - 1>, Layers...>::type;

template <class Left>
struct SequentialOf;
template <class... Left>
struct SequentialOf<List<Left...>> {
    using type = List<Sequential<Left...>>;
};
template <>
struct SequentialOf<List<>> {
    using type = List<>;
};

template <class Loss, class... Layers>
    requires(sizeof...(Layers) > 0)
struct WithoutAbsorbed<Loss, Sequential<Layers...>> : SequentialOf<without_absorbed_last<Loss, Layers...>> {};

// A network that is nothing but the absorbed layer keeps it.
template <class Whole, class Left>
struct LossInput {
    using type = Whole;
};
template <AnyShape In, class... Layers, class First, class... Left>
struct LossInput<Chain<In, Layers...>, List<First, Left...>> {
    using type = Chain<In, First, Left...>;
};

template <class Loss, class C>
struct LossInputChain {
    using type = C;
};
template <class Loss, AnyShape In, class First, class... Layers>
struct LossInputChain<Loss, Chain<In, First, Layers...>>
    : LossInput<Chain<In, First, Layers...>, without_absorbed_last<Loss, First, Layers...>> {};

}  // namespace detail

// The network's chain up to what the loss takes: logits for a loss that absorbs the final Softmax, be it the last layer
// of the network or of a Sequential at its end. A chain that failed to bind is left alone.
template <class Loss, class C>
using loss_input_chain =
    typename std::conditional_t<C::valid, detail::LossInputChain<Loss, C>, std::type_identity<C>>::type;

// The layers that a loss looks behind, by their places in the network as written: `template <class C> using taps`
// (training/loss_state.hpp).
template <class Loss, class C>
struct LossTaps {
    using type = std::index_sequence<>;
};
template <class Loss, class C>
    requires(C::valid&& requires { typename Loss::template taps<C>; })
struct LossTaps<Loss, C> {
    using type = typename Loss::template taps<C>;
};
template <class Loss, class C>
using loss_taps = typename LossTaps<Loss, loss_input_chain<Loss, C>>::type;

// That chain as it runs, in training and in evaluation; with the loss's taps in training only.
template <class Loss, class C>
using training_chain = rewritten_chain<Purpose::training, tapped_chain<loss_input_chain<Loss, C>, loss_taps<Loss, C>>>;
template <class Loss, class C>
using evaluation_chain = rewritten_chain<Purpose::inference, loss_input_chain<Loss, C>>;

}  // namespace tenon
