// SPDX-License-Identifier: BSL-1.0
// fold_batch_norm: the weights of a trained network with its batch normalisation multiplied into them, for inference. No
// heap of its own, so that frozen weights can be folded by the compiler.
#pragma once

#include <tenon/model/frozen.hpp>
#include <tenon/network/folding.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

template <class B>
constexpr std::size_t channel_stride()
{
    if constexpr (requires { B::rule::channel_stride; })
        return B::rule::channel_stride;
    else
        return 1;
}

// With factor = gamma / sqrt(variance + epsilon), for each channel of a head and its norms, one after the other:
//   kernel' = kernel · factor,  bias' = (bias - mean) · factor + beta
// computed in double and rounded once.
template <class T, class B, class F>
constexpr void fold_layer(ParameterView<B, const T> from, ParameterView<F, T> to)
{
    using Joined = typename B::rule::branches::template at<0>;  // the head, then its norms
    using Head = typename Joined::template bound<0>;
    using Number = simd::Pack<double, 1>;
    static_assert(slots_type<F>::size == 2, "tenon: a layer that folds a BatchNorm has a kernel and a bias.");
    using Kernel = typename slots_type<F>::template slot<0>;
    using Bias = typename slots_type<F>::template slot<1>;
    constexpr std::size_t channels = F::output::last, stride = channel_stride<F>();
    constexpr std::size_t blocks = Kernel::shape::size / channels / stride;

    const auto parameters = from.template branch<0>();
    const ParameterView<Head, const T> head = layer_view<Joined, 0>(parameters);
    for (std::size_t c = 0; c < channels; ++c) {
        Number factor = 1.0, shift = 0.0;
        if constexpr (slots_type<Head>::size == 2)
            shift = static_cast<double>(
                head.template get<1>()[Bias::layout::template index<T, typename Bias::shape>(c)]);
        for_each_index<1, Joined::count - 1>([&]<std::size_t I>() {
            using Norm = typename Joined::template bound<I>;
            const ParameterView<Norm, const T> norm = layer_view<Joined, I>(parameters);
            const auto value = [c](const T* slot) { return Number(static_cast<double>(slot[c])); };
            const Number epsilon = static_cast<double>(static_cast<T>(Norm::layer::epsilon::value));
            const Number own = value(norm.template get<0>()) / sqrt(value(norm.template statistic<1>()) + epsilon);
            factor = factor * own;
            shift = fma(shift - value(norm.template statistic<0>()), own, value(norm.template get<1>()));
        });
        to.template get<1>()[Bias::layout::template index<T, typename Bias::shape>(c)] = static_cast<T>(shift.lanes);
        for (std::size_t block = 0; block < blocks; ++block)
            for (std::size_t i = 0; i < stride; ++i) {
                const std::size_t at = Kernel::layout::template index<T, typename Kernel::shape>(
                    (block * channels + c) * stride + i);
                to.template get<0>()[at] = static_cast<T>(static_cast<double>(head.template get<0>()[at]) *
                                                          factor.lanes);
            }
    }
}

template <class L>
inline constexpr bool is_normalized = false;
template <class Head, class... Norms>
inline constexpr bool is_normalized<Normalized<Head, Norms...>> = true;

// The parameters of joined_chain<C>, which are those of C, made into those of folded_chain<C>.
template <class Joined, class Folded, class T>
constexpr void fold_chain(ParameterBlocks<const T> from, ParameterBlocks<T> to)
{
    Joined::for_each([&]<std::size_t I>() {
        using B = typename Joined::template bound<I>;
        using F = typename Folded::template bound<I>;
        const ParameterView<B, const T> own = layer_view<Joined, I>(from);
        const ParameterView<F, T> target = layer_view<Folded, I>(to);
        if constexpr (is_normalized<typename B::layer>) {
            fold_layer<T, B, F>(own, target);
        } else if constexpr (HasBranches<B>) {
            for_each_index<0, B::rule::branches::size>([&]<std::size_t J>() {
                fold_chain<typename B::rule::branches::template at<J>, typename F::rule::branches::template at<J>, T>(
                    own.template branch<J>(), target.template branch<J>());
            });
        } else {
            for (std::size_t i = 0; i < layer_storage<T, B>(); ++i) target.base[i] = own.base[i];
            for (std::size_t i = 0; i < layer_storage<T, B, Role::statistics>(); ++i)
                target.statistics[i] = own.statistics[i];
        }
    });
}

}  // namespace detail

// What `weights` (a Model, Parameters or FrozenWeights of Net) become for folded<Net>: a network that predicts the same, up
// to rounding, without the work and the memory of its batch normalisation. The given weights stay as they are; train those,
// and fold a copy again.
// Each BatchNorm that is folded uses its running statistics, as at inference.
template <template <class, class> class Owner, class Net, class P>
    requires std::is_same_v<typename Owner<Net, P>::network, Net>
constexpr Owner<folded<Net>, P> fold_batch_norm(const Owner<Net, P>& weights)
{
    if constexpr (requires { weights.parameters(); }) {
        return Owner<folded<Net>, P>{fold_batch_norm(weights.parameters())};
    } else {
        using T = typename P::scalar;
        using Joined = detail::joined_chain<typename Net::chain>;
        using Folded = typename folded<Net>::chain;
        Owner<folded<Net>, P> result{};
        T* to = nullptr;
        if constexpr (requires { result.values; })
            to = result.values;
        else
            to = result.data();
        const T* from = weights.data();
        // No arithmetic behind a block that has no statistics, so that constant evaluation has nothing to refuse.
        constexpr std::size_t learned = chain_storage<T, Joined>(), kept = chain_storage<T, Folded>();
        detail::fold_chain<Joined, Folded, T>({from, from + learned}, {to, to + kept});
        return result;
    }
}

}  // namespace tenon
