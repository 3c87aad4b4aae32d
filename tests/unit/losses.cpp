// SPDX-License-Identifier: BSL-1.0
// Laws that hold for every loss: gradients are derivatives, rows are independent, nothing outside the rows is touched,
// extreme outputs stay finite. tests/golden/losses.cpp compares the values.
#include <tenon/core/random.hpp>
#include <tenon/losses/binary_cross_entropy.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/huber.hpp>
#include <tenon/losses/mean_absolute_error.hpp>
#include <tenon/losses/mean_squared_error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace tenon;

namespace mine {

// A user's loss, in the user's namespace: half the squared error, with a weight for each row's sign. By hand.
struct OneSided {
    double below = 3.0;

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        double total = 0;
        for (std::size_t i = 0; i < rows * Output::size; ++i) {
            const T error = y[i] - static_cast<T>(target[i]);
            const T weight = error < T(0) ? static_cast<T>(below) : T(1);
            total += 0.5 * static_cast<double>(weight * error * error);
            if (dy != nullptr) dy[i] = scale * weight * error;
        }
        return total;
    }
};

// The same idea with tenon's loop: log(cosh(error)).
struct LogCosh {
    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        return mean_over_outputs<Output>(rows, y, target, dy, scale, []<class V>(V output, V wanted) {
            using S = typename V::value_type;
            const V error = output - wanted, e = kernels::exp(V(S(-2)) * abs(error));
            const V loss = abs(error) + kernels::log1p(e) - V(static_cast<S>(0.69314718055994531));
            return LossAndSlope<V>{loss, copy_sign((V(S(1)) - e) / (V(S(1)) + e), error)};
        });
    }
};

}  // namespace mine

namespace {

template <class T>
std::vector<T> random_values(std::size_t count, std::uint64_t stream, double range)
{
    Random random{Seed{11}, stream};
    std::vector<T> values(count);
    for (T& value : values) value = static_cast<T>(range * (2 * random.uniform() - 1));
    return values;
}

std::vector<std::int32_t> random_labels(std::size_t rows, std::size_t classes)
{
    Random random{Seed{12}, classes};
    std::vector<std::int32_t> labels(rows);
    for (auto& label : labels) label = static_cast<std::int32_t>(random.below(classes));
    return labels;
}

// Rows of positive numbers that need not sum to 1.
std::vector<double> random_shares(std::size_t count)
{
    std::vector<double> shares = random_values<double>(count, 3, 0.5);
    for (double& share : shares) share += 0.5;
    return shares;
}

// dy against central differences in double. Worst relative error, gradients being of order 1.
template <class Output, class Loss, class Target>
void gradient_is_derivative(const Loss& loss, std::size_t rows, const std::vector<Target>& target)
{
    std::vector<double> y = random_values<double>(rows * Output::size, 5, 3.0), dy(y.size());
    const double scale = 0.37, h = 1e-5;
    loss_sum<Output>(loss, rows, y.data(), target.data(), dy.data(), scale);
    double worst = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        const double kept = y[i];
        y[i] = kept + h;
        const double above = loss_sum<Output>(loss, rows, y.data(), target.data());
        y[i] = kept - h;
        const double below = loss_sum<Output>(loss, rows, y.data(), target.data());
        y[i] = kept;
        const double numeric = scale * (above - below) / (2 * h);
        worst = std::max(worst, std::abs(dy[i] - numeric) / std::max(1.0, std::abs(numeric)));
    }
    CHECK(worst < 1e-8);
}

template <class Output>
void gradients_are_derivatives()
{
    constexpr std::size_t rows = 3;
    const auto real = random_values<double>(rows * Output::size, 4, 3.0);
    const auto shares = random_shares(rows * Output::size);
    gradient_is_derivative<Output>(MeanSquaredError{}, rows, real);
    gradient_is_derivative<Output>(MeanAbsoluteError{}, rows, real);
    gradient_is_derivative<Output>(Huber{.delta = 0.7}, rows, real);
    gradient_is_derivative<Output>(mine::OneSided{}, rows, real);
    gradient_is_derivative<Output>(mine::LogCosh{}, rows, real);
    gradient_is_derivative<Output>(BinaryCrossEntropy{}, rows, shares);
    gradient_is_derivative<Output>(BinaryCrossEntropy{.label_smoothing = 0.3}, rows, shares);
    if constexpr (Output::rank == 1) {
        const auto labels = random_labels(rows, Output::size);
        gradient_is_derivative<Output>(CrossEntropy{}, rows, labels);
        gradient_is_derivative<Output>(CrossEntropy{.label_smoothing = 0.2}, rows, labels);
        gradient_is_derivative<Output>(CrossEntropy{}, rows, shares);
        gradient_is_derivative<Output>(CrossEntropy{.label_smoothing = 0.2}, rows, shares);
    }
}

// float against double, canaries around the rows, and each row alone against all at once.
template <class Output, class Loss, class Target>
void rows_are_independent(const Loss& loss, const std::vector<Target>& target, std::size_t target_size)
{
    constexpr std::size_t rows = 4, size = Output::size, margin = 20;
    const float canary = 77.0f;
    const auto values = random_values<float>(rows * size, 6, 4.0);
    std::vector<float> y(values.size() + 2 * margin, std::numeric_limits<float>::quiet_NaN()),
        dy(values.size() + 2 * margin, canary);
    std::copy(values.begin(), values.end(), y.begin() + margin);
    const double all = loss_sum<Output>(loss, rows, y.data() + margin, target.data(), dy.data() + margin, 0.5f);
    for (std::size_t i = 0; i < margin; ++i) {
        CHECK(dy[i] == canary);
        CHECK(dy[dy.size() - 1 - i] == canary);
    }
    double sum = 0;
    for (std::size_t r = 0; r < rows; ++r) {
        std::vector<float> own(size);
        sum += loss_sum<Output>(loss, 1, values.data() + r * size, target.data() + r * target_size, own.data(), 0.5f);
        for (std::size_t i = 0; i < size; ++i) CHECK(own[i] == dy[margin + r * size + i]);
    }
    CHECK(sum == all);

    const std::vector<double> exact(values.begin(), values.end());
    std::vector<double> gradient(exact.size());
    CHECK(
        all ==
        doctest::Approx(loss_sum<Output>(loss, rows, exact.data(), target.data(), gradient.data(), 0.5)).epsilon(1e-6));
    double worst = 0;
    for (std::size_t i = 0; i < gradient.size(); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(dy[margin + i]) - gradient[i]));
    CHECK(worst < 1e-6);
}

template <std::size_t Size>
void rows_are_independent()
{
    using Output = Shape<Size>;
    const auto real = random_values<float>(4 * Size, 7, 4.0);
    std::vector<float> shares;
    for (const double share : random_shares(4 * Size)) shares.push_back(static_cast<float>(share));
    rows_are_independent<Output>(MeanSquaredError{}, real, Size);
    rows_are_independent<Output>(MeanAbsoluteError{}, real, Size);
    rows_are_independent<Output>(Huber{}, real, Size);
    rows_are_independent<Output>(BinaryCrossEntropy{}, shares, Size);
    rows_are_independent<Output>(CrossEntropy{.label_smoothing = 0.1}, random_labels(4, Size), 1);
    rows_are_independent<Output>(CrossEntropy{.label_smoothing = 0.1}, shares, Size);
    rows_are_independent<Output>(mine::LogCosh{}, real, Size);
}

template <class Loss, class Target>
void check_row(const Loss& loss, const std::vector<float>& y, const std::vector<Target>& target, double value,
               const std::vector<float>& gradient)
{
    std::vector<float> dy(3);
    CHECK(loss_sum<Shape<3>>(loss, 1, y.data(), target.data(), dy.data()) == doctest::Approx(value).epsilon(1e-6));
    for (std::size_t i = 0; i < 3; ++i) CHECK(dy[i] == doctest::Approx(gradient[i]).epsilon(1e-6));
}

constexpr float infinity = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("gradients are derivatives")
{
    gradients_are_derivatives<Shape<1>>();
    gradients_are_derivatives<Shape<2>>();
    gradients_are_derivatives<Shape<10>>();
    gradients_are_derivatives<Shape<17>>();
    gradients_are_derivatives<Shape<3, 4, 2>>();
    gradients_are_derivatives<Shape<>>();
}

TEST_CASE("rows do not see each other or what lies around them, at any size")
{
    // Below, at and above the widths of packs (2 to 16), and several packs with and without a rest.
    rows_are_independent<1>();
    rows_are_independent<2>();
    rows_are_independent<3>();
    rows_are_independent<5>();
    rows_are_independent<8>();
    rows_are_independent<10>();
    rows_are_independent<16>();
    rows_are_independent<17>();
    rows_are_independent<100>();
}

TEST_CASE("logits of ±1e4 give finite losses and exact gradients")
{
    const std::vector<float> y{1e4f, -1e4f, 0.0f};
    check_row(CrossEntropy{}, y, std::vector<std::int32_t>{0}, 0, {0, 0, 0});
    check_row(CrossEntropy{}, y, std::vector<std::int32_t>{1}, 2e4, {1, -1, 0});
    check_row(CrossEntropy{}, y, std::vector<std::int32_t>{2}, 1e4, {1, 0, -1});
    check_row(CrossEntropy{}, y, std::vector<float>{0.0f, 1.0f, 0.0f}, 2e4, {1, -1, 0});
    check_row(CrossEntropy{.label_smoothing = 0.3}, y, std::vector<std::int32_t>{0}, 0.1 * 3e4, {0.2f, -0.1f, -0.1f});
    const float third = 1.0f / 3;
    check_row(BinaryCrossEntropy{}, y, std::vector<float>{1.0f, 0.0f, 0.5f}, std::log(2.0) / 3, {0, 0, 0});
    check_row(BinaryCrossEntropy{}, y, std::vector<float>{0.0f, 1.0f, 1.0f}, (2e4 + std::log(2.0)) / 3,
              {third, -third, -third / 2});
    check_row(MeanSquaredError{}, y, std::vector<float>{0.0f, 0.0f, 0.0f}, 2e8 / 3, {2e4f / 3, -2e4f / 3, 0});
    check_row(Huber{}, y, std::vector<float>{0.0f, 0.0f, 0.0f}, 2 * 9999.5 / 3, {third, -third, 0});
}

TEST_CASE("a class that is ruled out costs nothing unless it is the target")
{
    const std::vector<float> y{0.0f, -infinity, 0.0f};
    check_row(CrossEntropy{}, y, std::vector<std::int32_t>{0}, std::log(2.0), {-0.5f, 0.0f, 0.5f});
    check_row(CrossEntropy{}, y, std::vector<float>{1.0f, 0.0f, 0.0f}, std::log(2.0), {-0.5f, 0.0f, 0.5f});
    const std::int32_t ruled_out = 1;
    CHECK(loss_sum<Shape<3>>(CrossEntropy{}, 1, y.data(), &ruled_out) == static_cast<double>(infinity));
}

TEST_CASE("NaN outputs give a NaN loss")
{
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> y{0.0f, nan, 1.0f}, target{0.0f, 1.0f, 0.0f};
    const std::int32_t label = 0;
    CHECK(std::isnan(loss_sum<Shape<3>>(CrossEntropy{}, 1, y.data(), &label)));
    CHECK(std::isnan(loss_sum<Shape<3>>(CrossEntropy{}, 1, y.data(), target.data())));
    CHECK(std::isnan(loss_sum<Shape<3>>(BinaryCrossEntropy{}, 1, y.data(), target.data())));
    CHECK(std::isnan(loss_sum<Shape<3>>(MeanSquaredError{}, 1, y.data(), target.data())));
    CHECK(std::isnan(loss_sum<Shape<3>>(MeanAbsoluteError{}, 1, y.data(), target.data())));
    CHECK(std::isnan(loss_sum<Shape<3>>(Huber{}, 1, y.data(), target.data())));
}

TEST_CASE("a label outside the classes is an error that names it")
{
    const std::vector<float> y(6);
    for (const std::int32_t wrong : {3, -1, std::numeric_limits<std::int32_t>::max()}) {
        const std::vector<std::int32_t> labels{2, wrong};
        const std::string sentence = "tenon: CrossEntropy: row 1 of the batch: expected a label from 0 to 2, found " +
                                     std::to_string(wrong);
        CHECK_THROWS_WITH_AS(loss_sum<Shape<3>>(CrossEntropy{}, 2, y.data(), labels.data()), sentence.c_str(), Error);
    }
}

TEST_CASE("MeanAbsoluteError and Huber at their kinks")
{
    const std::vector<float> y{1.0f, 2.0f, 3.0f}, target{1.0f, 1.0f, 4.0f};
    check_row(MeanAbsoluteError{}, y, target, 2.0 / 3, {0.0f, 1.0f / 3, -1.0f / 3});
    check_row(Huber{}, y, target, 1.0 / 3, {0.0f, 1.0f / 3, -1.0f / 3});
}

TEST_CASE("losses of logits name the layers that they absorb")
{
    static_assert(absorbs<CrossEntropy, Softmax>() && absorbs<CrossEntropy, LogSoftmax>());
    static_assert(!absorbs<CrossEntropy, Sigmoid>() && !absorbs<CrossEntropy, ReLU>());
    static_assert(absorbs<BinaryCrossEntropy, Sigmoid>() && !absorbs<BinaryCrossEntropy, Softmax>());
    static_assert(!absorbs<MeanSquaredError, Softmax>() && !absorbs<mine::OneSided, Sigmoid>());
    CHECK(CrossEntropy::accepts_logits);
}
