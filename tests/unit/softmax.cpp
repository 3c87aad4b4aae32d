// SPDX-License-Identifier: BSL-1.0
// Softmax, its logarithm and their gradients against their naive twins in extended precision, for every awkward number of columns.
#include <tenon/kernels/reference/softmax.hpp>
#include <tenon/kernels/softmax.hpp>

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

// Largest |got - expected| / max(scale, |expected|), in units of T's epsilon.
template <class T>
double worst(const Guarded<T>& got, const std::vector<Exact>& expected, double scale)
{
    double most = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const Exact size = std::max(static_cast<Exact>(scale), std::abs(expected[i]));
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
    void (*softmax)(std::size_t, const T*, T*);
    void (*log_softmax)(std::size_t, const T*, T*);
    void (*softmax_gradient)(std::size_t, const T*, const T*, T*);
    void (*log_softmax_gradient)(std::size_t, const T*, const T*, T*);
    kernels::LogSumExp<T> (*log_sum_exp)(const T*, T*);

    template <std::size_t Columns>
    static constexpr Kernels of()
    {
        return {Columns,
                kernels::softmax<Columns, T>,
                kernels::log_softmax<Columns, T>,
                kernels::softmax_gradient<Columns, T>,
                kernels::log_softmax_gradient<Columns, T>,
                kernels::log_sum_exp<Columns, T>};
    }
};

// Every function once, on logits spread over ±range.
template <class T>
void agree(const Kernels<T>& kernel, double range)
{
    const std::size_t columns = kernel.columns, rows = 3, n = rows * columns;
    CAPTURE(columns);
    CAPTURE(range);
    const auto x = random_values<T>(n, -range, range, columns), dy = random_values<T>(n, -1, 1, columns + 7);
    const auto exact_x = as_exact(x), exact_dy = as_exact(dy);
    std::vector<Exact> expected(n), expected_dx(n);
    // Rounding x - maximum costs up to epsilon/2 · the distance, where the probability has not vanished anyhow.
    const double spread = 4 + std::min(2 * range, 90.0);

    Guarded<T> y(n, 1), dx(n, 2);
    kernel.softmax(rows, x.data(), y.data());
    kernels::reference::softmax(rows, columns, exact_x.data(), expected.data());
    CHECK(y.intact());
    CHECK(worst(y, expected, static_cast<double>(std::numeric_limits<T>::min()) / epsilon<T>) <= spread);
    kernel.softmax_gradient(rows, y.data(), dy.data(), dx.data());
    kernels::reference::softmax_gradient(rows, columns, as_exact(y).data(), exact_dy.data(), expected_dx.data());
    CHECK(dx.intact());
    CHECK(worst(dx, expected_dx, 1) <= 8);

    Guarded<T> in_place(n, 3);
    for (std::size_t i = 0; i < n; ++i) in_place[i] = dy[i];
    kernel.softmax_gradient(rows, y.data(), in_place.data(), in_place.data());
    CHECK(worst(in_place, as_exact(dx), 1) == 0);
    for (std::size_t i = 0; i < n; ++i) in_place[i] = x[i];
    kernel.softmax(rows, in_place.data(), in_place.data());
    CHECK(worst(in_place, as_exact(y), 1) == 0);

    kernel.log_softmax(rows, x.data(), y.data());
    kernels::reference::log_softmax(rows, columns, exact_x.data(), expected.data());
    CHECK(y.intact());
    CHECK(worst(y, expected, 1) <= 4);
    kernel.log_softmax_gradient(rows, y.data(), dy.data(), dx.data());
    kernels::reference::log_softmax_gradient(rows, columns, as_exact(y).data(), exact_dy.data(), expected_dx.data());
    CHECK(dx.intact());
    // Σ dy is as large as the number of columns.
    CHECK(worst(dx, expected_dx, 1) <= 8 + static_cast<double>(columns) / 8);
    for (std::size_t i = 0; i < n; ++i) in_place[i] = dy[i];
    kernel.log_softmax_gradient(rows, y.data(), in_place.data(), in_place.data());
    CHECK(worst(in_place, as_exact(dx), 1) == 0);

    const auto lse = kernel.log_sum_exp(x.data(), in_place.data());
    const Exact expected_lse = kernels::reference::log_sum_exp(columns, exact_x.data());
    CHECK(std::abs(static_cast<Exact>(lse.value()) - expected_lse) <=
          4 * epsilon<T> * std::max(Exact(1), std::abs(expected_lse)));
    CHECK(kernel.log_sum_exp(x.data(), nullptr).log_sum == lse.log_sum);
    kernel.softmax(rows, x.data(), y.data());
    for (std::size_t i = 0; i < columns; ++i)
        if (in_place[i] != y[i]) FAIL("log_sum_exp writes another softmax");
}

}  // namespace

TEST_CASE_TEMPLATE("softmax and its relatives agree with their twins", T, float, double)
{
    support::for_each_size([]<std::size_t Columns>() {
        constexpr auto kernel = Kernels<T>::template of<Columns>();
        agree(kernel, 3);
        agree(kernel, 1e4);
    });
}

TEST_CASE_TEMPLATE("softmax is stable, and infinities have their limits", T, float, double)
{
    constexpr T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    T y[5];

    const T large[5] = {T(1e4), T(-1e4), T(1e4), T(0), T(-1e4)};
    kernels::softmax<5>(1, large, y);
    CHECK(y[0] == T(0.5));
    CHECK(y[1] == T(0));
    CHECK(y[2] == T(0.5));
    kernels::log_softmax<5>(1, large, y);
    CHECK(y[1] == doctest::Approx(-20000.6931472));
    const auto lse = kernels::log_sum_exp<5>(large);
    CHECK(lse.maximum == T(1e4));
    CHECK(lse.log_sum == doctest::Approx(0.69314718056));

    const T huge[5] = {std::numeric_limits<T>::max(), std::numeric_limits<T>::lowest(), T(0), T(0), T(0)};
    kernels::softmax<5>(1, huge, y);
    CHECK(y[0] == T(1));
    CHECK(y[1] == T(0));

    const T masked[5] = {-infinity, T(1), -infinity, T(1), -infinity};
    kernels::softmax<5>(1, masked, y);
    CHECK(y[0] == T(0));
    CHECK(y[1] == T(0.5));
    kernels::log_softmax<5>(1, masked, y);
    CHECK(y[0] == -infinity);
    CHECK(y[3] == doctest::Approx(-0.69314718056));
    const T dy[5] = {T(1), T(1), T(0), T(0), T(0)};
    T dx[5];
    kernels::log_softmax_gradient<5>(1, y, dy, dx);
    CHECK(dx[0] == T(1));
    CHECK(dx[1] == doctest::Approx(0.0));

    const T broken[5] = {T(1), nan, T(2), T(3), T(4)};
    kernels::softmax<5>(1, broken, y);
    for (const T value : y) CHECK(std::isnan(value));
    const T nothing[5] = {-infinity, -infinity, -infinity, -infinity, -infinity};
    kernels::softmax<5>(1, nothing, y);
    for (const T value : y) CHECK(std::isnan(value));
}

TEST_CASE_TEMPLATE("each row stands for itself: splitting rows gives the same bits", T, float, double)
{
    constexpr std::size_t columns = 37, rows = 11;
    const auto x = random_values<T>(rows * columns, -5, 5, 1);
    Guarded<T> together(rows * columns), apart(rows * columns, 5);
    kernels::softmax<columns>(rows, x.data(), together.data());
    for (std::size_t r = 0; r < rows; ++r)
        kernels::softmax<columns>(1, x.data() + r * columns, apart.data() + r * columns);
    CHECK(worst(apart, as_exact(together), 1) == 0);
}

namespace {

constexpr std::array<float, 3> at_compile_time()
{
    std::array<float, 3> y{0, 0, 0};
    kernels::softmax<3>(1, y.data(), y.data());
    return y;
}
static_assert(at_compile_time()[0] > 0.33333f && at_compile_time()[0] < 0.33334f);

}  // namespace
