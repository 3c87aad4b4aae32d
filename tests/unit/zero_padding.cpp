// SPDX-License-Identifier: BSL-1.0
// ZeroPadding2D against its naive twin, and the layer against a convolution's own padding.
#include <tenon/inference.hpp>
#include <tenon/kernels/reference/zero_padding.hpp>
#include <tenon/model/model.hpp>

#include <doctest/doctest.h>
#include <support/kernel_data.hpp>

#include <vector>

using namespace tenon;

static_assert(std::is_same_v<Network<Input<4, 5, 3>, ZeroPadding2D<Padding<1>>>::output_shape, Shape<6, 7, 3>>);
static_assert(std::is_same_v<Network<Input<4, 5, 3>, ZeroPadding2D<Padding<1, 2>>>::output_shape, Shape<6, 9, 3>>);
static_assert(
    std::is_same_v<Network<Input<4, 5, 3>, ZeroPadding2D<Padding<0, 1, 2, 3>>>::output_shape, Shape<5, 10, 3>>);
static_assert(Network<Input<4, 5, 3>, ZeroPadding2D<Padding<0, 1, 0, 0>>>::hash !=
              Network<Input<4, 5, 3>, ZeroPadding2D<Padding<1, 0, 0, 0>>>::hash);
static_assert(Network<Input<4, 5, 3>, ZeroPadding2D<Padding<1>>>::macs == 0);

// By the compiler.
static_assert([] {
    using Net = Network<Input<1, 2, 1>, ZeroPadding2D<Padding<1, 0, 0, 2>>>;
    return predict<Net>(FrozenWeights<Net>{}, Tensor<float, Shape<1, 2, 1>>{3, 4}) ==
           Tensor<float, Shape<2, 4, 1>>{0, 0, 0, 0, 3, 4, 0, 0};
}());

TEST_CASE_TEMPLATE("values and gradients go where the twin puts them, exactly", T, float, double)
{
    using support::Guarded;
    for (const std::size_t channels : {1u, 2u, 3u, 8u, 17u, 33u})
        for (const auto& s : {kernels::PaddedShape{1, 1, channels, 0, 0, 0, 0},
                              {2, 3, channels, 1, 1, 1, 1},
                              {5, 4, channels, 0, 3, 2, 0},
                              {3, 1, channels, 2, 0, 0, 5}})
            for (const std::size_t rows : {std::size_t(1), std::size_t(3)}) {
                const auto x = support::random_values<T>(rows * s.size(), -1, 1, channels);
                const auto dy = support::random_values<T>(rows * s.padded_size(), -1, 1, channels + 1);
                Guarded<T> y(dy.size(), 1), dx(x.size(), 2);
                std::vector<T> want_y(dy.size()), want_dx(x.size());
                kernels::zero_pad(rows, s, x.data(), y.data());
                kernels::reference::zero_pad(rows, s, x.data(), want_y.data());
                kernels::zero_pad_gradient(rows, s, dy.data(), dx.data());
                kernels::reference::zero_pad_gradient(rows, s, dy.data(), want_dx.data());
                CHECK(y.intact());
                CHECK(dx.intact());
                CHECK(std::vector<T>(y.begin(), y.end()) == want_y);
                CHECK(std::vector<T>(dx.begin(), dx.end()) == want_dx);
            }
}

TEST_CASE("in front of a convolution it is that convolution's padding")
{
    using Apart = Network<Input<7, 6, 3>, ZeroPadding2D<Padding<0, 1, 2, 1>>, Conv2D<5, Kernel<3>, Stride<2>>>;
    using Together = Network<Input<7, 6, 3>, Conv2D<5, Kernel<3>, Stride<2>, Padding<0, 1, 2, 1>>>;
    static_assert(std::is_same_v<Apart::output_shape, Together::output_shape>);
    const Model<Apart> apart{Seed{3}};
    Model<Together> together{uninitialized};
    REQUIRE(apart.parameters().size() == together.parameters().size());
    for (std::size_t i = 0; i < apart.parameters().size(); ++i)
        together.parameters().data()[i] = apart.parameters().data()[i];
    Tensor<float, Shape<7, 6, 3>> x;
    Random random{Seed{4}};
    for (float& value : x) value = static_cast<float>(random.normal());
    const auto a = apart.predict(x), b = together.predict(x);
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-6));
}
