// SPDX-License-Identifier: BSL-1.0
// Structured pruning as a type rewrite: shrink<Net, Keep<0, 24>> is the network whose layer 0 has 24 units or channels, an
// ordinary network without a trace of the larger one. compression/shrink.hpp makes its weights.
#pragma once

#include <tenon/layers/layers.hpp>
#include <tenon/network/network.hpp>

namespace tenon::inline TENON_ISA {

// The layer of that place in the list, counted from 0, keeps so many of its units or channels.
template <std::size_t Place, std::size_t Count>
struct Keep {
    static constexpr std::size_t place = Place;
};
// The same as a share, rounded up: KeepShare<0, 1, 2> keeps half.
template <std::size_t Place, std::size_t Numerator, std::size_t Denominator>
struct KeepShare {
    static constexpr std::size_t place = Place;

    static_assert(Denominator > 0,
                  "tenon: KeepShare<place, numerator, denominator>: the denominator must be positive.");
};
// Layers of the Sequential or the Residual at that place: Within<3, Keep<0, 16>>.
template <std::size_t Place, class... Keeps>
struct Within {
    static constexpr std::size_t place = Place;
};

namespace detail {

// What a layer does with the channels (the last axis) of its input:
//   mixes:   each output sums over all of them; its own outputs can be narrowed
//   follows: each channel by itself, so that a channel less in is a channel less out
//   blocks:  branches, which share them or add them to others
//   other:   not known
enum class ChannelUse : unsigned char { mixes, follows, block, other };

// A layer of a user's says `static constexpr bool keeps_channels = true` where it treats each channel by itself; its slots
// then have one value, or one for each place of a window, per channel, channels last.
template <class L>
inline constexpr ChannelUse channel_use = [] {
    if constexpr (requires { L::keeps_channels; })
        return L::keeps_channels ? ChannelUse::follows : ChannelUse::other;
    else
        return is_elementwise<L>() || is_dropout<L>() ? ChannelUse::follows : ChannelUse::other;
}();
template <std::size_t Units, class... Options>
inline constexpr ChannelUse channel_use<Dense<Units, Options...>> = ChannelUse::mixes;
template <std::size_t Filters, class... Options>
inline constexpr ChannelUse channel_use<Conv1D<Filters, Options...>> = Conv1D<Filters, Options...>::groups == 1
                                                                           ? ChannelUse::mixes
                                                                           : ChannelUse::other;
template <std::size_t Filters, class... Options>
inline constexpr ChannelUse channel_use<Conv2D<Filters, Options...>> = Conv2D<Filters, Options...>::groups == 1
                                                                           ? ChannelUse::mixes
                                                                           : ChannelUse::other;
template <class... Options>
inline constexpr ChannelUse channel_use<DepthwiseConv2D<Options...>> = ChannelUse::follows;
template <class... Options>
inline constexpr ChannelUse channel_use<BatchNormWith<Options...>> = ChannelUse::follows;
template <>
inline constexpr ChannelUse channel_use<PReLU> = ChannelUse::follows;
template <class R>
inline constexpr ChannelUse channel_use<SpatialDropout<R>> = ChannelUse::follows;
template <std::size_t Size, class... Options>
inline constexpr ChannelUse channel_use<MaxPool2D<Size, Options...>> = ChannelUse::follows;
template <std::size_t Size, class... Options>
inline constexpr ChannelUse channel_use<MaxPool1D<Size, Options...>> = ChannelUse::follows;
template <std::size_t Size, class... Options>
inline constexpr ChannelUse channel_use<AveragePool2D<Size, Options...>> = ChannelUse::follows;
template <std::size_t Size, class... Options>
inline constexpr ChannelUse channel_use<AveragePool1D<Size, Options...>> = ChannelUse::follows;
template <>
inline constexpr ChannelUse channel_use<GlobalAveragePool2D> = ChannelUse::follows;
template <>
inline constexpr ChannelUse channel_use<GlobalMaxPool2D> = ChannelUse::follows;
template <>
inline constexpr ChannelUse channel_use<Flatten> = ChannelUse::follows;
template <class... Ls>
inline constexpr ChannelUse channel_use<Sequential<Ls...>> = ChannelUse::block;
template <class... Ls>
inline constexpr ChannelUse channel_use<Residual<Ls...>> = ChannelUse::block;
template <class... Ls>
inline constexpr ChannelUse channel_use<Concat<Ls...>> = ChannelUse::block;
template <std::size_t N, class L>
inline constexpr ChannelUse channel_use<Repeat<N, L>> = ChannelUse::block;

// A layer with another number of units.
template <class L, std::size_t Count>
struct WithUnits;
template <template <std::size_t, class...> class L, std::size_t Units, class... Options, std::size_t Count>
struct WithUnits<L<Units, Options...>, Count> {
    using type = L<Count, Options...>;
};

template <class K, std::size_t Units>
inline constexpr std::size_t kept_units = Units;
template <std::size_t Place, std::size_t Count, std::size_t Units>
inline constexpr std::size_t kept_units<Keep<Place, Count>, Units> = Count;
template <std::size_t Place, std::size_t Numerator, std::size_t Denominator, std::size_t Units>
inline constexpr std::size_t kept_units<KeepShare<Place, Numerator, Denominator>, Units> =
    Denominator == 0 ? Units : (Units* Numerator + Denominator - 1) / (Denominator == 0 ? 1 : Denominator);

template <class K>
inline constexpr bool is_keep = false;
template <std::size_t Place, std::size_t Count>
inline constexpr bool is_keep<Keep<Place, Count>> = true;
template <std::size_t Place, std::size_t Numerator, std::size_t Denominator>
inline constexpr bool is_keep<KeepShare<Place, Numerator, Denominator>> = true;
template <class K>
inline constexpr bool is_within = false;
template <std::size_t Place, class... Keeps>
inline constexpr bool is_within<Within<Place, Keeps...>> = true;

// Who makes use of the units of layer I: the place of the layer, or the number of layers where they are the output.
template <class C>
struct UsersOf;
template <AnyShape In, class... Ls>
struct UsersOf<Chain<In, Ls...>> {
    static constexpr std::size_t after(std::size_t place)
    {
        constexpr ChannelUse use[] = {channel_use<Ls>..., ChannelUse::other};
        do ++place;
        while (place < sizeof...(Ls) && use[place] == ChannelUse::follows);
        return place;
    }
    static constexpr ChannelUse use(std::size_t place)
    {
        constexpr ChannelUse use[] = {channel_use<Ls>..., ChannelUse::other};
        return use[place];
    }
};

// The mistakes, each with the layer and what was asked in the name of the template.
template <class K, std::size_t Layers>
struct ShrinkPlace {
    static constexpr bool value = K::place < Layers;
    static_assert(K::place < Layers, "tenon: shrink names a layer by its place, counted from 0, within the list.");
};
template <class K, std::size_t Times>
struct ShrinkOnce {
    static constexpr bool value = Times == 1;
    static_assert(Times == 1, "tenon: shrink is told twice what to keep of one layer.");
};
template <class K, class Layer, bool IsBlock>
struct ShrinkBlock {
    static constexpr bool value = IsBlock;
    static_assert(IsBlock, "tenon: Within names a Sequential or a Residual by its place, and this layer is none.");
};
template <class K, class Layer, bool Narrows>
struct ShrinkKind {
    static constexpr bool value = Narrows;
    static_assert(Narrows,
                  "tenon: shrink narrows a Dense, or a Conv1D or Conv2D without Groups, and this layer is none.");
};
template <class K, std::size_t Kept, std::size_t Units>
struct ShrinkCount {
    static constexpr bool value = Kept > 0 && Kept <= Units;
    static_assert(Kept > 0 && Kept <= Units, "tenon: shrink keeps between one and all of a layer's units.");
};
template <class K, bool IsOutput>
struct ShrinkOutput {
    static constexpr bool value = !IsOutput;
    static_assert(!IsOutput,
                  "tenon: shrink cannot narrow what its list puts out: the network's outputs, or what a "
                  "Residual adds to its input.");
};
template <class K, class User, ChannelUse Use>
struct ShrinkUser {
    static constexpr bool value = Use == ChannelUse::mixes;
    static_assert(Use != ChannelUse::block,
                  "tenon: shrink cannot narrow a layer whose output goes into a block: a Residual "
                  "adds it to its branch, and the branches of others share it.");
    static_assert(
        Use == ChannelUse::mixes || Use == ChannelUse::block,
        "tenon: shrink cannot follow the layer's units through the layer behind, which does not treat each by "
        "itself.");
};

template <class C, class K>
constexpr bool check_keep()
{
    using L = typename C::template layer<K::place>;
    using Users = UsersOf<C>;
    if constexpr (checked<ShrinkKind<K, L, channel_use<L> == ChannelUse::mixes>>::value) {
        constexpr std::size_t units = C::template bound<K::place>::output::last;
        if constexpr (checked<ShrinkCount<K, kept_units<K, units>, units>>::value) {
            constexpr std::size_t user = Users::after(K::place);
            if constexpr (checked<ShrinkOutput<K, user == C::count>>::value)
                return checked<ShrinkUser<K, typename C::template layer<user>, Users::use(user)>>::value;
        }
    }
    return false;
}

template <class C, class... Ks>
struct ShrinkChain;

// Layer I of a chain, as the Keeps have it.
template <class C, std::size_t I, class... Ks>
struct ShrunkLayer {
    using type = typename C::template layer<I>;
};
template <class C, std::size_t I, class K>
    requires is_keep<K>
struct ShrunkLayer<C, I, K> {
    using type =
        typename WithUnits<typename C::template layer<I>, kept_units<K, C::template bound<I>::output::last>>::type;
};
template <class C, std::size_t I, class... Keeps>
struct ShrunkLayer<C, I, Within<I, Keeps...>> {
    template <class L, class Layers>
    struct Of;
    template <template <class...> class Block, class... Old, class... New>
    struct Of<Block<Old...>, List<New...>> {
        using type = Block<New...>;
    };
    using inner = ShrinkChain<typename C::template bound<I>::rule::branches::template at<0>, Keeps...>;
    using type = typename Of<typename C::template layer<I>, typename inner::type>::type;
};

template <class L>
inline constexpr bool is_one_branch = false;
template <class... Ls>
inline constexpr bool is_one_branch<Sequential<Ls...>> = true;
template <class... Ls>
inline constexpr bool is_one_branch<Residual<Ls...>> = true;

// The Keep or Within of a place, as a list of one or none.
template <std::size_t I, class... Ks>
struct KeepAt {
    using type = List<>;
};
template <std::size_t I, class K, class... Ks>
struct KeepAt<I, K, Ks...> {
    using type = typename std::conditional_t<K::place == I, std::type_identity<List<K>>, KeepAt<I, Ks...>>::type;
};

template <class C, std::size_t I, class Found>
struct ShrunkLayerBy;
template <class C, std::size_t I, class... Found>
struct ShrunkLayerBy<C, I, List<Found...>> : ShrunkLayer<C, I, Found...> {};

template <class C, class Indices, class... Ks>
struct ShrunkLayers;
template <class C, std::size_t... I, class... Ks>
struct ShrunkLayers<C, std::index_sequence<I...>, Ks...> {
    using type = List<typename ShrunkLayerBy<C, I, typename KeepAt<I, Ks...>::type>::type...>;
};

// The layers of a chain, each as the Keeps have it; as they were where one of them is refused.
template <class C, class... Ks>
struct ShrinkChain {
    template <class K>
    static constexpr bool check()
    {
        if constexpr (checked<ShrinkPlace<K, C::count>>::value) {
            constexpr std::size_t times = (std::size_t{0} + ... + (Ks::place == K::place ? 1 : 0));
            if constexpr (checked<ShrinkOnce<K, times>>::value) {
                if constexpr (is_within<K>)
                    return checked<ShrinkBlock<K, typename C::template layer<K::place>,
                                               is_one_branch<typename C::template layer<K::place>>>>::value;
                else
                    return check_keep<C, K>();
            }
        }
        return false;
    }
    // The first mistake is the only error.
    template <class K, class... Rest>
    static constexpr bool check_all()
    {
        if constexpr (!check<K>())
            return false;
        else if constexpr (sizeof...(Rest) > 0)
            return check_all<Rest...>();
        else
            return true;
    }
    static constexpr bool valid = [] {
        if constexpr (C::valid && sizeof...(Ks) > 0)
            return check_all<Ks...>();
        else
            return false;
    }();

    using type = typename std::conditional_t<valid, ShrunkLayers<C, std::make_index_sequence<C::count>, Ks...>,
                                             std::type_identity<typename C::layers>>::type;
};

template <class First, class Layers>
struct NetworkOfList;
template <class First, class... Ls>
struct NetworkOfList<First, List<Ls...>> {
    using type = Network<First, Ls...>;
};

// In a class, because g++ 12 cannot mangle what checked<…> asks in a function's signature.
template <class Net, class... Keeps>
struct ShrunkNetwork {
    using layers = typename checked<ShrinkChain<typename Net::chain, Keeps...>>::type;
    using type = typename NetworkOfList<typename Net::input_type, layers>::type;
};

}  // namespace detail

// The network with fewer units in some layers: shrink<Net, Keep<0, 24>, KeepShare<3, 1, 2>, Within<5, Keep<0, 8>>>.
// The layers that follow take what is left: activations, BatchNorm, pools, Flatten and depthwise convolutions lose the same
// channels, the next Dense or convolution its inputs.
template <class Net, class... Keeps>
using shrink = typename detail::ShrunkNetwork<Net, Keeps...>::type;

}  // namespace tenon
