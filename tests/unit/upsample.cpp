// SPDX-License-Identifier: BSL-1.0
// Upsample2D against its naive twin, and against values that Keras gives.
#include <tenon/inference.hpp>
#include <tenon/kernels/reference/upsample.hpp>
#include <tenon/model/model.hpp>

#include <doctest/doctest.h>
#include <support/kernel_data.hpp>

#include <cmath>
#include <limits>
#include <vector>

using namespace tenon;

static_assert(std::is_same_v<Network<Input<4, 5, 3>, Upsample2D<3>>::output_shape, Shape<12, 15, 3>>);
static_assert(Network<Input<4, 5, 3>, Upsample2D<2>>::hash !=
              Network<Input<4, 5, 3>, Upsample2D<2, Interpolation<Bilinear>>>::hash);
static_assert(Network<Input<4, 5, 3>, Upsample2D<2>>::hash ==
              Network<Input<4, 5, 3>, Upsample2D<2, Interpolation<Nearest>>>::hash);

// By the compiler. The second row of bilinear values is 1/4, the third 3/4 of the way down.
using Two = Tensor<float, Shape<2, 2, 1>>;
using Four = Tensor<float, Shape<4, 4, 1>>;
static_assert([] {
    using Net = Network<Input<2, 2, 1>, Upsample2D<2>>;
    return predict<Net>(FrozenWeights<Net>{}, Two{1, 2, 3, 4}) == Four{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4};
}());
static_assert([] {
    using Net = Network<Input<2, 2, 1>, Upsample2D<2, Interpolation<Bilinear>>>;
    return predict<Net>(FrozenWeights<Net>{}, Two{0, 4, 8, 12}) ==
           Four{0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12};
}());

TEST_CASE_TEMPLATE("values and gradients of the twin", T, float, double)
{
    using support::Exact;
    using support::Guarded;
    constexpr double eps = static_cast<double>(std::numeric_limits<T>::epsilon());
    for (const std::size_t channels : {1u, 3u, 8u, 17u})
        for (const auto& s : {kernels::UpsampleShape{1, 1, channels, 3},
                              {2, 3, channels, 2},
                              {3, 2, channels, 1},
                              {1, 4, channels, 4},
                              {3, 3, channels, 5}})
            for (const bool bilinear : {false, true}) {
                const std::size_t rows = 2, out = s.factor * s.factor * s.size();
                const auto x = support::random_values<T>(rows * s.size(), -1, 1, channels);
                const auto dy = support::random_values<T>(rows * out, -1, 1, channels + 1);
                Guarded<T> y(rows * out, 1), dx(x.size(), 2), line(s.line(), 3);
                std::vector<Exact> want_y(y.size()), want_dx(dx.size());
                const auto exact_x = support::as_exact(x), exact_dy = support::as_exact(dy);
                kernels::reference::upsample(rows, s, bilinear, exact_x.data(), want_y.data());
                kernels::reference::upsample_gradient(rows, s, bilinear, exact_dy.data(), want_dx.data());
                if (bilinear) {
                    kernels::upsample_bilinear(rows, s, x.data(), y.data(), line.data());
                    kernels::upsample_bilinear_gradient(rows, s, dy.data(), dx.data(), line.data());
                } else {
                    kernels::upsample_nearest(rows, s, x.data(), y.data());
                    kernels::upsample_nearest_gradient(rows, s, dy.data(), dx.data());
                }
                CHECK(y.intact());
                CHECK(dx.intact());
                CHECK(line.intact());
                double worst_y = 0, worst_dx = 0;
                for (std::size_t i = 0; i < y.size(); ++i)
                    worst_y = std::fmax(worst_y, static_cast<double>(std::fabs(static_cast<Exact>(y[i]) - want_y[i])));
                for (std::size_t i = 0; i < dx.size(); ++i)
                    worst_dx = std::fmax(worst_dx,
                                         static_cast<double>(std::fabs(static_cast<Exact>(dx[i]) - want_dx[i])));
                CAPTURE(bilinear);
                CAPTURE(s.factor);
                CHECK(worst_y <= (bilinear ? 4 * eps : 0.0));
                CHECK(worst_dx <= static_cast<double>(4 * s.factor * s.factor) * eps);
            }
}

TEST_CASE("a constant image stays constant, to the last bit")
{
    using Net = Network<Input<3, 5, 7>, Upsample2D<3, Interpolation<Bilinear>>>;
    Tensor<float, Shape<3, 5, 7>> x;
    for (float& value : x) value = 0.1f;
    const auto y = Model<Net>{uninitialized}.predict(x);
    for (const float value : y) CHECK(value == 0.1f);
}
