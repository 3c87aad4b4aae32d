// SPDX-License-Identifier: BSL-1.0
// Shapes through every layer and block, and topologies as types: empty, equal when written equally, usable as values of
// nothing at all.
#include <tenon/inference.hpp>
#include <tenon/model/parameters.hpp>

#include <type_traits>

using namespace tenon;

namespace {

// Shape
static_assert(Shape<28, 28, 1>::rank == 3 && Shape<28, 28, 1>::size == 784);
static_assert(Shape<28, 28, 1>::extents[0] == 28 && Shape<28, 28, 1>::extents[2] == 1);
static_assert(Shape<4, 5, 6>::last == 6 && Shape<4, 5, 6>::outer == 20);
static_assert(Shape<7>::last == 7 && Shape<7>::outer == 1);
static_assert(Shape<>::rank == 0 && Shape<>::size == 1 && Shape<>::last == 1 && Shape<>::outer == 1);
static_assert(std::is_empty_v<Shape<1, 2, 3>>);
static_assert(is_shape<Shape<3>> && !is_shape<int> && AnyShape<Shape<>> && !AnyShape<Input<3>>);

// Specs carry no values and name no input.
static_assert(std::is_empty_v<Dense<128>> && std::is_empty_v<Dense<3, NoBias>>);
static_assert(std::is_empty_v<ReLU> && std::is_empty_v<LeakyReLU> && std::is_empty_v<LeakyReLUWith<Slope<1, 5>>>);
static_assert(std::is_empty_v<ELU> && std::is_empty_v<SELU> && std::is_empty_v<GELU> && std::is_empty_v<GELUTanh>);
static_assert(std::is_empty_v<SiLU> && std::is_empty_v<HardSwish> && std::is_empty_v<Sigmoid>);
static_assert(std::is_empty_v<HardSigmoid> && std::is_empty_v<Tanh> && std::is_empty_v<Softplus>);
static_assert(std::is_empty_v<Softmax> && std::is_empty_v<LogSoftmax> && std::is_empty_v<PReLU>);
static_assert(std::is_empty_v<LayerNorm> && std::is_empty_v<Dropout<Rate<1, 2>>>);
static_assert(std::is_empty_v<Flatten> && std::is_empty_v<Reshape<2, 3>> && std::is_empty_v<Input<2, 3>>);
using Block = Residual<Dense<16>, ReLU, Dense<16>>;
static_assert(std::is_empty_v<Sequential<Dense<2>, ReLU>> && std::is_empty_v<Block>);
static_assert(std::is_empty_v<Concat<Dense<2>, Block>> && std::is_empty_v<Repeat<3, Block>>);
static_assert(std::is_empty_v<Network<Input<16>, Block>>);
static_assert(std::is_trivial_v<Network<Input<16>, Block>>);

// Written equally, equal.
static_assert(std::is_same_v<Network<Input<784>, Dense<128>>, Network<Input<784>, Dense<128>>>);
static_assert(!std::is_same_v<Network<Input<784>, Dense<128>>, Network<Input<784>, Dense<129>>>);
static_assert(std::is_same_v<LeakyReLU, LeakyReLUWith<>>);

template <class Net, std::size_t... Extents>
inline constexpr bool gives = std::is_same_v<typename Net::output_shape, Shape<Extents...>>;

// One layer each.
static_assert(gives<Network<Input<7>, Dense<3>>, 3>);
static_assert(gives<Network<Input<7>, Dense<3, NoBias>>, 3>);
static_assert(gives<Network<Input<4, 5, 6>, Flatten>, 120>);
static_assert(gives<Network<Input<4, 5, 6>, Reshape<6, 20>>, 6, 20>);
static_assert(gives<Network<Input<4>, Reshape<4, 1, 1>>, 4, 1, 1>);
static_assert(gives<Network<Input<4, 5, 6>, ReLU>, 4, 5, 6>);
static_assert(gives<Network<Input<4, 5, 6>, PReLU>, 4, 5, 6>);
static_assert(gives<Network<Input<4, 5, 6>, Softmax>, 4, 5, 6>);
static_assert(gives<Network<Input<4, 5, 6>, LogSoftmax>, 4, 5, 6>);
static_assert(gives<Network<Input<4, 5, 6>, LayerNorm>, 4, 5, 6>);
static_assert(gives<Network<Input<4, 5, 6>, Dropout<Rate<1, 2>>>, 4, 5, 6>);

// Blocks.
static_assert(gives<Network<Input<5>, Sequential<Dense<3>, Tanh, Dense<2>>>, 2>);
static_assert(gives<Network<Input<5>, Repeat<4, Dense<5>>>, 5>);
static_assert(gives<Network<Input<5>, Repeat<4, Sequential<Dense<9>, Dense<5>>>>, 5>);
static_assert(gives<Network<Input<5>, Repeat<3, Dense<8>>>, 8>);  // the first maps 5 to 8, the others 8 to 8
static_assert(gives<Network<Input<5>, Residual<Dense<9>, Dense<5>>>, 5>);
static_assert(gives<Network<Input<5>, Concat<Dense<3>, Dense<4>>>, 7>);
static_assert(gives<Network<Input<2, 3, 5>, Concat<ReLU, PReLU, Tanh>>, 2, 3, 15>);
static_assert(gives<Network<Input<5>, Concat<Sequential<Dense<2>, ReLU>, Concat<Dense<3>, Dense<4>>, ReLU>>, 14>);
static_assert(gives<Network<Input<5>, Concat<Dense<3>>>, 3>);

// Shapes along the way; position counts the network's own list.
using Way = Network<Input<2, 2, 3>, ReLU, Flatten, Dense<8>, Sequential<Dense<6>, Reshape<3, 2>>, LayerNorm, Flatten>;
static_assert(Way::layer_count == 6);
static_assert(std::is_same_v<Way::input_shape, Shape<2, 2, 3>>);
static_assert(std::is_same_v<Way::shape_after<0>, Shape<2, 2, 3>>);
static_assert(std::is_same_v<Way::shape_after<1>, Shape<12>>);
static_assert(std::is_same_v<Way::shape_after<2>, Shape<8>>);
static_assert(std::is_same_v<Way::shape_after<3>, Shape<3, 2>>);
static_assert(std::is_same_v<Way::shape_after<4>, Shape<3, 2>>);
static_assert(std::is_same_v<Way::shape_after<5>, Shape<6>>);
static_assert(std::is_same_v<Way::layer<2>, Dense<8>>);
static_assert(Way::valid);

// What is not a layer, seen without an error.
struct NotALayer {};
template <class L>
concept Layer = LayerSpec<L>;
static_assert(Layer<Dense<3>> && Layer<Flatten> && Layer<Block> && Layer<Concat<ReLU>> && Layer<LayerNorm>);
static_assert(!Layer<int> && !Layer<NotALayer> && !Layer<Shape<3>> && !Layer<Input<3>>);
static_assert(!Layer<Network<Input<3>, ReLU>>);

// Options are told apart by kind.
static_assert(options::is_known<NoBias, kind::bias>() && !options::is_known<NoBias, kind::slope>());
static_assert(!options::is_known<int, kind::bias, kind::slope>());
static_assert(options::count<kind::bias, NoBias, WithBias, Slope<1>>() == 2);
static_assert(std::is_same_v<options::get<kind::slope, Slope<1, 100>>, Slope<1, 100>>);
static_assert(std::is_same_v<options::get<kind::slope, Slope<1, 100>, Slope<1, 5>>, Slope<1, 5>>);
static_assert(std::is_same_v<options::get<kind::slope, Slope<1, 100>, NoBias, Slope<1, 5>>, Slope<1, 5>>);
static_assert(std::is_same_v<options::get<kind::slope, Slope<1, 100>, NoBias>, Slope<1, 100>>);
static_assert(Dense<3>::rule<Shape<2>>::use_bias && !Dense<3, NoBias>::rule<Shape<2>>::use_bias);
static_assert(Dense<3, KernelInitializer<init::ones>, NoBias>::rule<Shape<2>>::slots.size == 1);
static_assert(Rate<1, 4>::value == 0.25 && Dropout<Rate<1, 4>>::rate == 0.25 && Dropout<Rate<0>>::rate == 0.0);

// A tensor takes one index per axis: fewer or more do not compile, other counts do not exist.
static_assert(sizeof(Tensor<float, Shape<2, 3>>) == 6 * sizeof(float));
static_assert(std::is_aggregate_v<Tensor<float, Shape<2, 3>>> && std::is_trivial_v<Tensor<float, Shape<2, 3>>>);
constexpr Tensor<int, Shape<2, 3>> numbers{0, 1, 2, 3, 4, 5};
static_assert(numbers(0, 0) == 0 && numbers(0, 2) == 2 && numbers(1, 0) == 3 && numbers(1, 2) == 5 && numbers[4] == 4);
static_assert(argmax(numbers) == 5 && argmax(Tensor<int, Shape<3>>{2, 7, 7}) == 1);
static_assert(numbers == Tensor<int, Shape<2, 3>>{0, 1, 2, 3, 4, 5} && numbers != Tensor<int, Shape<2, 3>>{});

// What a call refuses without an error: an input without a shape.
template <class S, class... A>
concept Runs = requires(S session, A... a)
{
    session.run(a...);
};
using Net = Network<Input<4>, Dense<2>>;
static_assert(Runs<Session<Net>, Tensor<float, Shape<4>>>);
static_assert(Runs<Session<Net>, TensorView<const float, Shape<4>>>);
static_assert(!Runs<Session<Net>, float*> && !Runs<Session<Net>, int> && !Runs<Session<Net>>);

// A layer offers the slots that it has.
template <class L>
concept HasKernel = requires(L layer)
{
    layer.kernel(0, 0);
};
template <class L>
concept HasBias = requires(L layer)
{
    layer.bias(0);
};
template <class L, std::size_t I>
concept HasSlot = requires(L layer)
{
    layer.template value<I>(0);
};
using Slotted = Network<Input<4>, Dense<2>, Dense<3, NoBias>, PReLU, ReLU>::chain;
template <std::size_t I>
using at = LayerParameters<Slotted::bound<I>, float>;
static_assert(HasKernel<at<0>> && HasBias<at<0>> && HasKernel<at<1>> && !HasBias<at<1>>);
static_assert(!HasKernel<at<2>> && !HasBias<at<2>> && HasSlot<at<2>, 0> && !HasSlot<at<2>, 1>);
static_assert(!HasKernel<at<3>> && !HasSlot<at<3>, 0>);

// Access by index to packs.
static_assert(std::is_same_v<element<0, int, char>, int> && std::is_same_v<element<1, int, char>, char>);
static_assert(std::is_same_v<List<int, char, long>::at<2>, long> && List<int, char, long>::size == 3 &&
              List<>::size == 0);

}  // namespace
