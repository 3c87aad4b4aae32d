// SPDX-License-Identifier: BSL-1.0
// Fusion as a type rewrite: the network that runs, made from the network that was written. A layer whose kernel takes an
// activation swallows the one behind it; at inference Dropout disappears. Parameters keep their order and their layout, so
// a block of weights serves the written network and each rewritten one.
#pragma once

#include <tenon/layers/dropout.hpp>
#include <tenon/layers/fused.hpp>
#include <tenon/network/blocks.hpp>

namespace tenon::inline TENON_ISA {

// What the rewritten network is for. Training fuses only activations whose derivative can be had from their output, since
// the pre-activation is not kept then, and keeps Dropout. The other two are the steps of network/folding.hpp: each
// BatchNorm joined to the layer that takes it in, then gone.
enum class Purpose : unsigned char { inference, training, joining, folding };

namespace detail {

template <class L>
constexpr bool is_dropout()
{
    if constexpr (requires { L::is_dropout; })
        return L::is_dropout;
    else
        return false;
}

template <Purpose For, class L>
constexpr bool can_be_swallowed()
{
    if constexpr (!is_elementwise<L>())
        return false;
    else if constexpr (For == Purpose::inference)
        return true;
    else
        return L::derivative_from_output;
}

template <Purpose For, class... Ls>
struct RewriteList;

// Inside blocks the same rewrite applies.
template <Purpose For, class L>
struct RewriteLayer {
    using type = L;
};

template <template <class...> class Block, class L>
struct Rewrap;
template <template <class...> class Block, class... Ls>
struct Rewrap<Block, List<Ls...>> {
    using type = Block<Ls...>;
};

template <Purpose For, class... Ls>
struct RewriteLayer<For, Sequential<Ls...>> {
    using type = typename Rewrap<Sequential, typename RewriteList<For, Ls...>::type>::type;
};
template <Purpose For, class... Ls>
struct RewriteLayer<For, Residual<Ls...>> {
    using type = typename Rewrap<Residual, typename RewriteList<For, Ls...>::type>::type;
};
template <Purpose For, class... Ls>
struct RewriteLayer<For, Concat<Ls...>> {
    using type = Concat<typename RewriteLayer<For, Ls>::type...>;
};
template <Purpose For, std::size_t N, class L>
struct RewriteLayer<For, Repeat<N, L>> {
    using type = Repeat<N, typename RewriteLayer<For, L>::type>;
};

// A list without the Sequential and Repeat in it, whose layers stand in their place: one memory plan for all of them instead of
// one inside the other. A long Repeat stays: each of its layers would be one to compile.
template <class L>
struct Spliced {
    using type = List<L>;
};
template <class... Ls>
struct Spliced<Sequential<Ls...>> {
    using type = List<Ls...>;  // rewritten before, so without blocks to splice
};
template <class L, class Indices>
struct Repeated;
template <class... Ls, std::size_t... I>
struct Repeated<List<Ls...>, std::index_sequence<I...>> {
    using type = List<element<I % sizeof...(Ls), Ls...>...>;
};
inline constexpr std::size_t most_spliced = 16;
template <std::size_t N, class L>
    requires(N <= most_spliced)
struct Spliced<Repeat<N, L>> {
    using one = typename Spliced<L>::type;
    using type = typename Repeated<one, std::make_index_sequence<N * one::size>>::type;
};

template <class... Parts>
struct SplicedList {
    static constexpr std::size_t sizes[] = {Parts::size..., 0};
    static constexpr std::size_t count = [] {
        std::size_t sum = 0;
        for (const std::size_t size : sizes) sum += size;
        return sum;
    }();
    // Of each layer: the part that it comes from, and its place there.
    struct Table {
        std::size_t part[count + 1] = {}, at[count + 1] = {};
    };
    static constexpr Table table = [] {
        Table result{};
        std::size_t next = 0;
        for (std::size_t p = 0; p < sizeof...(Parts); ++p)
            for (std::size_t i = 0; i < sizes[p]; ++i, ++next) {
                result.part[next] = p;
                result.at[next] = i;
            }
        return result;
    }();
    template <std::size_t... I>
    static auto all(std::index_sequence<I...>)
        -> List<typename element<table.part[I], Parts...>::template at<table.at[I]>...>;
    using type = decltype(all(std::make_index_sequence<count>{}));
};
template <class... Ls>
constexpr bool has_spliced()
{
    constexpr bool blocks[] = {!std::is_same_v<typename Spliced<Ls>::type, List<Ls>>..., false};
    for (const bool block : blocks)
        if (block) return true;
    return false;
}

// Which layers of a list remain, and which of them swallows the next one that would.
template <std::size_t N>
struct RewriteTable {
    std::size_t kept = 0;
    std::size_t head[N + 1] = {};
    std::size_t swallowed[N + 1] = {};  // the activation's index, or N for none
    std::size_t pool[N + 1] = {};       // the pool's, likewise
};

// What a layer and the activation behind it become, and with the pool behind them: other layers around one may differ.
template <class Head, class Activation>
struct FusedWith {
    using type = Fused<Head, Activation>;
};
template <class Head, class Pool>
struct PooledWith {
    using type = FusedPool<Head, Pool>;
};

template <Purpose For, class... Ls>
struct RewriteList {
    static constexpr std::size_t count = sizeof...(Ls);

    static constexpr auto table = [] {
        constexpr bool drop[] = {For == Purpose::inference && is_dropout<Ls>()..., false};
        constexpr bool takes[] = {fuses_activation<Ls>()..., false};
        constexpr bool follows[] = {can_be_swallowed<For, Ls>()..., false};
        constexpr bool pools[] = {fuses_pool<Ls>()..., false}, blocks[] = {is_block_maximum<Ls>()..., false};
        constexpr bool floors[] = {is_floor<Ls>()..., false};
        bool all_dropped = true;
        for (std::size_t i = 0; i < count; ++i) all_dropped = all_dropped && drop[i];
        RewriteTable<count> result{};
        for (std::size_t i = 0; i < count; ++i) {
            if (drop[i] && !(all_dropped && i == 0)) continue;
            result.head[result.kept] = i;
            result.swallowed[result.kept] = count;
            result.pool[result.kept] = count;
            const std::size_t head = i;
            const auto next = [&](std::size_t from) {
                do ++from;
                while (from < count && drop[from]);
                return from;
            };
            if (takes[head] && follows[next(i)]) {
                i = next(i);
                result.swallowed[result.kept] = i;
            }
            if ((For == Purpose::inference || For == Purpose::training) && pools[head] && (i == head || floors[i]) &&
                blocks[next(i)])
            {
                i = next(i);
                result.pool[result.kept] = i;
            }
            ++result.kept;
        }
        return result;
    }();

    template <std::size_t I>
    static constexpr auto rewritten()
    {
        using Alone = typename RewriteLayer<For, element<table.head[I], Ls...>>::type;
        constexpr auto head = [] {
            if constexpr (table.swallowed[I] < count)
                return List<typename FusedWith<Alone, element<table.swallowed[I], Ls...>>::type>{};
            else
                return List<Alone>{};
        }();
        if constexpr (table.pool[I] < count)
            return List<
                typename PooledWith<typename decltype(head)::template at<0>, element<table.pool[I], Ls...>>::type>{};
        else
            return head;
    }

    template <std::size_t... I>
    static constexpr auto all(std::index_sequence<I...>)
    {
        return List<typename decltype(rewritten<I>())::template at<0>...>{};
    }
    template <class... Rs>
    static constexpr auto spliced(List<Rs...> list)
    {
        if constexpr (For == Purpose::inference && has_spliced<Rs...>())
            return typename SplicedList<typename Spliced<Rs>::type...>::type{};
        else
            return list;
    }
    using type = decltype(spliced(all(std::make_index_sequence<table.kept>{})));
};

template <Purpose For, class C>
struct RewriteChain;
template <Purpose For, AnyShape In, class... Ls>
struct RewriteChain<For, Chain<In, Ls...>> {
    template <class L>
    struct Of;
    template <class... Rs>
    struct Of<List<Rs...>> {
        using type = Chain<In, Rs...>;
    };
    using type = typename Of<typename RewriteList<For, Ls...>::type>::type;
};

}  // namespace detail

// The chain that runs for a purpose. A chain that failed to bind is left alone.
template <Purpose For, class C>
using rewritten_chain =
    typename std::conditional_t<C::valid, detail::RewriteChain<For, C>, std::type_identity<C>>::type;

}  // namespace tenon
