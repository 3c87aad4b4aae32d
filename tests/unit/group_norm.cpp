// SPDX-License-Identifier: BSL-1.0
// Group normalisation and its gradient against the naive twin in extended precision; the layer against LayerNorm, which is
// one group over one position.
#include <tenon/inference.hpp>
#include <tenon/kernels/reference/group_norm.hpp>
#include <tenon/model/model.hpp>
#include <tenon/training/gradient_check.hpp>

#include <doctest/doctest.h>
#include <support/kernel_data.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace tenon;

static_assert(Network<Input<4, 5, 6>, GroupNorm<Groups<3>>>::parameter_count == 12);
static_assert(Network<Input<4, 5, 6>, GroupNorm<Groups<3>>>::hash !=
              Network<Input<4, 5, 6>, GroupNorm<Groups<2>>>::hash);
static_assert(Network<Input<4, 5, 6>, GroupNorm<Groups<3>>>::hash ==
              Network<Input<4, 5, 6>, GroupNorm<VarianceEpsilon<1, 1000>, Groups<3>>>::hash);

// By the compiler: the groups (4, 0), (2, 6) and their variance 4; gamma 2, beta 1 and 0.
static_assert([] {
    using Net = Network<Input<1, 1, 4>, GroupNorm<Groups<2>, VarianceEpsilon<1, 1000000>>>;
    const auto y = predict<Net>(freeze<Net>({2.0f, 2.0f, 2.0f, 2.0f, 1.0f, 1.0f, 0.0f, 0.0f}),
                                Tensor<float, Shape<1, 1, 4>>{4, 0, 2, 6});
    const auto near = [](float a, float b) { return a - b < 1e-5f && b - a < 1e-5f; };
    return near(y[0], 3) && near(y[1], -1) && near(y[2], -2) && near(y[3], 2);
}());

namespace {

template <class T>
void agree(const kernels::GroupShape& s, double offset)
{
    using support::Exact;
    using support::Guarded;
    const std::size_t rows = 3, n = rows * s.size(), c = s.channels;
    CAPTURE(s.positions);
    CAPTURE(c);
    CAPTURE(s.groups);
    CAPTURE(offset);
    const auto x = support::random_values<T>(n, offset - 1, offset + 1, c);
    const auto dy = support::random_values<T>(n, -1, 1, c + 1);
    const auto gamma = support::random_values<T>(c, 0.5, 1.5, c + 2), beta = support::random_values<T>(c, -1, 1, 3);
    const auto exact_x = support::as_exact(x), exact_dy = support::as_exact(dy), exact_gamma = support::as_exact(gamma),
               exact_beta = support::as_exact(beta);
    std::vector<Exact> y(n), mean(rows * s.groups), rstd(mean.size()), dx(n), dgamma(c, Exact(0.25)),
        dbeta(c, Exact(-0.5));
    kernels::reference::group_norm<Exact>(rows, s, exact_x.data(), exact_gamma.data(), exact_beta.data(),
                                          static_cast<Exact>(T(1e-3)), y.data(), mean.data(), rstd.data());
    kernels::reference::group_norm_gradient(rows, s, exact_x.data(), exact_gamma.data(), mean.data(), rstd.data(),
                                            exact_dy.data(), dx.data(), dgamma.data(), dbeta.data());

    Guarded<T> got_y(n, 1), got_mean(mean.size(), 2), got_rstd(mean.size(), 3), got_dx(n, 4), got_dgamma(c, 5),
        got_dbeta(c, 6), sums(rows * 2 * c, 7), scratch(4 * c, 8), small(2 * c, 9);
    const auto worst = [](const Guarded<T>& got, const std::vector<Exact>& want) {
        double most = 0;
        for (std::size_t i = 0; i < got.size(); ++i) {
            const Exact size = std::fmax(Exact(1), std::fabs(want[i]));
            const auto error = static_cast<double>(std::fabs(static_cast<Exact>(got[i]) - want[i]) / size);
            if (!(error <= most)) most = error;
        }
        return most / static_cast<double>(std::numeric_limits<T>::epsilon());
    };
    kernels::group_norm(rows, s, x.data(), gamma.data(), beta.data(), T(1e-3), got_y.data(), got_mean.data(),
                        got_rstd.data(), small.data());
    // An error of the mean is one of its own size, several epsilon; rstd is up to 32 (1 / sqrt(1e-3)) and multiplies it.
    const double few = s.positions * s.width() < 4 ? 32 : 4, bound = 40 * (1 + offset) * few;
    CHECK(got_y.intact());
    CHECK(got_mean.intact());
    CHECK(got_rstd.intact());
    CHECK(small.intact());
    CHECK(worst(got_mean, mean) <= 4 + std::sqrt(static_cast<double>(s.size())));
    CHECK(worst(got_y, y) <= bound);

    for (std::size_t i = 0; i < c; ++i) {
        got_dgamma[i] = T(0.25);
        got_dbeta[i] = T(-0.5);
    }
    const auto backward = [&](T* target) {
        kernels::group_norm_gradient(rows, s, x.data(), gamma.data(), got_mean.data(), got_rstd.data(), dy.data(),
                                     target, sums.data(), scratch.data());
    };
    backward(got_dx.data());
    const std::size_t half = c / 2;
    kernels::group_norm_parameter_gradient(rows, c, sums.data(), got_dgamma.data(), got_dbeta.data(), 0, half);
    kernels::group_norm_parameter_gradient(rows, c, sums.data(), got_dgamma.data(), got_dbeta.data(), half, c);
    CHECK(got_dx.intact());
    CHECK(got_dgamma.intact());
    CHECK(got_dbeta.intact());
    CHECK(sums.intact());
    CHECK(scratch.intact());
    CHECK(worst(got_dx, dx) <= bound * (few > 4 ? 32 : 1));
    CHECK(worst(got_dgamma, dgamma) <= bound);
    CHECK(worst(got_dbeta, dbeta) <= 8 * std::sqrt(static_cast<double>(s.positions)));

    // In place, forward and backward; and without the input gradient.
    Guarded<T> in_place(n, 7);
    for (std::size_t i = 0; i < n; ++i) in_place[i] = x[i];
    kernels::group_norm(rows, s, in_place.data(), gamma.data(), beta.data(), T(1e-3), in_place.data(), nullptr, nullptr,
                        small.data());
    CHECK(std::vector<T>(in_place.begin(), in_place.end()) == std::vector<T>(got_y.begin(), got_y.end()));
    for (std::size_t i = 0; i < n; ++i) in_place[i] = dy[i];
    kernels::group_norm_gradient(rows, s, x.data(), gamma.data(), got_mean.data(), got_rstd.data(), in_place.data(),
                                 in_place.data(), sums.data(), scratch.data());
    CHECK(std::vector<T>(in_place.begin(), in_place.end()) == std::vector<T>(got_dx.begin(), got_dx.end()));
    const std::vector<T> kept(sums.begin(), sums.end());
    backward(nullptr);
    CHECK(std::vector<T>(sums.begin(), sums.end()) == kept);
}

}  // namespace

TEST_CASE_TEMPLATE("values and gradients of the twin", T, float, double)
{
    for (const double offset : {0.0, 100.0})
        for (const auto& s : {kernels::GroupShape{1, 1, 1},
                              {1, 17, 1},
                              {1, 6, 3},
                              {5, 1, 1},
                              {7, 3, 3},
                              {12, 8, 2},
                              {70, 17, 17},
                              {9, 33, 11},
                              {4, 65, 5},
                              {131, 20, 4},
                              {3, 64, 1}})
            agree<T>(s, offset);
}

TEST_CASE("one group of a flat input is LayerNorm, and the files name it as Keras does")
{
    using One = Network<Input<13>, GroupNorm<Groups<1>>>;
    using Layer = Network<Input<13>, LayerNorm>;
    Model<One> one{Seed{2}};
    Model<Layer> layer{Seed{2}};
    Random random{Seed{3}};
    Tensor<float, Shape<13>> x;
    for (float& value : x) value = static_cast<float>(random.normal());
    for (std::size_t s = 0; s < 2; ++s)
        for (std::size_t i = 0; i < 13; ++i)
            layer.parameters().logical(layer.parameters().slots()[s], i) = one.parameters().logical(
                one.parameters().slots()[s], i) = static_cast<float>(random.normal());
    const auto a = one.predict(x), b = layer.predict(x);
    for (std::size_t i = 0; i < 13; ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-5));
    CHECK(detail::slot_name(one.parameters().slots()[0]) == "group_normalization_1/gamma");
    CHECK(detail::slot_name(one.parameters().slots()[1]) == "group_normalization_1/beta");
}

TEST_CASE("a sample's values do not depend on its neighbours")
{
    using Net = Network<Input<3, 4, 10>, GroupNorm<Groups<5>>, ReLU>;
    const Model<Net> model{Seed{2}};
    std::vector<float> x(7 * 120), y(x.size());
    Random random{Seed{3}};
    for (float& value : x) value = static_cast<float>(random.normal());
    Session<Net, Rows<3>> session{model.parameters()};
    session.run(x, y);
    for (std::size_t r = 0; r < 7; ++r) {
        const auto alone = model.predict(TensorView<const float, Shape<3, 4, 10>>{x.data() + r * 120});
        for (std::size_t i = 0; i < 120; ++i) REQUIRE(alone[i] == y[r * 120 + i]);
    }
}
