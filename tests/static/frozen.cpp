// SPDX-License-Identifier: BSL-1.0
// Weights laid out by the compiler, and networks evaluated by it.
#include <tenon/inference.hpp>

using namespace tenon;

namespace {

using Xor = Network<Input<2>, Dense<2>, ReLU, Dense<1>>;
constexpr float xor_values[] = {1.0f, 1.0f, 1.0f, 1.0f, 0.0f, -1.0f, 1.0f, -2.0f, 0.0f};
constexpr auto xor_weights = freeze<Xor>(xor_values);
static_assert(predict<Xor>(xor_weights, Tensor<float, Shape<2>>{0.0f, 0.0f})[0] == 0.0f);
static_assert(predict<Xor>(xor_weights, Tensor<float, Shape<2>>{0.0f, 1.0f})[0] == 1.0f);
static_assert(predict<Xor>(xor_weights, Tensor<float, Shape<2>>{1.0f, 0.0f})[0] == 1.0f);
static_assert(predict<Xor>(xor_weights, Tensor<float, Shape<2>>{1.0f, 1.0f})[0] == 0.0f);
static_assert(std::is_same_v<decltype(predict<Xor>(xor_weights, Tensor<float, Shape<2>>{})), Tensor<float, Shape<1>>>);

// Logical order: kernel (in, out) row by row, then the bias. Padding is zero.
constexpr bool is_laid_out = [] {
    float given[3 * 20 + 20];
    for (std::size_t i = 0; i < 80; ++i) given[i] = static_cast<float>(i + 1);
    using Net = Network<Input<3>, Dense<20>>;
    const auto weights = freeze<Net>(given);
    const SlotInfo& kernel = slot_table<Net, float>[0];
    const SlotInfo& bias = slot_table<Net, float>[1];
    float sum = 0.0f;
    for (std::size_t i = 0; i < weights.size(); ++i) sum += weights.data()[i];
    for (std::size_t k = 0; k < 3; ++k)
        for (std::size_t n = 0; n < 20; ++n)
            if (weights.values[kernel.offset + layout::Panels::index<float, Shape<3, 20>>(20 * k + n)] !=
                given[20 * k + n])
                return false;
    for (std::size_t n = 0; n < 20; ++n)
        if (weights.values[bias.offset + n] != given[60 + n]) return false;
    return sum == 80.0f * 81.0f / 2.0f;
}();
static_assert(is_laid_out);

// In double, from doubles or from numbers of another type.
constexpr int whole_numbers[] = {2, 3};
using Line = Network<Input<1>, Dense<1>>;
constexpr auto line = freeze<Line, Float64>(whole_numbers);
static_assert(predict<Line>(line, Tensor<double, Shape<1>>{0.25})[0] == 3.5);

// Every layer and block, with numbers that come out exactly.
template <class Net>
constexpr auto filled()
{
    float values[Net::parameter_count];
    for (std::size_t i = 0; i < Net::parameter_count; ++i) values[i] = static_cast<float>(static_cast<int>(i % 5) - 2);
    return freeze<Net>(values);
}
template <std::size_t... E>
constexpr Tensor<float, Shape<E...>> counting()
{
    Tensor<float, Shape<E...>> x{};
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(static_cast<int>(i % 3) - 1);
    return x;
}

// No parameters: no weights either.
template <class... Layers>
constexpr float first_of(Tensor<float, Shape<2>> x)
{
    using Net = Network<Input<2>, Layers...>;
    return predict<Net>(FrozenWeights<Net>{}, x)[0];
}
static_assert(first_of<ReLU>({-1.5f, 0}) == 0.0f && first_of<ReLU>({1.5f, 0}) == 1.5f);
static_assert(first_of<Tanh>({0, 1}) == 0.0f && first_of<Sigmoid>({0, 1}) == 0.5f);
static_assert(first_of<HardSigmoid>({-3, 0}) == 0.0f && first_of<HardSigmoid>({3, 0}) == 1.0f);
static_assert(first_of<HardSwish>({4, 0}) == 4.0f && first_of<HardSwish>({-4, 0}) == 0.0f);
static_assert(first_of<LeakyReLUWith<Slope<1, 4>>>({-4, 0}) == -1.0f && first_of<ELU>({2, 0}) == 2.0f);
static_assert(first_of<Softmax>({1, 1}) == 0.5f && first_of<Softmax>({1e4f, -1e4f}) == 1.0f);
static_assert(first_of<LogSoftmax>({1e4f, -1e4f}) == 0.0f);
static_assert(first_of<SiLU>({0, 1}) == 0.0f && first_of<GELU>({0, 1}) == 0.0f && first_of<GELUTanh>({0, 1}) == 0.0f);
static_assert(first_of<Dropout<Rate<1, 2>>>({3, 1}) == 3.0f && first_of<Flatten>({3, 1}) == 3.0f);
static_assert(first_of<Residual<ReLU>, Repeat<2, Residual<Flatten>>>({3, 1}) == 24.0f);
static_assert(first_of<Concat<ReLU, Flatten>, Reshape<2, 2>, LeakyReLU>({3, 1}) == 3.0f);
static_assert(first_of<SELU>({0, 1}) == 0.0f && first_of<Softplus>({100, 1}) == 100.0f);

using Blocks =
    Network<Input<2, 3>, Flatten, Residual<Dense<4>, ReLU, Dense<6, NoBias>>, PReLU,
            Concat<Dense<1>, Sequential<Dense<2>, ReLU, Dropout<Rate<1, 2>>>>, Repeat<2, Dense<3>>, Reshape<3, 1>>;
constexpr auto blocks_weights = filled<Blocks>();
constexpr auto blocks = predict<Blocks>(blocks_weights, counting<2, 3>());
static_assert(blocks.size() == 3);
// Once more by plain loops.
constexpr auto by_hand = [] {
    float values[Blocks::parameter_count]{};
    for (std::size_t i = 0; i < Blocks::parameter_count; ++i)
        values[i] = static_cast<float>(static_cast<int>(i % 5) - 2);
    const float* next = values;
    const auto dense = [&](const float* x, std::size_t in, float* y, std::size_t out, bool biased) {
        for (std::size_t n = 0; n < out; ++n) {
            y[n] = biased ? next[in * out + n] : 0.0f;
            for (std::size_t k = 0; k < in; ++k) y[n] += x[k] * next[k * out + n];
        }
        next += in * out + (biased ? out : 0);
    };
    const auto x = counting<6>();
    float a[4]{}, b[6]{}, c[3]{}, d[3]{}, e[3]{};
    dense(x.data(), 6, a, 4, true);
    for (float& value : a) value = value > 0 ? value : 0;
    dense(a, 4, b, 6, false);
    for (std::size_t i = 0; i < 6; ++i) b[i] += x[i];
    for (std::size_t i = 0; i < 6; ++i) b[i] *= b[i] > 0 ? 1.0f : next[i];
    next += 6;
    dense(b, 6, c, 1, true);
    dense(b, 6, c + 1, 2, true);
    for (std::size_t i = 1; i < 3; ++i) c[i] = c[i] > 0 ? c[i] : 0;
    dense(c, 3, d, 3, true);
    dense(d, 3, e, 3, true);
    return Tensor<float, Shape<3, 1>>{e[0], e[1], e[2]};
}();
static_assert(blocks == by_hand);

using Normal = Network<Input<2, 2>, LayerNorm>;
constexpr auto normal_weights = freeze<Normal>({3.0f, 3.0f, 1.0f, 1.0f});
constexpr auto normalised = predict<Normal>(normal_weights, Tensor<float, Shape<2, 2>>{4, 4, -1000, 1000});
static_assert(normalised[0] == 1.0f && normalised[1] == 1.0f);
static_assert(normalised[2] + 2.0f < 1e-4f && normalised[2] + 2.0f > -1e-4f && normalised[3] - 4.0f < 1e-4f);

}  // namespace
