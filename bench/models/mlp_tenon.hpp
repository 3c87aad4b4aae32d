// SPDX-License-Identifier: BSL-1.0
// The cases of mlp.hpp as tenon networks.
#pragma once

#include "mlp.hpp"

#include <tenon/inference.hpp>
#include <tenon/model/model.hpp>

#include <type_traits>

namespace contest {

template <Activation A>
using TenonActivation = std::conditional_t<A == Activation::relu, tenon::ReLU, tenon::Tanh>;

template <class Case>
struct TenonNetwork;
template <Activation A, std::size_t R, std::size_t I, std::size_t H, std::size_t O>
struct TenonNetwork<Mlp<A, R, I, H, O>> {
    using type = tenon::Network<tenon::Input<I>, tenon::Dense<H>, TenonActivation<A>, tenon::Dense<O>>;
};
template <Activation A, std::size_t R, std::size_t I, std::size_t H, std::size_t G, std::size_t O>
struct TenonNetwork<Mlp<A, R, I, H, G, O>> {
    using type = tenon::Network<tenon::Input<I>, tenon::Dense<H>, TenonActivation<A>, tenon::Dense<G>,
                                TenonActivation<A>, tenon::Dense<O>>;
};

template <class Case>
tenon::Model<typename TenonNetwork<Case>::type> tenon_model(const Weights& weights)
{
    tenon::Model<typename TenonNetwork<Case>::type> model{tenon::uninitialized};
    [&]<std::size_t... L>(std::index_sequence<L...>)
    {
        const auto set = [&](auto layer, std::size_t l) {
            const std::size_t out = Case::widths[l + 1];
            for (std::size_t i = 0; i < Case::widths[l]; ++i)
                for (std::size_t j = 0; j < out; ++j) layer.kernel(i, j) = weights.kernel[l][i * out + j];
            for (std::size_t j = 0; j < out; ++j) layer.bias(j) = weights.bias[l][j];
        };
        (set(model.parameters().template layer<2 * L>(), L), ...);  // an activation follows each Dense
    }
    (std::make_index_sequence<Case::layers>{});
    return model;
}

}  // namespace contest
