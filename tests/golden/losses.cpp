// SPDX-License-Identifier: BSL-1.0
// Every loss, its value and gradient, against PyTorch.
#include "data/losses.hpp"
#include "sequence.hpp"

#include <tenon/losses/binary_cross_entropy.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/huber.hpp>
#include <tenon/losses/mean_absolute_error.hpp>
#include <tenon/losses/mean_squared_error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace tenon;
namespace data = golden::losses;

namespace {

constexpr std::size_t rows = 7, columns = 11, count = rows * columns;

template <class T, class Loss, class Target>
void compare(const Loss& loss, const std::vector<Target>& target, double scale, double value, const double* gradient,
             double tolerance)
{
    const std::vector<T> y = golden::draws<T>(20, count, scale);
    std::vector<T> dy(count);
    CHECK(loss_sum<Shape<columns>>(loss, rows, y.data(), target.data(), dy.data()) ==
          doctest::Approx(value).epsilon(tolerance));
    CHECK(loss_sum<Shape<columns>>(loss, rows, y.data(), target.data()) == doctest::Approx(value).epsilon(tolerance));
    double worst = 0;
    for (std::size_t i = 0; i < count; ++i) worst = std::max(worst, std::abs(static_cast<double>(dy[i]) - gradient[i]));
    CHECK(worst < tolerance);
}

template <class Loss, class Target>
void check(const Loss& loss, const std::vector<Target>& target, const double (&value)[1],
           const double (&gradient)[count], double scale = 4.0)
{
    compare<double>(loss, target, scale, value[0], gradient, 1e-14);
    compare<float>(loss, target, scale, value[0], gradient, 5e-7);
}

const std::vector<std::int32_t> labels = golden::labels(22, rows, columns);

std::vector<float> one_hot()
{
    std::vector<float> target(count);
    for (std::size_t r = 0; r < rows; ++r) target[r * columns + static_cast<std::size_t>(labels[r])] = 1.0f;
    return target;
}

// 1/2, 1/4, … and the last value twice, rotated by the label.
std::vector<float> probabilities()
{
    std::vector<float> target(count);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < columns; ++i)
            target[r * columns + (i + static_cast<std::size_t>(labels[r])) % columns] = std::ldexp(
                1.0f, -static_cast<int>(std::min(i + 1, columns - 1)));
    return target;
}

std::vector<float> unit()
{
    std::vector<float> target = golden::draws<float>(23, count);
    for (float& t : target) t = t * 0.5f + 0.5f;
    return target;
}

template <class T>
std::vector<T> binary()
{
    std::vector<T> target;
    for (const float t : unit()) target.push_back(static_cast<T>(std::floor(t * 2.0f)));
    return target;
}

}  // namespace

TEST_CASE("CrossEntropy of labels follows PyTorch")
{
    check(CrossEntropy{}, labels, data::cross_entropy_value, data::cross_entropy_gradient);
    check(CrossEntropy{.label_smoothing = 0.1}, labels, data::cross_entropy_smoothed_value,
          data::cross_entropy_smoothed_gradient);
    check(CrossEntropy{}, labels, data::cross_entropy_extreme_value, data::cross_entropy_extreme_gradient, 8192.0);
}

TEST_CASE("CrossEntropy of probability rows follows PyTorch")
{
    check(CrossEntropy{}, one_hot(), data::cross_entropy_value, data::cross_entropy_gradient);
    check(CrossEntropy{.label_smoothing = 0.1}, one_hot(), data::cross_entropy_smoothed_value,
          data::cross_entropy_smoothed_gradient);
    check(CrossEntropy{}, one_hot(), data::cross_entropy_extreme_value, data::cross_entropy_extreme_gradient, 8192.0);
    check(CrossEntropy{}, probabilities(), data::cross_entropy_soft_value, data::cross_entropy_soft_gradient);
    check(CrossEntropy{.label_smoothing = 0.25}, probabilities(), data::cross_entropy_soft_smoothed_value,
          data::cross_entropy_soft_smoothed_gradient);
}

TEST_CASE("BinaryCrossEntropy follows PyTorch")
{
    check(BinaryCrossEntropy{}, binary<float>(), data::binary_value, data::binary_gradient);
    check(BinaryCrossEntropy{}, binary<std::int32_t>(), data::binary_value, data::binary_gradient);
    check(BinaryCrossEntropy{}, unit(), data::binary_soft_value, data::binary_soft_gradient);
    check(BinaryCrossEntropy{.label_smoothing = 0.2}, binary<float>(), data::binary_smoothed_value,
          data::binary_smoothed_gradient);
    check(BinaryCrossEntropy{}, binary<float>(), data::binary_extreme_value, data::binary_extreme_gradient, 8192.0);
}

TEST_CASE("the losses of real targets follow PyTorch")
{
    const std::vector<float> real = golden::draws<float>(21, count, 4.0);
    check(MeanSquaredError{}, real, data::mean_squared_value, data::mean_squared_gradient);
    check(MeanAbsoluteError{}, real, data::mean_absolute_value, data::mean_absolute_gradient);
    check(Huber{}, real, data::huber_value, data::huber_gradient);
    check(Huber{.delta = 3.0}, real, data::huber_3_value, data::huber_3_gradient);
}
