// SPDX-License-Identifier: BSL-1.0
// Networks to run a law over: the corners by hand, and any number drawn from a seed.
#pragma once

#include <tenon/layers/layers.hpp>
#include <tenon/network/network.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace topologies {

using namespace tenon;

template <class... Nets>
struct Networks {
    static constexpr std::size_t count = sizeof...(Nets);
    // f.operator()<Net>() for each.
    template <class F>
    static void each(F&& f)
    {
        (f.template operator()<Nets>(), ...);
    }
};

// A layer for an input of one axis, chosen by a number; `Depth` bounds the nesting. Every choice takes any such input.
template <std::uint64_t Draw, std::size_t Depth>
constexpr auto pick();

constexpr std::uint64_t next_draw(std::uint64_t draw, std::uint64_t which)
{
    return mix_bits(draw + 977 * (which + 1));
}

template <std::uint64_t Draw, std::size_t Depth>
using Picked = typename decltype(pick<Draw, Depth>())::template at<0>;

template <std::uint64_t Draw, std::size_t Depth>
constexpr auto pick()
{
    constexpr std::uint64_t kind = Draw % (Depth == 0 ? 10 : 14), size = 1 + Draw / 64 % 23;
    if constexpr (kind == 0 || kind == 1)
        return List<Dense<size>>{};
    else if constexpr (kind == 2)
        return List<Dense<size, NoBias>>{};
    else if constexpr (kind == 3)
        return List<ReLU>{};
    else if constexpr (kind == 4)
        return List<Dropout<Rate<1, 4>>>{};
    else if constexpr (kind == 5)
        return List<Flatten>{};
    else if constexpr (kind == 6)
        return List<LayerNorm>{};
    else if constexpr (kind == 7)
        return List<PReLU>{};
    else if constexpr (kind == 8)
        return List<Softmax>{};
    else if constexpr (kind == 9)
        return List<SiLU>{};
    else if constexpr (kind == 10)
        return List<Sequential<Picked<next_draw(Draw, 0), Depth - 1>, Picked<next_draw(Draw, 1), Depth - 1>>>{};
    else if constexpr (kind == 11)
        return List<Concat<Picked<next_draw(Draw, 0), Depth - 1>, Picked<next_draw(Draw, 1), Depth - 1>,
                           Picked<next_draw(Draw, 2), Depth - 1>>>{};
    else if constexpr (kind == 12)
        return List<Repeat<3, Picked<next_draw(Draw, 0), Depth - 1>>>{};
    else  // only layers that keep the shape fit a Residual without knowing it
        return List<Residual<PReLU, Concat<Sequential<Tanh, LayerNorm>>, Dropout<Rate<1, 2>>>>{};
}

template <std::uint64_t Seed, class Indices>
struct RandomNetwork;
template <std::uint64_t Seed, std::size_t... I>
struct RandomNetwork<Seed, std::index_sequence<I...>> {
    using type = Network<Input<1 + mix_bits(Seed) % 19>, Picked<next_draw(mix_bits(Seed), I), 2>...>;
};

// 1 to 9 layers, blocks among them.
template <std::uint64_t Seed>
using random_network = typename RandomNetwork<Seed, std::make_index_sequence<1 + mix_bits(Seed * 7919 + 1) % 9>>::type;

// f.operator()<random_network<Begin>>() and so on, Count of them.
template <std::uint64_t Begin, std::size_t Count, class F>
void each_random(F&& f)
{
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f.template operator()<random_network<Begin + I>>(), ...); }
    (std::make_index_sequence<Count>{});
}

// Where plans break: views at every place, nothing but views, in-place layers at every place, single layers, blocks of one,
// of blocks, of views, wide after narrow and the reverse.
using Branchy = Concat<Sequential<Dense<5>, ReLU>, Residual<Dense<12>, Tanh, Dense<12>>, Flatten>;
using Corners = Networks<
    Network<Input<12>, Dense<7>>, Network<Input<12>, ReLU>, Network<Input<12>, Flatten>, Network<Input<12>, Softmax>,
    Network<Input<12>, Dropout<Rate<1, 2>>>, Network<Input<12>, Dropout<Rate<1, 2>>, Dropout<Rate<1, 3>>>,
    Network<Input<12>, Dropout<Rate<1, 2>>, Flatten>, Network<Input<3, 4>, Flatten, Dropout<Rate<1, 2>>>,
    Network<Input<3, 4>, Flatten, Reshape<2, 6>, Reshape<12>>, Network<Input<3, 4>, Flatten, Dense<5>, Reshape<5, 1>>,
    Network<Input<12>, Dense<6>, Reshape<2, 3>, LayerNorm, Flatten, Dense<4>, Reshape<2, 2>>,
    Network<Input<12>, ReLU, Tanh, Sigmoid>, Network<Input<12>, ReLU, Dense<40>, Tanh, SiLU, Softmax>,
    Network<Input<12>, Dense<40>, Softmax>, Network<Input<12>, Dense<40>, Softmax, Flatten>,
    Network<Input<12>, Dense<40>, Softmax, Tanh>, Network<Input<12>, Dense<40>, Softmax, Dense<3>>,
    Network<Input<2>, Dense<100>, Dense<1>, Dense<100>, Dense<2>, Dense<99>, Dense<3>>,
    Network<Input<100>, Dense<50>, Dense<25>, Dense<12>, Dense<6>, Dense<3>, Dense<1>>,
    Network<Input<1>, Dense<3>, Dense<6>, Dense<12>, Dense<25>, Dense<50>, Dense<100>>>;

// Blocks at every place, of one layer, of views, of blocks.
using Blocks =
    Networks<Network<Input<12>, Branchy, Dense<3>>, Network<Input<12>, Branchy>,
             Network<Input<12>, Dense<12>, Branchy, Dense<12>, Branchy>, Network<Input<12>, Concat<Flatten, Flatten>>,
             Network<Input<12>, Concat<Flatten>, Residual<Flatten>>, Network<Input<12>, Residual<Flatten>, ReLU>,
             Network<Input<12>, Residual<ReLU>>, Network<Input<12>, Residual<Dropout<Rate<1, 2>>>>,
             Network<Input<12>, Sequential<Flatten>, Dense<3>>, Network<Input<12>, Dense<3>, Sequential<Flatten>>,
             Network<Input<12>, Sequential<Dropout<Rate<1, 2>>>>,
             Network<Input<12>, Sequential<Sequential<Sequential<Dense<4>>>>, ReLU>,
             Network<Input<12>, Dense<8>, Repeat<5, Residual<Dense<16>, ReLU, Dense<8>>>, LayerNorm, Dense<2>>,
             Network<Input<12>, Residual<Dense<30>, Residual<Residual<Dense<30>, ReLU>, Dense<30>>, Tanh, Dense<12>>>,
             Network<Input<2, 3, 4>, Concat<LayerNorm, PReLU, Concat<Softmax, ReLU>>, Flatten, Dense<3>>>;

// Sizes that fill no register, whole ones and one more.
using Sizes = Networks<Network<Input<1>, Dense<1>, Tanh, Dense<1>>, Network<Input<7>, Dense<16>, ReLU, Dense<17>>,
                       Network<Input<33>, Dense<65>, Sigmoid, Dense<15>, Softmax>,
                       Network<Input<65>, Dense<31>, LayerNorm, Dense<64, NoBias>, GELU, Dense<3>>>;

}  // namespace topologies
