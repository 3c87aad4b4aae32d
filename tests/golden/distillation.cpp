// SPDX-License-Identifier: BSL-1.0
// Every term of distillation, its value and gradient, against PyTorch: at three temperatures, at large logits, for one row.
#include "data/distillation.hpp"
#include "sequence.hpp"

#include <tenon/distillation.hpp>
#include <tenon/losses/mean_squared_error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace tenon;
using namespace tenon::distillation;
namespace expected = golden::distillation;

namespace {

constexpr std::size_t rows = 6, columns = 10;
const std::vector<std::int32_t> labels = golden::labels(42, rows, columns);

// |a - e| relative to the largest of the expected, so that small gradients beside large ones count as what they are.
template <class T, class Term>
void compare(const Term& term, double scale, std::size_t count, double value, const double* gradient, double tolerance)
{
    std::vector<T> y = golden::draws<T>(40, rows * columns, scale),
                   teacher = golden::draws<T>(41, rows * columns, scale);
    std::vector<T> dy(count * columns), half(count * columns);
    const auto run = [&](T* to, T factor) {
        return term.template operator()<Shape<columns>>(
            count, static_cast<const T*>(y.data()), static_cast<const T*>(teacher.data()), labels.data(), to, factor);
    };
    const double own = run(dy.data(), T(1));
    CHECK(std::abs(own - value) <= tolerance * std::max(1.0, std::abs(value)));
    CHECK(run(nullptr, T(1)) == own);
    CHECK(run(half.data(), T(0.5)) == own);
    double worst = 0, largest = 1e-3;
    for (std::size_t i = 0; i < count * columns; ++i) {
        largest = std::max(largest, std::abs(gradient[i]));
        worst = std::max(worst, std::abs(static_cast<double>(dy[i]) - gradient[i]));
        CHECK(std::abs(static_cast<double>(half[i]) - static_cast<double>(dy[i]) / 2) <= tolerance * largest);
    }
    CHECK(worst <= tolerance * largest);
}

// To 1e-5 in float and 1e-9 in double.
template <class Term, std::size_t N>
void check(const char* name, const Term& term, double scale, const double (&value)[1], const double (&gradient)[N])
{
    CAPTURE(name);
    CAPTURE(scale);
    compare<double>(term, scale, N / columns, value[0], gradient, 1e-9);
    compare<float>(term, scale, N / columns, value[0], gradient, 1e-5);
}

}  // namespace

// Three cases of one term: logits to ±4, to ±100, and one row.
#define CHECK_TERM(name, ...)                                                                    \
    check(#name, __VA_ARGS__, 4.0, expected::name##_value, expected::name##_gradient);           \
    check(#name, __VA_ARGS__, 100.0, expected::name##_100_value, expected::name##_100_gradient); \
    check(#name, __VA_ARGS__, 4.0, expected::name##_row_value, expected::name##_row_gradient)

TEST_CASE("soft targets follow the formula")
{
    CHECK_TERM(soft_1, SoftTargets{.temperature = 1});
    CHECK_TERM(soft_4, SoftTargets{});
    CHECK_TERM(soft_20, SoftTargets{.temperature = 20});
}

TEST_CASE("binary soft targets follow the formula")
{
    CHECK_TERM(binary_1, BinarySoftTargets{.temperature = 1});
    CHECK_TERM(binary_4, BinarySoftTargets{});
    CHECK_TERM(binary_20, BinarySoftTargets{.temperature = 20});
}

TEST_CASE("squared differences follow the formula")
{
    CHECK_TERM(mean_squared, distillation::MeanSquaredError{});
    CHECK_TERM(logit_mean_squared, LogitMeanSquaredError{});
    CHECK_TERM(logit_mean_squared, MatchOutputs{tenon::MeanSquaredError{}});
}

TEST_CASE("decoupled distillation follows the formula")
{
    CHECK_TERM(decoupled_1, Decoupled{.temperature = 1});
    CHECK_TERM(decoupled_4, Decoupled{});
    CHECK_TERM(decoupled_20, Decoupled{.temperature = 20});
    CHECK_TERM(decoupled_weighted, Decoupled{.alpha = 0.5, .beta = 3, .temperature = 2});
}

TEST_CASE("DIST follows the formula")
{
    CHECK_TERM(dist_1, Dist{});
    CHECK_TERM(dist_4, Dist{.temperature = 4});
    CHECK_TERM(dist_20, Dist{.temperature = 20});
    CHECK_TERM(dist_weighted, Dist{.beta = 2, .gamma = 0.5});
}

TEST_CASE("standardised logits follow the formula")
{
    CHECK_TERM(standardized_soft, Standardized{SoftTargets{.temperature = 2}});
    CHECK_TERM(standardized_decoupled, Standardized{Decoupled{.temperature = 2}});
}
