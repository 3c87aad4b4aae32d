// SPDX-License-Identifier: BSL-1.0
// int8 against TensorFlow Lite Micro's reference kernels: every bit.
#include "golden/data/int8.hpp"

#include <tenon/kernels/int8_windows.hpp>
#include <tenon/kernels/reference/int8.hpp>
#include <tenon/model/int8_model.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <iterator>

using namespace tenon;

TEST_CASE("int8: a dense layer is TensorFlow Lite's")
{
    std::int8_t y[10];
    const kernels::reference::Int8Factors factors{golden::dense_multiplier,
                                                  golden::dense_shift,
                                                  golden::dense_zeros[0],
                                                  golden::dense_zeros[1],
                                                  golden::dense_zeros[2],
                                                  golden::dense_zeros[3],
                                                  127};
    kernels::reference::int8_dense(2, 11, 5, golden::dense_x, golden::dense_w, golden::dense_bias, factors, y);
    for (std::size_t i = 0; i < 10; ++i) CHECK(static_cast<int>(y[i]) == static_cast<int>(golden::dense_y[i]));

    // The same through a model: scales whose quotients are exactly those multipliers.
    Int8Description d;
    d.input = {1.0f, golden::dense_zeros[0]};
    d.values = {{1.0f, golden::dense_zeros[2]}};
    Int8Layer layer;
    layer.kernel.assign(std::begin(golden::dense_w), std::end(golden::dense_w));
    layer.bias.assign(std::begin(golden::dense_bias), std::end(golden::dense_bias));
    std::size_t exact = 0;
    for (std::size_t n = 0; n < 5; ++n) {
        const double value = golden::dense_multiplier[n] * std::ldexp(1.0, golden::dense_shift[n] - 31);
        layer.scale.push_back(static_cast<float>(value));
    }
    d.layers.push_back(layer);
    const Model<Network<Input<11>, Dense<5>>, Int8> model{d};
    for (std::size_t r = 0; r < 2; ++r) {
        const auto predicted = model.predict(TensorView<const std::int8_t, Shape<11>>{golden::dense_x + 11 * r});
        for (std::size_t i = 0; i < 5; ++i) {
            // A float scale has 24 of a multiplier's 31 bits.
            const int difference = predicted[i] - golden::dense_y[5 * r + i];
            CHECK(difference * difference <= 1);
            exact += difference == 0 ? 1 : 0;
        }
    }
    CHECK(exact >= 9);
}

TEST_CASE("int8: a sum is TensorFlow Lite's ADD")
{
    constexpr std::size_t n = std::size(golden::add_y);
    std::int8_t y[n];
    const double a = static_cast<double>(golden::add_scales[0]), b = static_cast<double>(golden::add_scales[1]);
    const double larger = a > b ? a : b;
    const Int8Add add{fixed_point(a / (2.0 * larger)),
                      fixed_point(b / (2.0 * larger)),
                      fixed_point(2.0 * larger / (1048576.0 * static_cast<double>(golden::add_scales[2]))),
                      static_cast<std::int8_t>(golden::add_zeros[0]),
                      static_cast<std::int8_t>(golden::add_zeros[1]),
                      static_cast<std::int8_t>(golden::add_zeros[2]),
                      -128};
    kernels::int8_add(n, golden::add_a, golden::add_b, add, y);
    for (std::size_t i = 0; i < n; ++i) CHECK(static_cast<int>(y[i]) == static_cast<int>(golden::add_y[i]));
}

TEST_CASE("int8: softmax is TensorFlow Lite's")
{
    // Through a model, so that its scale is turned into a factor as there.
    Int8Description d;
    d.input = {0.11f, 5};
    const Model<Network<Input<12>, Softmax>, Int8> model{d};
    const auto y = model.predict(TensorView<const std::int8_t, Shape<12>>{golden::softmax_x});
    for (std::size_t i = 0; i < 12; ++i) CHECK(static_cast<int>(y[i]) == static_cast<int>(golden::softmax_y[i]));
    CHECK(model.output() == Affine{1.0f / 256.0f, -128});
}
