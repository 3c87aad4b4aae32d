// SPDX-License-Identifier: BSL-1.0
// folded<Net>: which BatchNorms go, what becomes of the layers before them, and weights folded by the compiler.
#include <tenon/inference.hpp>
#include <tenon/zoo/mlperf_tiny.hpp>

using namespace tenon;

namespace {

using Bn = BatchNorm;
using Half = Dropout<Rate<1, 2>>;
template <class... Layers>
using On8 = Network<Input<8>, Layers...>;
template <class... Layers>
using Image = Network<Input<8, 8, 4>, Layers...>;
template <class Given, class Wanted>
constexpr bool folds_to = std::is_same_v<folded<Given>, Wanted>;

// The layers that take one in, with and without a bias of their own, their other options kept in order.
using K = Kernel<3>;
static_assert(folds_to<On8<Dense<4>, Bn>, On8<Dense<4>>>);
static_assert(folds_to<On8<Dense<4, NoBias>, Bn, ReLU>, On8<Dense<4>, ReLU>>);
static_assert(folds_to<On8<Dense<4, KernelInitializer<init::he_normal>, NoBias>, Bn>,
                       On8<Dense<4, KernelInitializer<init::he_normal>>>>);
static_assert(folds_to<On8<Dense<4, WithBias>, Bn>, On8<Dense<4, WithBias>>>);
static_assert(folds_to<Image<Conv2D<5, K, NoBias, Padding<Same>>, Bn, ReLU, MaxPool2D<2>>,
                       Image<Conv2D<5, K, Padding<Same>>, ReLU, MaxPool2D<2>>>);
static_assert(folds_to<Image<DepthwiseConv2D<NoBias, K>, Bn>, Image<DepthwiseConv2D<K>>>);
static_assert(folds_to<Image<Conv2DTranspose<5, K, Stride<2>, NoBias>, Bn>, Image<Conv2DTranspose<5, K, Stride<2>>>>);
static_assert(folds_to<Network<Input<9, 4>, Conv1D<5, K>, Bn>, Network<Input<9, 4>, Conv1D<5, K>>>);
static_assert(folds_to<On8<Dense<4>, BatchNormWith<VarianceEpsilon<1, 10>, Momentum<1, 2>>>, On8<Dense<4>>>);

// Several in a row, and with Dropout between, which stays.
static_assert(folds_to<On8<Dense<4>, Bn, Bn, ReLU, Bn>, On8<Dense<4>, ReLU, Bn>>);
static_assert(folds_to<On8<Dense<4>, Half, Bn, ReLU>, On8<Dense<4>, Half, ReLU>>);
static_assert(folds_to<On8<Dense<4>, Bn, Half, Half, Bn, Dense<3>, Bn>, On8<Dense<4>, Half, Half, Dense<3>>>);

// What is not behind such a layer stays.
static_assert(folds_to<On8<Bn, Dense<4>>, On8<Bn, Dense<4>>>);
static_assert(folds_to<On8<Half, Bn>, On8<Half, Bn>>);
static_assert(folds_to<On8<Dense<4>, ReLU, Bn>, On8<Dense<4>, ReLU, Bn>>);
static_assert(folds_to<Image<Conv2D<4, K>, Flatten, Bn>, Image<Conv2D<4, K>, Flatten, Bn>>);
static_assert(folds_to<On8<Dense<4>, LayerNorm>, On8<Dense<4>, LayerNorm>>);
static_assert(folds_to<On8<Residual<Dense<8>>, Bn>, On8<Residual<Dense<8>>, Bn>>);
static_assert(folds_to<On8<Concat<Dense<3>, Dense<2>>, Bn>, On8<Concat<Dense<3>, Dense<2>>, Bn>>);
static_assert(folds_to<On8<Repeat<2, Dense<8>>, Bn>, On8<Repeat<2, Dense<8>>, Bn>>);
static_assert(folds_to<On8<Dense<4>, Repeat<2, Sequential<Bn, ReLU>>>, On8<Dense<4>, Repeat<2, Sequential<Bn, ReLU>>>>);

// Inside blocks, and across the ends of Sequential, which stays as it was written.
static_assert(folds_to<On8<Sequential<Dense<4>, Bn, ReLU>, Dense<2>, Bn>, On8<Sequential<Dense<4>, ReLU>, Dense<2>>>);
static_assert(folds_to<On8<Residual<Dense<8>, Bn, ReLU, Dense<8, NoBias>, Bn>, ReLU>,
                       On8<Residual<Dense<8>, ReLU, Dense<8>>, ReLU>>);
static_assert(
    folds_to<On8<Concat<Sequential<Dense<4>, Bn>, Bn, Dense<3>>>, On8<Concat<Sequential<Dense<4>>, Bn, Dense<3>>>>);
static_assert(folds_to<On8<Add<Sequential<Dense<4>, Bn>, Dense<4>>>, On8<Add<Sequential<Dense<4>>, Dense<4>>>>);
static_assert(folds_to<On8<Repeat<3, Residual<Dense<8>, Bn, ReLU>>>, On8<Repeat<3, Residual<Dense<8>, ReLU>>>>);
static_assert(folds_to<Image<SeparableConv2D<6, K>, Bn, ReLU>,
                       Image<Sequential<DepthwiseConv2D<K, NoBias>, Conv2D<6, Kernel<1>>>, ReLU>>);
static_assert(
    folds_to<On8<Sequential<Sequential<Dense<4>>, Half>, Bn, Bn>, On8<Sequential<Sequential<Dense<4>>, Half>>>);
static_assert(folds_to<On8<Dense<4>, Sequential<Bn, ReLU>, Dense<3>>, On8<Dense<4>, Sequential<ReLU>, Dense<3>>>);
static_assert(folds_to<On8<Sequential<Dense<4>>, Sequential<Bn, Bn>, ReLU>, On8<Sequential<Dense<4>>, ReLU>>);

// Folding twice changes nothing more; a network without BatchNorm is left alone.
static_assert(folds_to<folded<zoo::ResNet8>, folded<zoo::ResNet8>>);
static_assert(folds_to<On8<Dense<4>, ReLU>, On8<Dense<4>, ReLU>>);

// The zoo: four values for each channel fewer, the same products.
template <class Net>
constexpr std::size_t values_gone = Net::parameter_count - folded<Net>::parameter_count;
static_assert(values_gone<zoo::ResNet8> == 4 * (16 + 2 * 16 + 2 * 32 + 2 * 64));
static_assert(values_gone<zoo::DsCnn> == 4 * 64 * 9);
static_assert(values_gone<zoo::Autoencoder> == 4 * (8 * 128 + 8));
static_assert(folded<zoo::MobileNetV1Quarter>::trainable_count == folded<zoo::MobileNetV1Quarter>::parameter_count);
static_assert(folded<zoo::ResNet8>::macs == zoo::ResNet8::macs && folded<zoo::DsCnn>::macs == zoo::DsCnn::macs);
static_assert(folded<zoo::ResNet8>::hash != zoo::ResNet8::hash);

// Evaluated by the compiler, with numbers that come out exactly: gamma / sqrt(variance + epsilon) is 2/2 and 12/4.
using Tiny = Network<Input<2>, Dense<2, NoBias>, BatchNormWith<VarianceEpsilon<1, 1>>, ReLU, Dense<1>>;
constexpr float tiny[] = {1,
                          2,
                          3,
                          4,
                          /* gamma, beta */ 2,
                          12,
                          5,
                          -1,
                          /* mean, variance */ 10,
                          1,
                          3,
                          15,
                          /* the last layer */ 1,
                          1,
                          0.5f};
constexpr auto given = freeze<Tiny>(tiny);
constexpr auto made = fold_batch_norm(given);
static_assert(std::is_same_v<decltype(made), const FrozenWeights<Network<Input<2>, Dense<2>, ReLU, Dense<1>>>>);
constexpr auto expected = freeze<folded<Tiny>>({1.0f, 6.0f, 3.0f, 12.0f, -5.0f, -4.0f, 1.0f, 1.0f, 0.5f});
constexpr bool equal = [] {
    for (std::size_t i = 0; i < made.size(); ++i)
        if (made.values[i] != expected.values[i]) return false;
    return true;
}();
static_assert(equal);
static_assert(predict<Tiny>(given, Tensor<float, Shape<2>>{4, 1})[0] ==
              predict<folded<Tiny>>(made, Tensor<float, Shape<2>>{4, 1})[0]);

}  // namespace
