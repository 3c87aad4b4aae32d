// SPDX-License-Identifier: BSL-1.0
// keep_strongest: structured pruning. The weights of shrink<Net, …> (network/shrink.hpp) from those of Net: each narrowed
// layer keeps its units or channels of the largest norm (Li et al. 2017, "Pruning Filters for Efficient ConvNets"), and what
// follows keeps what belongs to them.
#pragma once

#include <tenon/core/pruned.hpp>
#include <tenon/model/model.hpp>
#include <tenon/network/shrink.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace tenon::inline TENON_ISA {

// How strong a unit is: Σ |w| or Σ w² over its part of the kernel, without its bias.
enum class UnitNorm : unsigned char { l1, l2 };

namespace detail {

// Channels of the larger network, in ascending order: the i-th of the smaller one was chosen[i].
using ChosenChannels = std::vector<std::uint32_t>;

inline ChosenChannels all_channels(std::size_t count)
{
    ChosenChannels all(count);
    std::iota(all.begin(), all.end(), std::uint32_t{0});
    return all;
}

// The `count` channels of the largest norm; of equal ones the first. What is no number counts as infinite, as prune has it.
// kernel: (inputs, outputs) in logical order
template <AnyShape Kernel, class Layout, class T>
ChosenChannels strongest(const T* kernel, std::size_t count, UnitNorm norm)
{
    ChosenChannels order = all_channels(Kernel::last);
    if (count == Kernel::last) return order;
    std::vector<double> strength(Kernel::last, 0.0);
    for (std::size_t i = 0; i < Kernel::size; ++i) {
        const double w = static_cast<double>(kernel[Layout::template index<T, Kernel>(i)]);
        strength[i % Kernel::last] += norm == UnitNorm::l2 ? w * w : w < 0 ? -w : w;
    }
    for (double& size : strength)
        if (size != size) size = std::numeric_limits<double>::infinity();
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        return strength[a] != strength[b] ? strength[a] > strength[b] : a < b;
    });
    order.resize(count);
    std::sort(order.begin(), order.end());
    return order;
}

// One slot: `outer` places, each of (inputs, outputs).
template <class From, class To, class T>
void copy_chosen(const T* from, T* to, std::size_t inputs, std::size_t outputs, const ChosenChannels& in,
                 const ChosenChannels& out)
{
    for (std::size_t i = 0; i < To::shape::size; ++i) {
        const std::size_t f = i % out.size(), c = i / out.size() % in.size(), place = i / out.size() / in.size();
        const std::size_t source = (place * inputs + in[c]) * outputs + out[f];
        to[To::layout::template index<T, typename To::shape>(i)] =
            from[From::layout::template index<T, typename From::shape>(source)];
    }
}

// The slots of a layer that treats each channel by itself.
template <class B, class N, Role R, class T>
void copy_channels(const T* from, T* to, const ChosenChannels& channels)
{
    for_each_index<0, role_slots_type<B, R>::size>([&]<std::size_t I>() {
        copy_chosen<typename role_slots_type<B, R>::template slot<I>, typename role_slots_type<N, R>::template slot<I>>(
            from + slot_offset<T, B, I, R>(), to + slot_offset<T, N, I, R>(), 1, B::input::last, {0}, channels);
    });
}

// The parameters of chain C made into those of S, whose input has the channels `in` of C's. Returns those of its output.
template <class C, class S, class T>
ChosenChannels shrink_chain(ParameterBlocks<const T> from, ParameterBlocks<T> to, ChosenChannels in, UnitNorm norm)
{
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        using N = typename S::template bound<I>;
        using L = typename B::layer;
        const ParameterView<B, const T> old = layer_view<C, I>(from);
        const ParameterView<N, T> now = layer_view<S, I>(to);
        if constexpr (channel_use<L> == ChannelUse::mixes) {
            using Kernel = typename slots_type<B>::template slot<0>;
            using Small = typename slots_type<N>::template slot<0>;
            constexpr std::size_t outputs = B::output::last, inputs = B::input::last;
            const ChosenChannels out = strongest<typename Kernel::shape, typename Kernel::layout>(
                old.template get<0>(), N::output::last, norm);
            copy_chosen<Kernel, Small>(old.template get<0>(), now.template get<0>(), inputs, outputs, in, out);
            if constexpr (slots_type<B>::size == 2)
                copy_chosen<typename slots_type<B>::template slot<1>, typename slots_type<N>::template slot<1>>(
                    old.template get<1>(), now.template get<1>(), 1, outputs, {0}, out);
            in = out;
        } else if constexpr (std::is_same_v<B, N>) {
            for (std::size_t i = 0; i < layer_storage<T, B>(); ++i) now.base[i] = old.base[i];
            for (std::size_t i = 0; i < layer_storage<T, B, Role::statistics>(); ++i)
                now.statistics[i] = old.statistics[i];
            in = all_channels(B::output::last);
        } else if constexpr (HasBranches<B>) {
            // Inside Sequential and Residual alone a layer may differ, and never the block's own ends.
            in =
                shrink_chain<typename B::rule::branches::template at<0>, typename N::rule::branches::template at<0>, T>(
                    old.template branch<0>(), now.template branch<0>(), in, norm);
        } else {
            copy_channels<B, N, Role::learned>(old.base, now.base, in);
            copy_channels<B, N, Role::statistics>(old.statistics, now.statistics, in);
            // Flatten: each place has its channels.
            constexpr std::size_t places = B::output::last / B::input::last;
            const std::size_t channels = in.size();
            for (std::size_t place = 1; place < places; ++place)
                for (std::size_t c = 0; c < channels; ++c)
                    in.push_back(static_cast<std::uint32_t>(place * B::input::last) + in[c]);
        }
    });
    return in;
}

}  // namespace detail

// What is left of a trained network: keep_strongest<Keep<0, 24>, Keep<3, 64>>(model). Each layer is judged by its own
// weights before any was removed. Fine-tune the result; it is a network like any other.
template <class... Keeps, class Net, class P>
Model<shrink<Net, Keeps...>, P> keep_strongest(const Model<Net, P>& model, UnitNorm norm = UnitNorm::l1)
{
    using Small = shrink<Net, Keeps...>;
    using T = typename P::scalar;
    Parameters<Small, P> small;
    if constexpr (checked<CheckPrunable<P>>::value && Net::valid && Small::valid) {
        const T* from = model.parameters().data();
        detail::shrink_chain<typename Net::chain, typename Small::chain, T>(
            {from, from + Parameters<Net, P>::learned}, {small.data(), small.data() + Parameters<Small, P>::learned},
            detail::all_channels(Net::input_shape::last), norm);
    }
    return Model<Small, P>{std::move(small)};
}

}  // namespace tenon
