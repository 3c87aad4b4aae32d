// SPDX-License-Identifier: BSL-1.0
// Element-wise loops and reductions against their naive twins in extended precision, for every awkward length.
#include <tenon/kernels/activations.hpp>
#include <tenon/kernels/elementwise.hpp>
#include <tenon/kernels/reduce.hpp>
#include <tenon/kernels/reference/activations.hpp>
#include <tenon/kernels/reference/elementwise.hpp>
#include <tenon/kernels/reference/reduce.hpp>

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

std::vector<std::size_t> lengths()
{
    std::vector<std::size_t> all{0};
    for (std::size_t n = 1; n <= 65; ++n) all.push_back(n);
    all.insert(all.end(), {783, 785, 4095, 4097, 10001});
    return all;
}

template <class T>
double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());

// Within `ulps` of each expected value, and nothing else touched.
template <class T>
void check_equal(const Guarded<T>& got, const std::vector<Exact>& expected, double ulps, double floor = 0)
{
    CHECK(got.intact());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < got.size(); ++i)
        wrong += !(std::abs(static_cast<Exact>(got[i]) - expected[i]) <=
                   ulps * epsilon<T> * std::max(std::abs(expected[i]), static_cast<Exact>(floor)));
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("element-wise loops agree with their twins", T, float, double)
{
    for (const std::size_t n : lengths()) {
        CAPTURE(n);
        const auto x = random_values<T>(n, -4, 4, n), other = random_values<T>(n, -4, 4, n + 1);
        const auto exact_x = as_exact(x);

        Guarded<T> y(n, n + 2);
        kernels::copy(n, x.data(), y.data());
        check_equal(y, exact_x, 0);
        kernels::fill(n, T(0.5), y.data());
        check_equal(y, std::vector<Exact>(n, Exact(0.5)), 0);

        std::vector<Exact> expected = as_exact(other);
        kernels::copy(n, other.data(), y.data());
        kernels::add(n, x.data(), y.data());
        kernels::reference::add(n, exact_x.data(), expected.data());
        check_equal(y, expected, 1, 4);
        kernels::add(n, x.data(), other.data(), y.data());
        check_equal(y, expected, 1, 4);

        expected = as_exact(other);
        kernels::copy(n, other.data(), y.data());
        kernels::multiply(n, x.data(), y.data());
        kernels::reference::multiply(n, exact_x.data(), expected.data());
        check_equal(y, expected, 1);
        kernels::multiply(n, x.data(), other.data(), y.data());
        check_equal(y, expected, 1);

        expected = as_exact(other);
        kernels::copy(n, other.data(), y.data());
        kernels::axpy(n, T(-0.75), x.data(), y.data());
        kernels::reference::axpy<Exact>(n, -0.75, exact_x.data(), expected.data());
        check_equal(y, expected, 1, 4);

        kernels::scale(n, T(3), x.data(), y.data());
        kernels::reference::map(n, exact_x.data(), expected.data(), [](Exact a) { return 3 * a; });
        check_equal(y, expected, 1);
        kernels::copy(n, x.data(), y.data());
        kernels::scale(n, T(3), y.data());
        check_equal(y, expected, 1);
    }
}

TEST_CASE_TEMPLATE("map and map_gradient agree with their twins, also in place", T, float, double)
{
    for (const std::size_t n : lengths()) {
        CAPTURE(n);
        const auto x = random_values<T>(n, -4, 4, n), dy = random_values<T>(n, -1, 1, n + 1);
        const auto exact_x = as_exact(x), exact_dy = as_exact(dy);
        std::vector<Exact> expected_y(n), expected_dx(n);
        const auto run = [&](auto kernel, auto reference) {
            Guarded<T> y(n, n + 2), dx(n, n + 3), in_place(n, n + 4);
            kernels::map(n, x.data(), y.data(), kernel);
            kernels::reference::map(n, exact_x.data(), expected_y.data(), reference);
            check_equal(y, expected_y, 8, 0.5);
            kernels::copy(n, x.data(), in_place.data());
            kernels::map(n, in_place.data(), in_place.data(), kernel);
            check_equal(in_place, as_exact(y), 0);

            kernels::map_gradient(n, x.data(), y.data(), dy.data(), dx.data(), kernel);
            kernels::reference::map_gradient(n, exact_x.data(), exact_dy.data(), expected_dx.data(), reference);
            check_equal(dx, expected_dx, 8, 1);
            kernels::copy(n, dy.data(), in_place.data());
            kernels::map_gradient(n, x.data(), y.data(), in_place.data(), in_place.data(), kernel);
            check_equal(in_place, as_exact(dx), 0);
        };
        run(kernels::Tanh{}, kernels::reference::Tanh{});
        run(kernels::SiLU{}, kernels::reference::SiLU{});
    }
}

TEST_CASE("an activation with its derivative from the output does not look at the input")
{
    const float y[3] = {0.0f, 2.0f, 0.5f}, dy[3] = {1.0f, 1.0f, 2.0f};
    float dx[3];
    kernels::map_gradient(3, static_cast<const float*>(nullptr), y, dy, dx, kernels::ReLU{});
    CHECK(dx[0] == 0.0f);
    CHECK(dx[1] == 1.0f);
    CHECK(dx[2] == 2.0f);
}

TEST_CASE_TEMPLATE("bytes become numbers", T, float, double)
{
    for (const std::size_t n : lengths()) {
        CAPTURE(n);
        Guarded<std::uint8_t> bytes(n, n);
        for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 + 250);
        std::vector<Exact> expected(n);
        Guarded<T> y(n, n + 1);
        kernels::from_bytes(n, bytes.data(), T(1) / T(255), T(0), y.data());
        kernels::reference::from_bytes<Exact>(n, bytes.data(), T(1) / T(255), 0, expected.data());
        check_equal(y, expected, 1);
        kernels::from_bytes(n, bytes.data(), T(2), T(-1), y.data());
        kernels::reference::from_bytes<Exact>(n, bytes.data(), 2, -1, expected.data());
        check_equal(y, expected, 0);
    }
}

TEST_CASE_TEMPLATE("sums, products and maxima agree with their twins", T, float, double)
{
    for (const std::size_t n : lengths()) {
        CAPTURE(n);
        const auto x = random_values<T>(n, -4, 4, n), y = random_values<T>(n, -4, 4, n + 1);
        const auto exact_x = as_exact(x), exact_y = as_exact(y);
        Exact magnitude = 0, products = 0;
        for (std::size_t i = 0; i < n; ++i) {
            magnitude += std::abs(exact_x[i]);
            products += std::abs(exact_x[i] * exact_y[i]);
        }
        // Stretches of 4096 values in four chains of one lane at worst: 1024 roundings.
        const Exact terms = static_cast<Exact>(std::min<std::size_t>(n, 1100)) * epsilon<T>;
        const Exact sum = kernels::sum(n, x.data()), dot = kernels::dot(n, x.data(), y.data());
        CHECK(std::abs(sum - kernels::reference::sum(n, exact_x.data())) <= terms * magnitude);
        CHECK(std::abs(dot - kernels::reference::dot(n, exact_x.data(), exact_y.data())) <= terms * products);
        CHECK(kernels::sum_of_squares(n, x.data()) == kernels::dot(n, x.data(), x.data()));
        if (n == 0) continue;
        const std::size_t best = kernels::reference::argmax(n, exact_x.data());
        CHECK(kernels::argmax(n, x.data()) == best);
        CHECK(kernels::maximum(n, x.data()) == x[best]);
        // The same bits wherever the block lies.
        const auto moved = support::exact(x);
        CHECK(kernels::sum(n, moved.get()) == kernels::sum(n, x.data()));
    }
}

TEST_CASE_TEMPLATE("argmax takes the first maximum and passes over NaN", T, float, double)
{
    constexpr T nan = std::numeric_limits<T>::quiet_NaN(), infinity = std::numeric_limits<T>::infinity();
    for (const std::size_t n : {std::size_t{3}, std::size_t{17}, std::size_t{40}}) {
        std::vector<T> x(n, T(1));
        CHECK(kernels::argmax(n, x.data()) == 0);
        x[2] = T(2);
        x[n - 1] = T(2);
        CHECK(kernels::argmax(n, x.data()) == 2);
        x[1] = nan;
        CHECK(kernels::argmax(n, x.data()) == 2);
        CHECK(kernels::maximum(n, x.data()) == T(2));
        x[n - 1] = infinity;
        CHECK(kernels::argmax(n, x.data()) == n - 1);
        x.assign(n, -infinity);
        CHECK(kernels::argmax(n, x.data()) == 0);
        x.assign(n, nan);
        CHECK(kernels::argmax(n, x.data()) == 0);
        CHECK(kernels::maximum(n, x.data()) == -infinity);
    }
    CHECK(kernels::argmax(0, static_cast<const T*>(nullptr)) == 0);
}

namespace {

constexpr std::array<float, 5> at_compile_time()
{
    const std::array<float, 5> x{-2, -1, 0, 1, 2};
    std::array<float, 5> y{};
    kernels::map(5, x.data(), y.data(), kernels::ReLU{});
    kernels::axpy(5, 2, x.data(), y.data());
    kernels::add(5, x.data(), y.data());
    return y;
}

static_assert(at_compile_time() == std::array<float, 5>{-6, -3, 0, 4, 8});
static_assert(kernels::sum(5, at_compile_time().data()) == 3.0);
static_assert(kernels::argmax(5, at_compile_time().data()) == 4);

}  // namespace
