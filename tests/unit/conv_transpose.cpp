// SPDX-License-Identifier: BSL-1.0
// Conv2DTranspose: Keras's output sizes, every phase against the formula, the adjoint of the convolution, any rows.
#include <tenon/inference.hpp>
#include <tenon/model/model.hpp>
#include <tenon/training/gradient_check.hpp>

#include <doctest/doctest.h>
#include <support/kernel_data.hpp>

#include <cmath>
#include <limits>
#include <vector>

using namespace tenon;

namespace {

template <class Net>
using output = typename Net::output_shape;

// Keras 3: compute_conv_transpose_output_shape.
static_assert(std::is_same_v<output<Network<Input<4, 5, 3>, Conv2DTranspose<7, Kernel<3>>>>, Shape<6, 7, 7>>);
static_assert(
    std::is_same_v<output<Network<Input<4, 5, 3>, Conv2DTranspose<7, Kernel<3>, Stride<2>>>>, Shape<9, 11, 7>>);
static_assert(
    std::is_same_v<output<Network<Input<4, 5, 3>, Conv2DTranspose<7, Kernel<2>, Stride<3>>>>, Shape<12, 15, 7>>);
static_assert(std::is_same_v<output<Network<Input<4, 5, 3>, Conv2DTranspose<7, Kernel<3>, Stride<2>, Padding<Same>>>>,
                             Shape<8, 10, 7>>);
static_assert(
    std::is_same_v<output<Network<Input<4, 5, 3>, Conv2DTranspose<7, Kernel<2, 5>, Stride<3, 1>, Padding<Same>>>>,
                   Shape<12, 5, 7>>);
using Counted = Network<Input<4, 5, 3>, Conv2DTranspose<7, Kernel<3, 2>, Stride<2>>>;
static_assert(Counted::parameter_count == 3 * 2 * 7 * 3 + 7 && Counted::macs == 4 * 5 * 3 * 2 * 3 * 7);
static_assert(Network<Input<4, 5, 3>, Conv2DTranspose<7, Kernel<2>, Stride<2>>>::hash !=
              Network<Input<4, 5, 3>, Conv2DTranspose<7, Kernel<2>, Stride<2>, Padding<Same>>>::hash);

// By the compiler: one pixel becomes the kernel times its value, neighbours overlap.
static_assert([] {
    using Net = Network<Input<1, 2, 1>, Conv2DTranspose<1, Kernel<1, 3>, Stride<1, 2>>>;
    return predict<Net>(freeze<Net>({1.0f, 2.0f, 3.0f, 0.5f}), Tensor<float, Shape<1, 2, 1>>{10, 1}) ==
           Tensor<float, Shape<1, 5, 1>>{10.5f, 20.5f, 31.5f, 2.5f, 3.5f};
}());
// Same: of the one row too many the last is cut off.
static_assert([] {
    using Net = Network<Input<1, 2, 1>, Conv2DTranspose<1, Kernel<1, 3>, Stride<1, 2>, Padding<Same>, NoBias>, ReLU>;
    return predict<Net>(freeze<Net>({1.0f, -2.0f, 3.0f}), Tensor<float, Shape<1, 2, 1>>{10, 1}) ==
           Tensor<float, Shape<1, 4, 1>>{10, 0, 31, 0};
}());

// Network with one layer in precision P against the formula in extended precision, several rows at a time.
template <class Net, class P>
void agree_in()
{
    using T = typename P::scalar;
    using support::Exact;
    using B = typename Net::chain::template bound<0>;
    constexpr ConvTransposeShape s = B::rule::geometry;
    const char* which = __PRETTY_FUNCTION__;
    CAPTURE(which);
    Model<Net, P> model{Seed{7}};
    Random random{Seed{8}};
    auto& parameters = model.parameters();
    for (const SlotInfo& slot : parameters.slots())
        for (std::size_t i = 0; i < slot.size; ++i) parameters.logical(slot, i) = static_cast<T>(random.normal());
    constexpr std::size_t rows = 4;
    const auto x = support::random_values<T>(rows * s.in_size(), -1, 1, 5);
    const auto exact_x = support::as_exact(x);
    std::vector<Exact> kernel, bias(s.filters), want(rows * s.out_size()), size(want.size());
    for (std::size_t i = 0; i < parameters.slots()[0].size; ++i)
        kernel.push_back(static_cast<Exact>(parameters.logical(parameters.slots()[0], i)));
    if (parameters.slots().size() > 1)
        for (std::size_t f = 0; f < s.filters; ++f)
            bias[f] = static_cast<Exact>(parameters.logical(parameters.slots()[1], f));
    const auto place = [&](std::size_t a, std::size_t b, std::size_t c, std::size_t f) {
        return ((a * s.columns.kernel + b) * s.filters + f) * s.channels + c;
    };
    const auto run = [&](const std::vector<Exact>& in, const std::vector<Exact>& weights,
                         const std::vector<Exact>& shift, std::vector<Exact>& out) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = shift[i % s.filters];
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t i = 0; i < s.rows.in; ++i)
                for (std::size_t j = 0; j < s.columns.in; ++j)
                    for (std::size_t a = 0; a < s.rows.kernel; ++a)
                        for (std::size_t b = 0; b < s.columns.kernel; ++b) {
                            const long h = static_cast<long>(i * s.rows.stride + a) - static_cast<long>(s.rows.before);
                            const long v = static_cast<long>(j * s.columns.stride + b) -
                                           static_cast<long>(s.columns.before);
                            if (h < 0 || v < 0 || h >= static_cast<long>(s.rows.out) ||
                                v >= static_cast<long>(s.columns.out))
                                continue;
                            const std::size_t to = ((r * s.rows.out + static_cast<std::size_t>(h)) * s.columns.out +
                                                    static_cast<std::size_t>(v)) *
                                                   s.filters;
                            const std::size_t from = ((r * s.rows.in + i) * s.columns.in + j) * s.channels;
                            for (std::size_t f = 0; f < s.filters; ++f)
                                for (std::size_t c = 0; c < s.channels; ++c)
                                    out[to + f] += in[from + c] * weights[place(a, b, c, f)];
                        }
    };
    run(exact_x, kernel, bias, want);
    const auto magnitude = [](std::vector<Exact> values) {
        for (Exact& value : values) value = std::fabs(value);
        return values;
    };
    run(magnitude(exact_x), magnitude(kernel), magnitude(bias), size);

    // The naive twin is the same formula over the layer's own layout.
    std::vector<T> twin(want.size());
    using Slot = typename slots_type<B>::template slot<0>;
    const T* stored_bias = nullptr;
    if constexpr (B::rule::use_bias) stored_bias = parameters.data() + parameters.slots()[1].offset;
    kernels::conv_transpose_reference(
        rows, s, x.data(), static_cast<const T*>(parameters.data()), stored_bias, twin.data(),
        [&](std::size_t a, std::size_t b, std::size_t c, std::size_t f) {
            return Slot::layout::template index<T, typename Slot::shape>(place(a, b, c, f));
        },
        kernels::Identity{});

    support::Guarded<T> y(want.size(), 3);
    Session<Net, Rows<3>, P> session{parameters};
    session.run_rows(rows, x.data(), y.data());
    CHECK(y.intact());
    const double bound = 4 * static_cast<double>(s.kernel_rows() + 1) *
                         static_cast<double>(std::numeric_limits<T>::epsilon());
    double worst = 0, worst_twin = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        const Exact most = bound * size[i] + Exact(1e-30);
        worst = std::fmax(worst, static_cast<double>(std::fabs(static_cast<Exact>(y[i]) - want[i]) / most));
        worst_twin = std::fmax(worst_twin,
                               static_cast<double>(std::fabs(static_cast<Exact>(twin[i]) - want[i]) / most));
    }
    CHECK(worst <= 1.0);
    CHECK(worst_twin <= 1.0);
}

template <std::size_t H, std::size_t W, std::size_t C, std::size_t F, class... Options>
void agree()
{
    using Net = Network<Input<H, W, C>, Conv2DTranspose<F, Options...>>;
    agree_in<Net, Float32>();
    agree_in<Net, Float64>();
}

}  // namespace

TEST_CASE("every phase against the formula: strides beside, below and above the kernel")
{
    agree<3, 4, 2, 5, Kernel<3>>();
    agree<3, 4, 2, 5, Kernel<3>, Padding<Same>>();
    agree<3, 4, 2, 5, Kernel<3>, Stride<2>>();
    agree<3, 4, 2, 5, Kernel<3>, Stride<2>, Padding<Same>>();
    agree<3, 4, 3, 4, Kernel<4>, Stride<2>, Padding<Same>>();
    agree<3, 4, 3, 4, Kernel<5>, Stride<2>, Padding<Same>>();
    agree<2, 3, 3, 4, Kernel<7, 6>, Stride<3, 2>, Padding<Same>>();
    agree<2, 3, 3, 4, Kernel<7, 6>, Stride<3, 2>, NoBias>();
    agree<2, 3, 3, 4, Kernel<1>, Stride<2>>();
    agree<2, 3, 3, 4, Kernel<2, 1>, Stride<3, 4>, Padding<Same>>();
    agree<2, 3, 3, 4, Kernel<1, 3>, Stride<5, 1>, NoBias>();
}
TEST_CASE("one channel, one pixel, and sizes that fill no vector or several")
{
    agree<1, 1, 1, 1, Kernel<1>>();
    agree<1, 1, 1, 1, Kernel<4>, Stride<2>>();
    agree<1, 7, 1, 17, Kernel<2>, Stride<2>>();
    agree<7, 1, 17, 1, Kernel<3>, Stride<2>, Padding<Same>>();
    agree<2, 3, 16, 33, Kernel<3>, Stride<2>>();
    agree<2, 2, 70, 66, Kernel<2>, Stride<2>, NoBias>();
    agree<2, 3, 5, 128, Kernel<3>>();
}

TEST_CASE("an activation in the same pass: ReLU in the tile, others image by image")
{
    using Plain = Network<Input<4, 3, 3>, Conv2DTranspose<6, Kernel<3>, Stride<2>>>;
    const Model<Plain> plain{Seed{1}};
    Random random{Seed{2}};
    Tensor<float, Shape<4, 3, 3>> x;
    for (float& value : x) value = static_cast<float>(random.normal());
    const auto y = plain.predict(x);
    const auto check = [&]<class Activation>(Activation, auto f) {
        using Net = Network<Input<4, 3, 3>, Conv2DTranspose<6, Kernel<3>, Stride<2>>, Activation>;
        Model<Net> model{Seed{1}};
        const auto fused = model.predict(x);
        for (std::size_t i = 0; i < y.size(); ++i) REQUIRE(fused[i] == doctest::Approx(f(y[i])).epsilon(1e-5));
    };
    check(ReLU{}, [](float v) { return v > 0 ? v : 0; });
    check(Tanh{}, [](float v) { return std::tanh(v); });
}

TEST_CASE("the adjoint of Conv2D: <conv(a), b> = <a, transpose(b)> with one kernel")
{
    using Down = Network<Input<9, 8, 3>, Conv2D<5, Kernel<3, 4>, Stride<2>, Padding<Same>, NoBias>>;
    using Up = Network<Input<5, 4, 5>, Conv2DTranspose<3, Kernel<3, 4>, Stride<2>, Padding<Same>, NoBias>>;
    // 10 rows come out of the transposed one: Down's image has a row of zeros more.
    using Image = Network<Input<10, 8, 3>, Conv2D<5, Kernel<3, 4>, Stride<2>, Padding<Same>, NoBias>>;
    static_assert(std::is_same_v<Down::output_shape, Image::output_shape> &&
                  std::is_same_v<Up::output_shape, Image::input_shape>);
    Model<Image, Float64> down{Seed{1}};
    Model<Up, Float64> up{uninitialized};
    for (std::size_t i = 0; i < 3 * 4 * 3 * 5; ++i)
        up.parameters().logical(up.parameters().slots()[0], i) = down.parameters().logical(down.parameters().slots()[0],
                                                                                           i);
    Random random{Seed{2}};
    Tensor<double, Shape<10, 8, 3>> a;
    Tensor<double, Shape<5, 4, 5>> b;
    for (double& value : a) value = random.normal();
    for (double& value : b) value = random.normal();
    const auto conv = down.predict(a);
    const auto transposed = up.predict(b);
    double left = 0, right = 0;
    for (std::size_t i = 0; i < b.size(); ++i) left += conv[i] * b[i];
    for (std::size_t i = 0; i < a.size(); ++i) right += a[i] * transposed[i];
    CHECK(left == doctest::Approx(right).epsilon(1e-12));
}

TEST_CASE("the files name it as Keras does")
{
    const Model<Counted> model{Seed{1}};
    const auto& slots = model.parameters().slots();
    REQUIRE(slots.size() == 2);
    CHECK(detail::slot_name(slots[0]) == "conv2d_transpose_1/kernel");
    CHECK(detail::slot_name(slots[1]) == "conv2d_transpose_1/bias");
    const std::size_t extents[] = {3, 2, 7, 3};
    REQUIRE(slots[0].rank == 4);
    for (std::size_t i = 0; i < 4; ++i) CHECK(slots[0].extents[i] == extents[i]);
    // Every logical value has a place of its own inside the slot.
    std::vector<int> used(slots[0].storage);
    for (std::size_t i = 0; i < slots[0].size; ++i) {
        REQUIRE(slots[0].index(i) < slots[0].storage);
        CHECK(++used[slots[0].index(i)] == 1);
    }
}
