// SPDX-License-Identifier: BSL-1.0
// Layer normalisation and its gradient against the naive twin in extended precision, for every awkward number of columns.
#include <tenon/kernels/normalize.hpp>
#include <tenon/kernels/reference/normalize.hpp>

#include <doctest/doctest.h>
#include <support/kernel_data.hpp>

#include <array>
#include <cmath>
#include <limits>

namespace {

using namespace tenon;
using support::as_exact;
using support::Exact;
using support::Guarded;
using support::random_values;

template <class T>
double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());

// Largest |got - expected| / max(1, |expected|), in units of T's epsilon.
template <class T>
double worst(const Guarded<T>& got, const std::vector<Exact>& expected)
{
    double most = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const Exact size = std::max(Exact(1), std::abs(expected[i]));
        const auto error = static_cast<double>(std::abs(static_cast<Exact>(got[i]) - expected[i]) / size);
        if (std::isnan(error)) return error;
        most = std::max(most, error);
    }
    return most / epsilon<T>;
}

// The functions for one number of columns: what follows is compiled once for all of them.
template <class T>
struct Kernels {
    std::size_t columns;
    void (*forward)(std::size_t, const T*, const T*, const T*, T, T*, T*, T*);
    void (*backward)(std::size_t, const T*, const T*, const T*, const T*, const T*, T*, T*, T*);

    template <std::size_t Columns>
    static constexpr Kernels of()
    {
        return {Columns, kernels::layer_norm<Columns, T>, kernels::layer_norm_gradient<Columns, T>};
    }
};

// x spread over [offset - 1, offset + 1): the further off, the more digits the mean takes.
template <class T>
void agree(const Kernels<T>& kernel, double offset)
{
    const std::size_t columns = kernel.columns, rows = 4, n = rows * columns;
    CAPTURE(columns);
    CAPTURE(offset);
    const auto x = random_values<T>(n, offset - 1, offset + 1, columns), dy = random_values<T>(n, -1, 1, columns + 1);
    const auto gamma = random_values<T>(columns, 0.5, 1.5, columns + 2), beta = random_values<T>(columns, -1, 1, 3);
    const auto exact_x = as_exact(x), exact_dy = as_exact(dy), exact_gamma = as_exact(gamma),
               exact_beta = as_exact(beta);
    std::vector<Exact> y(n), mean(rows), rstd(rows), dx(n), dgamma(columns, Exact(0.25)), dbeta(columns, Exact(-0.5));
    kernels::reference::layer_norm<Exact>(rows, columns, exact_x.data(), exact_gamma.data(), exact_beta.data(), T(1e-3),
                                          y.data(), mean.data(), rstd.data());
    kernels::reference::layer_norm_gradient(rows, columns, exact_x.data(), exact_gamma.data(), mean.data(), rstd.data(),
                                            exact_dy.data(), dx.data(), dgamma.data(), dbeta.data());

    Guarded<T> got_y(n, 1), got_mean(rows, 2), got_rstd(rows, 3), got_dx(n, 4), got_dgamma(columns, 5),
        got_dbeta(columns, 6);
    kernel.forward(rows, x.data(), gamma.data(), beta.data(), T(1e-3), got_y.data(), got_mean.data(), got_rstd.data());
    // An error of the mean is one of its own size, several epsilon; rstd is up to 32 (1 / sqrt(1e-3)) and multiplies it.
    const double bound = 40 * (1 + offset) * (columns < 4 ? 32 : 4);
    CHECK(got_y.intact());
    CHECK(got_mean.intact());
    CHECK(got_rstd.intact());
    CHECK(worst(got_mean, mean) <= 4 + std::sqrt(static_cast<double>(columns)));
    CHECK(worst(got_y, y) <= bound);

    for (std::size_t i = 0; i < columns; ++i) {
        got_dgamma[i] = T(0.25);
        got_dbeta[i] = T(-0.5);
    }
    kernel.backward(rows, x.data(), gamma.data(), got_mean.data(), got_rstd.data(), dy.data(), got_dx.data(),
                    got_dgamma.data(), got_dbeta.data());
    CHECK(got_dx.intact());
    CHECK(got_dgamma.intact());
    CHECK(got_dbeta.intact());
    CHECK(worst(got_dx, dx) <= bound * (columns < 4 ? 32 : 1));
    CHECK(worst(got_dgamma, dgamma) <= bound);
    CHECK(worst(got_dbeta, dbeta) <= 8);

    // In place forward; backward over dy, and without the input gradient.
    Guarded<T> in_place(n, 7);
    for (std::size_t i = 0; i < n; ++i) in_place[i] = x[i];
    kernel.forward(rows, in_place.data(), gamma.data(), beta.data(), T(1e-3), in_place.data(), nullptr, nullptr);
    CHECK(worst(in_place, as_exact(got_y)) == 0);
    Guarded<T> again_dgamma(columns), again_dbeta(columns);
    for (std::size_t i = 0; i < columns; ++i) {
        again_dgamma[i] = T(0.25);
        again_dbeta[i] = T(-0.5);
    }
    for (std::size_t i = 0; i < n; ++i) in_place[i] = dy[i];
    kernel.backward(rows, x.data(), gamma.data(), got_mean.data(), got_rstd.data(), in_place.data(), in_place.data(),
                    again_dgamma.data(), again_dbeta.data());
    CHECK(worst(in_place, as_exact(got_dx)) == 0);
    CHECK(worst(again_dgamma, as_exact(got_dgamma)) == 0);
    kernel.backward(rows, x.data(), gamma.data(), got_mean.data(), got_rstd.data(), dy.data(), nullptr,
                    again_dgamma.data(), again_dbeta.data());
    CHECK(again_dgamma.intact());
}

}  // namespace

TEST_CASE_TEMPLATE("layer normalisation agrees with its twin", T, float, double)
{
    support::for_each_size([]<std::size_t Columns>() {
        constexpr auto kernel = Kernels<T>::template of<Columns>();
        agree(kernel, 0);
        agree(kernel, 1000);
    });
}

TEST_CASE_TEMPLATE("a constant row becomes beta", T, float, double)
{
    const T x[3] = {T(7), T(7), T(7)}, gamma[3] = {T(2), T(2), T(2)}, beta[3] = {T(1), T(2), T(3)};
    T y[3];
    kernels::layer_norm<3>(1, x, gamma, beta, T(1e-5), y);
    for (std::size_t i = 0; i < 3; ++i) CHECK(y[i] == beta[i]);
}

namespace {

constexpr std::array<float, 4> at_compile_time()
{
    const std::array<float, 4> x{1, 2, 3, 4}, gamma{1, 1, 1, 1}, beta{0, 0, 0, 0};
    std::array<float, 4> y{};
    kernels::layer_norm<4>(1, x.data(), gamma.data(), beta.data(), 0, y.data());
    return y;
}
static_assert(at_compile_time()[0] < -1.3416f && at_compile_time()[0] > -1.3417f);

}  // namespace
