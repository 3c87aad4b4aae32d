// SPDX-License-Identifier: BSL-1.0
// Convolutions and pools against the formula in double, over shapes that fill no tile; the fused pass against its parts;
// parameter counts as Keras gives them.
#include <tenon/inference.hpp>
#include <tenon/model/model.hpp>
#include <tenon/training/gradient_check.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace tenon;

namespace {

using Cnn = Network<Input<28, 28, 1>, Conv2D<32, Kernel<3>>, ReLU, MaxPool2D<2>, Conv2D<64, Kernel<3>>, ReLU,
                    MaxPool2D<2>, Conv2D<64, Kernel<3>>, ReLU, Flatten, Dense<64>, ReLU, Dense<10>, Softmax>;
static_assert(Cnn::parameter_count == 93'322);
static_assert(std::is_same_v<Cnn::shape_after<2>, Shape<13, 13, 32>>);

// Keras's "same": ceil(input / stride) positions, the odd row of padding behind.
static_assert(window_axis(5, 2, 1, 1, true, 0, 0).before == 0 && window_axis(5, 2, 1, 1, true, 0, 0).after == 1);
static_assert(window_axis(28, 3, 2, 1, true, 0, 0).before == 0 && window_axis(28, 3, 2, 1, true, 0, 0).positions == 14);
static_assert(window_axis(27, 3, 2, 1, true, 0, 0).before == 1 && window_axis(27, 3, 2, 1, true, 0, 0).positions == 14);
static_assert(window_axis(7, 3, 1, 2, false, 0, 0).positions == 3);

// BatchNorm's moving statistics count as parameters, but not as trainable ones.
using Normalised = Network<Input<8, 8, 3>, Conv2D<4, Kernel<3>>, BatchNorm, Flatten, Dense<2>>;
static_assert(Normalised::parameter_count == 3 * 3 * 3 * 4 + 4 + 4 * 4 + 144 * 2 + 2);
static_assert(Normalised::trainable_count == Normalised::parameter_count - 8);

template <class T>
void compare_with_formula(const ConvShape& s, std::size_t rows, Random& random)
{
    std::vector<T> x(rows * s.in_size()), bias(s.filters), y(rows * s.out_size() + 2, T(-77));
    std::vector<double> kernel(s.window() * s.filters);
    for (T& value : x) value = static_cast<T>(random.normal());
    for (T& value : bias) value = static_cast<T>(random.normal());
    for (double& value : kernel) value = static_cast<double>(static_cast<T>(random.normal()));
    const simd::PanelLayout<T> layout{s.window(), s.group_filters()};
    std::vector<T> panels(kernels::conv_kernel_size<T>(s)), padded_bias(s.groups * layout.columns());
    for (std::size_t k = 0; k < s.window(); ++k)
        for (std::size_t f = 0; f < s.filters; ++f)
            panels[kernels::conv_kernel_index<T>(s, k, f)] = static_cast<T>(kernel[k * s.filters + f]);
    for (std::size_t f = 0; f < s.filters; ++f)
        padded_bias[f / s.group_filters() * layout.columns() + f % s.group_filters()] = bias[f];

    // The formula, term by term, with the sum of magnitudes for the bound.
    std::vector<double> want(rows * s.out_size()), size(want.size());
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < s.out_height; ++i)
            for (std::size_t j = 0; j < s.out_width; ++j)
                for (std::size_t f = 0; f < s.filters; ++f) {
                    double sum = static_cast<double>(bias[f]), magnitude = std::fabs(sum);
                    for (std::size_t a = 0; a < s.kernel_height; ++a)
                        for (std::size_t b = 0; b < s.kernel_width; ++b)
                            for (std::size_t c = 0; c < s.group_channels(); ++c) {
                                const long h = static_cast<long>(i * s.stride_height + a * s.dilation_height) -
                                               static_cast<long>(s.top);
                                const long v = static_cast<long>(j * s.stride_width + b * s.dilation_width) -
                                               static_cast<long>(s.left);
                                if (h < 0 || v < 0 || h >= static_cast<long>(s.height) ||
                                    v >= static_cast<long>(s.width))
                                    continue;
                                const std::size_t group = f / s.group_filters();
                                const std::size_t at = ((r * s.height + static_cast<std::size_t>(h)) * s.width +
                                                        static_cast<std::size_t>(v)) *
                                                           s.channels +
                                                       group * s.group_channels() + c;
                                const std::size_t k = (a * s.kernel_width + b) * s.group_channels() + c;
                                const double term = static_cast<double>(x[at]) * kernel[k * s.filters + f];
                                sum += term;
                                magnitude += std::fabs(term);
                            }
                    const std::size_t out = ((r * s.out_height + i) * s.out_width + j) * s.filters + f;
                    want[out] = sum;
                    size[out] = magnitude;
                }

    std::vector<T> scratch(s.padded_size() + 16);
    const auto run = [&](auto last) {
        kernels::conv_forward<T, decltype(last)::value>(rows, s, x.data(), panels.data(), padded_bias.data(),
                                                        y.data() + 1, kernels::detail::no_floor<T>, scratch.data());
    };
    // The last panel's width is a template argument: the shapes below have these.
    constexpr std::size_t W = simd::width<T>;
    const std::size_t last = layout.last_width();
    bool known = true;
    if (last == 0)
        run(std::integral_constant<std::size_t, 0>{});
    else if (last == simd::narrow_width<T>(1))
        run(std::integral_constant<std::size_t, simd::narrow_width<T>(1)>{});
    else if (last == simd::narrow_width<T>(5))
        run(std::integral_constant<std::size_t, simd::narrow_width<T>(5)>{});
    else if (last == simd::narrow_width<T>(9))
        run(std::integral_constant<std::size_t, simd::narrow_width<T>(9)>{});
    else if (last == W)
        run(std::integral_constant<std::size_t, W>{});
    else if (last == 2 * W)
        run(std::integral_constant < std::size_t, simd::panel_registers == 4 ? 2 * W : 0 > {});
    else if (last == 3 * W)
        run(std::integral_constant < std::size_t, simd::panel_registers == 4 ? 3 * W : 0 > {});
    else
        known = false;
    REQUIRE(known);

    CHECK(y.front() == T(-77));
    CHECK(y.back() == T(-77));
    const double eps = std::numeric_limits<T>::epsilon();
    double worst = 0;
    for (std::size_t i = 0; i < want.size(); ++i)
        worst = std::fmax(worst, std::fabs(static_cast<double>(y[i + 1]) - want[i]) /
                                     (4 * static_cast<double>(s.window() + 1) * eps * size[i]));
    CHECK(worst <= 1.0);
}

constexpr ConvShape shape(std::size_t h, std::size_t w, std::size_t c, std::size_t f, std::size_t k, std::size_t stride,
                          std::size_t dilation, std::size_t pad, std::size_t groups = 1)
{
    ConvShape s{};
    s.height = h;
    s.width = w;
    s.channels = c;
    s.filters = f;
    s.kernel_height = s.kernel_width = k;
    s.stride_height = s.stride_width = stride;
    s.dilation_height = s.dilation_width = dilation;
    s.top = s.bottom = s.left = s.right = pad;
    s.groups = groups;
    s.out_height = (h + 2 * pad - (k - 1) * dilation - 1) / stride + 1;
    s.out_width = (w + 2 * pad - (k - 1) * dilation - 1) / stride + 1;
    return s;
}

// Every output of the network, for both ways of running it.
template <class Net>
void compare_chains()
{
    Model<Net> model{Seed{11}};
    Random random{Seed{12}};
    std::vector<float> x(3 * Net::input_shape::size), fused(3 * Net::output_shape::size), plain(fused.size());
    for (float& value : x) value = static_cast<float>(random.normal());
    using Chain = typename Net::chain;
    AlignedBuffer<float> arena{chain_workspace<float, Chain, 3>() + 16};
    infer_chain<Chain, 3>(3, blocks_of<Chain>(static_cast<const float*>(model.parameters().data())),
                          static_cast<const float*>(x.data()), plain.data(), arena.data());
    Session<Net, Rows<3>> session{model.parameters()};
    session.run(x, fused);
    for (std::size_t i = 0; i < fused.size(); ++i) CHECK(fused[i] == doctest::Approx(plain[i]).epsilon(1e-5));
}

}  // namespace

TEST_CASE_TEMPLATE("the kernel against the formula", T, float, double)
{
    Random random{Seed{5}};
    for (const std::size_t c : {1u, 2u, 3u, 16u, 17u})
        for (const std::size_t f : {1u, 5u, 9u})
            for (const std::size_t k : {1u, 2u, 3u}) {
                compare_with_formula<T>(shape(5, 7, c, f, k, 1, 1, 0), 2, random);
                compare_with_formula<T>(shape(6, 5, c, f, k, 2, 1, k - 1), 1, random);
                compare_with_formula<T>(shape(7, 8, c, f, k, 1, 2, (k - 1)), 1, random);
            }
    compare_with_formula<T>(shape(5, 5, 4, 10, 3, 1, 1, 1, 2), 2, random);
    compare_with_formula<T>(shape(5, 5, 6, 6, 3, 1, 1, 1, 6), 2, random);
    // Panels of one to four registers, and tiles of each height.
    for (std::size_t registers = 1; registers <= 5; ++registers)
        for (const std::size_t w : {5u, 9u, 13u, 16u})
            compare_with_formula<T>(shape(4, w, 5, registers * simd::width<T>, 3, 1, 1, 1), 1, random);
    for (std::size_t w = 3; w <= 20; ++w) compare_with_formula<T>(shape(3, w, 3, 5, 3, 1, 1, 0), 1, random);
}

TEST_CASE("a convolution, its ReLU and its pool in one pass give what the three give")
{
    compare_chains<Network<Input<9, 8, 3>, Conv2D<5, Kernel<3>>, ReLU, MaxPool2D<2>>>();
    compare_chains<
        Network<Input<9, 9, 3>, Conv2D<33, Kernel<3>, Padding<Same>>, ReLU, MaxPool2D<2>, Flatten, Dense<3>>>();
    compare_chains<Network<Input<8, 8, 2>, Conv2D<64, Kernel<3>>, MaxPool2D<2>>>();
    compare_chains<Network<Input<8, 8, 2>, Conv2D<70, Kernel<2>, Stride<1>, Groups<2>>, ReLU, MaxPool2D<2>>>();
    // Tanh is no floor: the pool stays a layer of its own.
    compare_chains<Network<Input<8, 8, 2>, Conv2D<4, Kernel<3>>, Tanh, MaxPool2D<2>>>();
    compare_chains<Cnn>();
}

TEST_CASE("a known convolution, evaluated by the compiler")
{
    using Net = Network<Input<3, 3, 1>, Conv2D<1, Kernel<2>>, ReLU, MaxPool2D<2>>;
    static constexpr float values[] = {1, 0, 0, -1, 0.5f};  // difference along the diagonal, plus a half
    static constexpr auto weights = freeze<Net>(values);
    static constexpr Tensor<float, Shape<3, 3, 1>> image{9, 8, 7, 6, 5, 4, 3, 2, 1};
    static_assert(predict<Net>(weights, image)[0] == 4.5f);
    CHECK(predict<Net>(weights, image)[0] == 4.5f);
}

TEST_CASE("padding never wins a maximum and does not count in a mean")
{
    using Max = Network<Input<3, 3, 1>, MaxPool2D<2, Padding<Same>>>;
    using Mean = Network<Input<3, 3, 1>, AveragePool2D<2, Padding<Same>>>;
    const Tensor<float, Shape<3, 3, 1>> image{-1, -2, -3, -4, -5, -6, -7, -8, -9};
    const auto largest = Model<Max>{uninitialized}.predict(image);
    CHECK(largest[0] == -1);
    CHECK(largest[1] == -3);
    CHECK(largest[2] == -7);
    CHECK(largest[3] == -9);
    const auto mean = Model<Mean>{uninitialized}.predict(image);
    CHECK(mean[0] == -3);
    CHECK(mean[1] == -4.5f);
    CHECK(mean[3] == -9);
}

TEST_CASE("BatchNorm at inference uses its statistics, which the files name")
{
    using Net = Network<Input<2>, BatchNormWith<VarianceEpsilon<1, 4>>>;
    Model<Net> model{Seed{1}};
    auto& p = model.parameters();
    REQUIRE(p.slots().size() == 4);
    CHECK(detail::slot_name(p.slots()[2]) == "batch_normalization_1/moving_mean");
    CHECK(p.slots()[2].role == Role::statistics);
    const float values[4][2] = {{2, 3}, {10, 20}, {1, -1}, {0.75f, 3.75f}};
    for (std::size_t s = 0; s < 4; ++s)
        for (std::size_t i = 0; i < 2; ++i) p.logical(p.slots()[s], i) = values[s][i];
    const auto y = model.predict(Tensor<float, Shape<2>>{5, 3});
    CHECK(y[0] == doctest::Approx(18));  // (5 - 1) / 1 · 2 + 10
    CHECK(y[1] == doctest::Approx(26));  // (3 + 1) / 2 · 3 + 20
}
