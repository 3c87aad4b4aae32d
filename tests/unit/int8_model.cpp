// SPDX-License-Identifier: BSL-1.0
// Whole networks in int8: bit by bit against naive twins, against their own float, in every way of running them; and what a
// description of integers must not say.
#include <tenon/compression/quantize.hpp>
#include <tenon/kernels/reference/int8.hpp>
#include <tenon/network/summary.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace tenon;
using namespace tenon::literals;

namespace {

std::vector<float> random_inputs(std::size_t n, std::uint64_t seed)
{
    Random random{Seed{seed}};
    std::vector<float> x(n);
    for (float& value : x) value = static_cast<float>(2.0 * random.uniform() - 1.0);
    return x;
}

// The largest difference between the float network's outputs and the int8 network's, over their largest value.
template <class Net>
double relative_difference(const Model<Net>& model, const std::vector<float>& x, const QuantizeOptions& options = {})
{
    constexpr std::size_t in = Net::input_shape::size, out = Net::output_shape::size;
    const auto quantized = quantize(model, std::span<const float>(x), options);
    double worst = 0.0, largest = 0.0;
    for (std::size_t r = 0; r < x.size() / in; ++r) {
        const TensorView<const float, typename Net::input_shape> sample{x.data() + r * in};
        const auto exact = model.predict(sample), rounded = quantized.predict(sample);
        for (std::size_t i = 0; i < out; ++i) {
            worst = std::max(worst, static_cast<double>(std::abs(exact[i] - rounded[i])));
            largest = std::max(largest, static_cast<double>(std::abs(exact[i])));
        }
    }
    return worst / largest;
}

// Rows one by one, seven at a time and by predict: the same bits.
template <class Net>
void check_ways(const Model<Net, Int8>& model, const std::vector<float>& x)
{
    constexpr std::size_t in = Net::input_shape::size, out = Net::output_shape::size;
    const std::size_t rows = x.size() / in;
    std::vector<std::int8_t> q(x.size()), one(rows * out), seven(rows * out);
    quantize_values(x.size(), x.data(), model.input(), q.data());
    const auto single = std::make_unique<Session<Net, Rows<1>, Int8>>(model.parameters());
    const auto several = std::make_unique<Session<Net, Rows<7>, Int8>>(model.parameters());
    single->run(q, one);
    several->run(q, seven);
    CHECK(one == seven);
    std::vector<float> floats(rows * out);
    single->run(x, floats);
    for (std::size_t r = 0; r < rows; ++r) {
        const auto predicted = model.predict(
            TensorView<const std::int8_t, typename Net::input_shape>{q.data() + r * in});
        const auto real = model.predict(TensorView<const float, typename Net::input_shape>{x.data() + r * in});
        for (std::size_t i = 0; i < out; ++i) {
            REQUIRE(predicted[i] == one[r * out + i]);
            REQUIRE(real[i] == dequantize_value(one[r * out + i], model.output()));
            REQUIRE(floats[r * out + i] == real[i]);
        }
    }
}

using Image = Network<Input<9, 8, 3>, Conv2D<10, Kernel<3>, Padding<Same>>, ReLU, MaxPool2D<2>, Flatten, Dense<6>>;

using Blocks =
    Network<Input<12, 10, 3>, Conv2D<8, Kernel<3>, Padding<Same>>, ReLU,
            Residual<Conv2D<8, Kernel<3>, Padding<Same>>, ReLU, Conv2D<8, Kernel<3>, Padding<Same>>>, ReLU,
            DepthwiseConv2D<Kernel<3>, Padding<Same>>, ReLU,
            Concat<Sequential<Conv2D<5, Kernel<1>>, ReLU>, Sequential<Conv2D<4, Kernel<3>, Padding<Same>>, Tanh>,
                   MaxPool2D<3, Stride<1>, Padding<Same>>>,
            AveragePool2D<2>,
            Add<Conv2D<6, Kernel<1>>, Conv2D<6, Kernel<1>, NoBias>, Conv2D<6, Kernel<3>, Padding<Same>>>, ReLU,
            Repeat<2, Sequential<Conv2D<6, Kernel<3>, Padding<Same>, Groups<2>>, ReLU>>, GlobalAveragePool2D, Dense<7>,
            SiLU, Dense<5>>;

using Sequence = Network<Input<40, 3>, Conv1D<12, Kernel<5>, Stride<2>>, ReLU, MaxPool1D<2>, Conv1D<9, Kernel<3>>, Tanh,
                         AveragePool1D<2>, Flatten, Dropout<Rate<1, 5>>, Dense<4>, Softmax>;

}  // namespace

TEST_CASE("int8 model: a convolutional network is its naive twin, bit by bit")
{
    const Model<Image> model{Seed{3}};
    const std::vector<float> x = random_inputs(20 * Image::input_shape::size, 4);
    const auto quantized = quantize(model, std::span<const float>(x));
    const Int8Description& d = quantized.description();
    REQUIRE(d.layers.size() == 2);
    REQUIRE(d.values.size() == 2);
    const auto factors = [](const Int8Layer& layer, const Affine& in, const Affine& out, bool relu,
                            std::vector<std::int32_t>& multiplier, std::vector<std::int32_t>& shift) {
        for (const float scale : layer.scale) {
            const FixedPoint factor = fixed_point(static_cast<double>(in.scale) * static_cast<double>(scale) /
                                                  static_cast<double>(out.scale));
            multiplier.push_back(factor.multiplier);
            shift.push_back(factor.shift);
        }
        return kernels::reference::Int8Factors{multiplier.data(),
                                               shift.data(),
                                               in.zero_point,
                                               layer.zero_point,
                                               out.zero_point,
                                               relu ? out.zero_point : -128,
                                               127};
    };
    std::vector<std::int32_t> m1, s1, m2, s2;
    const auto first = factors(d.layers[0], d.input, d.values[0], true, m1, s1);
    const auto second = factors(d.layers[1], d.values[0], d.values[1], false, m2, s2);
    using Conv = Image::chain::bound<0>;
    for (std::size_t r = 0; r < 20; ++r) {
        std::int8_t q[9 * 8 * 3], map[9 * 8 * 10], pooled[4 * 4 * 10], y[6];
        quantize_values(sizeof(q), x.data() + r * sizeof(q), d.input, q);
        kernels::reference::int8_conv(1, Conv::rule::geometry, q, d.layers[0].kernel.data(), d.layers[0].bias.data(),
                                      first, map);
        for (std::size_t i = 0; i < 4; ++i)
            for (std::size_t j = 0; j < 4; ++j)
                for (std::size_t c = 0; c < 10; ++c) {
                    std::int8_t most = -128;
                    for (std::size_t a = 0; a < 4; ++a)
                        most = std::max(most, map[((2 * i + a / 2) * 8 + 2 * j + a % 2) * 10 + c]);
                    pooled[(i * 4 + j) * 10 + c] = most;
                }
        kernels::reference::int8_dense(1, 160, 6, pooled, d.layers[1].kernel.data(), d.layers[1].bias.data(), second,
                                       y);
        const auto predicted = quantized.predict(TensorView<const std::int8_t, Image::input_shape>{q});
        for (std::size_t i = 0; i < 6; ++i) REQUIRE(predicted[i] == y[i]);
    }
}

TEST_CASE("int8 model: outputs are near the float network's, whatever the calibration")
{
    const std::vector<float> x = random_inputs(64 * Image::input_shape::size, 5);
    const Model<Image> model{Seed{6}};
    for (const Calibration method :
         {Calibration::min_max, Calibration::percentile, Calibration::mse, Calibration::entropy})
        CHECK(relative_difference(model, x, {.method = method}) < 0.06);
    CHECK(relative_difference(model, x, {.method = Calibration::min_max, .per_channel = false}) < 0.06);
    const Model<Blocks> blocks{Seed{7}};
    CHECK(relative_difference(blocks, random_inputs(32 * Blocks::input_shape::size, 8)) < 0.15);
    const Model<Sequence> sequence{Seed{9}};
    CHECK(relative_difference(sequence, random_inputs(32 * Sequence::input_shape::size, 10)) < 0.04);
}

TEST_CASE("int8 model: the same bits for any number of rows")
{
    const auto check = [&]<class Net>(const Model<Net>& model) {
        const std::vector<float> x = random_inputs(17 * Net::input_shape::size, 11);
        const auto quantized = quantize(model, std::span<const float>(x));
        check_ways(quantized, x);
        const auto copy = quantized;  // has tables of its own
        check_ways(copy, x);
        CHECK(copy.parameters().linear[0].kernel != quantized.parameters().linear[0].kernel);
    };
    check(Model<Image>{Seed{12}});
    check(Model<Blocks>{Seed{13}});
    check(Model<Sequence>{Seed{14}});
}

TEST_CASE("int8 model: constant evaluation's way of computing gives the kernels' bits")
{
    const Model<Image> model{Seed{15}};
    const std::vector<float> x = random_inputs(5 * Image::input_shape::size, 16);
    const auto quantized = quantize(model, std::span<const float>(x));
    using Conv = Image::chain::bound<0>;
    using Chain = Model<Image, Int8>::chain;
    for (std::size_t r = 0; r < 5; ++r) {
        std::int8_t q[9 * 8 * 3], pooled[4 * 4 * 10], y[6];
        quantize_values(sizeof(q), x.data() + r * sizeof(q), quantized.input(), q);
        const Int8View view = quantized.parameters().view();
        passes::int8_portable(1, Conv::rule::geometry, detail::int8_layout<Chain::bound<0>>(), q, view.linear[0],
                              pooled, 2);
        passes::int8_portable(1, passes::dense_as_conv(160, 6), detail::int8_layout<Chain::bound<2>>(), pooled,
                              view.linear[1], y, 1);
        const auto predicted = quantized.predict(TensorView<const std::int8_t, Image::input_shape>{q});
        for (std::size_t i = 0; i < 6; ++i) REQUIRE(predicted[i] == y[i]);
    }
}

TEST_CASE("int8 model: BatchNorm is folded on the way")
{
    using Net = Network<Input<6, 6, 2>, Conv2D<4, Kernel<3>, NoBias>, BatchNorm, ReLU, Flatten, Dense<3>>;
    const Model<Net> model{Seed{17}};
    CHECK(relative_difference(model, random_inputs(16 * 72, 18)) < 0.04);
}

TEST_CASE("int8 model: descriptions that do not fit are refused")
{
    using Net = Network<Input<4>, Dense<3>, ReLU, Dense<2>>;
    const Model<Net> model{Seed{19}};
    const std::vector<float> x = random_inputs(40, 20);
    const Int8Description good = quantize(model, std::span<const float>(x)).description();
    const auto refused = [&](auto change, const char* words) {
        Int8Description bad = good;
        change(bad);
        const auto result = Model<Net, Int8>::make(bad);
        REQUIRE(!result);
        CHECK(result.error().find(words) != std::string::npos);
    };
    CHECK(Model<Net, Int8>::make(good));
    refused([](auto& d) { d.layers[1].kernel.pop_back(); }, "expected a kernel of 6 values");
    refused([](auto& d) { d.layers[0].bias.push_back(0); }, "expected a kernel of 12 values");
    refused([](auto& d) { d.layers[0].scale.pop_back(); }, "1 or 3 scales");
    refused([](auto& d) { d.layers[0].scale[1] = -1.0f; }, "scales above 0");
    refused([](auto& d) { d.layers[0].scale[1] = std::nanf(""); }, "scales above 0");
    refused([](auto& d) { d.layers[0].scale[1] = HUGE_VALF; }, "scales above 0");
    refused([](auto& d) { d.values[0].zero_point = 128; }, "zero points from -128 to 127");
    refused([](auto& d) { d.layers[0].zero_point = -129; }, "zero point is -129");
    refused([](auto& d) { d.layers[0].bias[0] = INT32_MAX; }, "may leave the range of int32");
    refused([](auto& d) { d.layers.push_back(d.layers[0]); }, "more layers");
    refused([](auto& d) { d.values.push_back({}); }, "more layers");
    CHECK(!try_quantize(model, std::span<const float>()));
}

TEST_CASE("int8 model: weights and biases that are no numbers become 0")
{
    const float nan = std::nanf(""), infinite = HUGE_VALF;
    const Int8Layer layer = detail::quantize_layer(3, {infinite, nan, 1.0f, 1.0f, 2.0f, 2.0f}, {1.0f, nan, infinite},
                                                   {0.1f, 0}, true);
    CHECK(layer.kernel == std::vector<std::int8_t>{0, 0, 0, 0, 127, 0});
    CHECK(layer.bias == std::vector<std::int32_t>{0, 0, 0});
}

TEST_CASE("int8 model: what a network costs is known from its type")
{
    using Mlp = Network<Input<784>, Dense<128>, ReLU, Dense<10>>;
    static_assert(cost<Mlp, Int8>::flash <= 128_KiB && cost<Mlp, Int8>::ram <= 3_KiB);
    static_assert(cost<Mlp, Int8>::flash >= 784 * 128 + 1280 && cost<Mlp, Int8>::ram >= 784 + 128 + 10);
    CHECK(summary<Mlp, Int8>().find("Parameters: 101,770") != std::string::npos);
}
