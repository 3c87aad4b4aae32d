// SPDX-License-Identifier: BSL-1.0
// Topology hashes stand in weight files: these numbers must never change, whatever the compiler and the instruction set.
#include <tenon/inference.hpp>

using namespace tenon;

namespace mine {

struct Scale {
    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<In>("scale", init::ones));
    };
};

// Slots that are learned or kept: their names and shapes count.
template <std::size_t Learned, std::size_t Kept>
struct Keeps {
    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<Shape<Learned>>("learned", init::ones));
        static constexpr auto statistics = tenon::slots(slot<Shape<Kept>>("kept", init::ones));
    };
};

}  // namespace mine

namespace {

using Mlp = Network<Input<28, 28, 1>, Flatten, Dense<128>, ReLU, Dense<10>, Softmax>;
using Xor = Network<Input<2>, Dense<2>, ReLU, Dense<1>>;
using Policy = Network<Input<13>, Dense<64>, Tanh, Dense<64>, Tanh, Dense<4>>;
using Blocks =
    Network<Input<8>, Residual<Dense<8>, PReLU>, Concat<Dense<3>, Sequential<LayerNorm, ELUWith<Alpha<1, 2>>>>,
            Repeat<3, Dense<5, NoBias>>, Dropout<Rate<1, 2>>, mine::Scale, LogSoftmax>;
static_assert(Mlp::hash == 0x05819b722c6fed59);
static_assert(Xor::hash == 0xdea9169da764d55f);
static_assert(Policy::hash == 0x4b0998e18d4a8928);
static_assert(Blocks::hash == 0x9d61a46331be340c);

// Anything that changes what a network computes, or how its parameters are arranged, changes the hash.
template <class First, class... Others>
constexpr bool all_differ()
{
    constexpr std::uint64_t hashes[] = {First::hash, Others::hash...};
    for (std::size_t i = 0; i <= sizeof...(Others); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (hashes[i] == hashes[j]) return false;
    return true;
}
template <class... Layers>
using On8 = Network<Input<8>, Layers...>;

static_assert(all_differ<
              // sizes, order, number
              On8<Dense<4>>, On8<Dense<5>>, Network<Input<9>, Dense<4>>, Network<Input<2, 4>, Flatten, Dense<4>>,
              Network<Input<4, 2>, Flatten, Dense<4>>, On8<Dense<4>, Dense<4>>, On8<Dense<4>, Dense<5>>,
              On8<Dense<5>, Dense<4>>, On8<Dense<4>, ReLU, Tanh>, On8<Dense<4>, Tanh, ReLU>,
              // options
              On8<Dense<4, NoBias>>, On8<LeakyReLU>, On8<LeakyReLUWith<Slope<1, 5>>>, On8<LeakyReLUWith<Slope<5, 1>>>,
              On8<ELU>, On8<ELUWith<Alpha<1, 5>>>, On8<LayerNorm>, On8<LayerNormWith<VarianceEpsilon<1, 100000>>>,
              // kinds
              On8<ReLU>, On8<Tanh>, On8<Sigmoid>, On8<HardSigmoid>, On8<HardSwish>, On8<SiLU>, On8<SELU>, On8<Softplus>,
              On8<GELU>, On8<GELUTanh>, On8<PReLU>, On8<Softmax>, On8<LogSoftmax>, On8<Flatten>, On8<mine::Scale>,
              On8<Dropout<Rate<1, 2>>>, On8<Reshape<2, 4>>, On8<Reshape<4, 2>>, On8<Reshape<8>>,
              // arrangement
              On8<Sequential<ReLU>>, On8<Residual<ReLU>>, On8<Concat<ReLU>>, On8<Repeat<1, ReLU>>, On8<Repeat<2, ReLU>>,
              On8<ReLU, ReLU>, On8<Sequential<ReLU, ReLU>>, On8<Sequential<ReLU>, ReLU>,
              On8<Sequential<Sequential<ReLU>>>, On8<Concat<ReLU, Tanh>>, On8<Concat<Tanh, ReLU>>,
              On8<Concat<Sequential<ReLU, Tanh>>>, On8<Concat<Sequential<ReLU>, Tanh>>, On8<Concat<Concat<ReLU>, Tanh>>,
              On8<mine::Keeps<2, 3>>, On8<mine::Keeps<3, 3>>, On8<mine::Keeps<2, 4>>, On8<Concat<Dense<2>, Dense<3>>>,
              On8<Concat<Dense<3>, Dense<2>>>>());

// What says the same, or changes training only, does not.
static_assert(On8<LeakyReLU>::hash == On8<LeakyReLUWith<Slope<1, 100>>>::hash);
static_assert(On8<LayerNorm>::hash == On8<LayerNormWith<VarianceEpsilon<1, 1000>>>::hash);
static_assert(On8<Dense<4>>::hash == On8<Dense<4, WithBias>>::hash);
static_assert(On8<Dense<4>>::hash == On8<Dense<4, KernelInitializer<init::he_normal>>>::hash);
static_assert(On8<Dropout<Rate<1, 2>>>::hash == On8<Dropout<Rate<1, 5>>>::hash);
inline constexpr Initializer own = init::constant(3.0);
static_assert(On8<Dense<4, BiasInitializer<own>>>::hash == On8<Dense<4>>::hash);

}  // namespace
