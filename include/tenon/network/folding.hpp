// SPDX-License-Identifier: BSL-1.0
// Folding of batch normalisation as a type rewrite: at inference BatchNorm scales and shifts each channel by constants, which
// the weights of the layer before it can take in. folded<Net> is the network without those BatchNorms;
// model/fold_batch_norm.hpp makes its weights.
#pragma once

#include <tenon/layers/batch_norm.hpp>
#include <tenon/network/network.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// A layer and the BatchNorms that it takes in, between the two steps: its parameters lie as those of the written layers.
template <class Head, class... Norms>
struct Normalized {
    template <class In>
    struct rule : SequenceRule<In, Head, Norms...> {};
};

// A layer that is linear in its input, channel by channel of its output, says `folds_batch_norm = true`. Its first slot is
// the kernel and its second the bias, which NoBias may leave out. Two outputs' values of the kernel lie
// rule::channel_stride apart in logical order, 1 where it says nothing.
template <class L>
constexpr bool folds_batch_norm()
{
    if constexpr (requires { L::folds_batch_norm; })
        return L::folds_batch_norm;
    else
        return false;
}

// Whether a layer takes in a BatchNorm behind it, and what it becomes then.
template <class L>
struct Tail {
    static constexpr bool takes = folds_batch_norm<L>();
    template <class Norm>
    using with = Normalized<L, Norm>;
};
template <class Head, class... Norms>
struct Tail<Normalized<Head, Norms...>> {
    static constexpr bool takes = true;
    template <class Norm>
    using with = Normalized<Head, Norms..., Norm>;
};

// The same of a list: its last layer does, Dropout aside, which is the identity at inference.
template <class... Ls>
struct ListTail {
    static constexpr std::size_t last = [] {
        constexpr bool passes[] = {is_dropout<Ls>()..., false};
        std::size_t i = sizeof...(Ls);
        while (i > 0 && passes[i - 1]) --i;
        return i == 0 ? 0 : i - 1;
    }();
    using tail = Tail<element<last, Ls...>>;
    static constexpr bool takes = tail::takes;

    template <class Changed, class Indices>
    struct Put;
    template <class Changed, std::size_t... I>
    struct Put<Changed, std::index_sequence<I...>> {
        using type = List<std::conditional_t<I == last, Changed, element<I, Ls...>>...>;
    };
    template <class Norm>
    using with = typename Put<typename tail::template with<Norm>, std::make_index_sequence<sizeof...(Ls)>>::type;
};
template <>
struct ListTail<> {
    static constexpr bool takes = false;
};

template <class... Ls>
struct Tail<Sequential<Ls...>> {
    static constexpr bool takes = ListTail<Ls...>::takes;
    template <class Norm>
    using with = typename Rewrap<Sequential, typename ListTail<Ls...>::template with<Norm>>::type;
};

// A list with one more layer behind it. A BatchNorm goes into the layer before it, also one that opens a Sequential.
template <class Done, class L>
struct AppendJoined;
template <class... Ds, class L>
struct AppendJoined<List<Ds...>, L> {
    using type = List<Ds..., L>;
};
template <class... Ds, class... Options>
    requires(ListTail<Ds...>::takes)
struct AppendJoined<List<Ds...>, BatchNormWith<Options...>> {
    using type = typename ListTail<Ds...>::template with<BatchNormWith<Options...>>;
};
template <class... Ds, class... Options, class... Ls>
    requires(ListTail<Ds...>::takes)
struct AppendJoined<List<Ds...>, Sequential<BatchNormWith<Options...>, Ls...>>
    : AppendJoined<typename ListTail<Ds...>::template with<BatchNormWith<Options...>>, Sequential<Ls...>> {};
// Of a Sequential that had nothing else, nothing is left.
template <class... Ds>
struct AppendJoined<List<Ds...>, Sequential<>> {
    using type = List<Ds...>;
};

template <class Done, class... Ls>
struct JoinList {
    using type = Done;
};
template <class Done, class L, class... Rest>
struct JoinList<Done, L, Rest...> : JoinList<typename AppendJoined<Done, L>::type, Rest...> {};

// The layer with a bias: without the option NoBias.
template <class Done, class... Options>
struct Biased {
    using type = Done;
};
template <class... Ds, class Option, class... Rest>
struct Biased<List<Ds...>, Option, Rest...>
    : Biased<std::conditional_t<std::is_same_v<Option, NoBias>, List<Ds...>, List<Ds..., Option>>, Rest...> {};

template <class L>
struct WithBiasOf {
    using type = L;
};
template <template <class...> class L, class... Options>
struct WithBiasOf<L<Options...>> {
    using type = typename Rewrap<L, typename Biased<List<>, Options...>::type>::type;
};
template <template <std::size_t, class...> class L, std::size_t N, class... Options>
struct WithBiasOf<L<N, Options...>> {
    template <class Kept>
    struct Of;
    template <class... Kept>
    struct Of<List<Kept...>> {
        using type = L<N, Kept...>;
    };
    using type = typename Of<typename Biased<List<>, Options...>::type>::type;
};

template <class... Ls>
struct RewriteList<Purpose::joining, Ls...> {
    using type = typename JoinList<List<>, typename RewriteLayer<Purpose::joining, Ls>::type...>::type;
};
template <class... Ls>
struct RewriteList<Purpose::folding, Ls...> {
    using type = List<typename RewriteLayer<Purpose::folding, Ls>::type...>;
};
template <class Head, class... Norms>
struct RewriteLayer<Purpose::folding, Normalized<Head, Norms...>> {
    using type = typename WithBiasOf<Head>::type;
};

// Both steps: the two chains have the same form, layer by layer and branch by branch.
template <class C>
using joined_chain = rewritten_chain<Purpose::joining, C>;
template <class C>
using folded_chain = rewritten_chain<Purpose::folding, joined_chain<C>>;

template <class First, class C>
struct FoldedNetwork;
template <class First, class In, class... Ls>
struct FoldedNetwork<First, Chain<In, Ls...>> {
    using type = Network<First, Ls...>;
};

}  // namespace detail

// The network without the BatchNorms that directly follow a Dense, a convolution or a depthwise one (a Dropout between them
// does not count); those layers have a bias then. Blocks are gone through: in branches, and across the ends of Sequential.
// A BatchNorm at another place, such as behind an activation or the sum of a Residual, stays.
template <class Net>
using folded =
    typename detail::FoldedNetwork<typename Net::input_type, detail::folded_chain<typename Net::chain>>::type;

}  // namespace tenon
