// SPDX-License-Identifier: BSL-1.0
#include <tenon/core/random.hpp>
#include <tenon/losses/binary_cross_entropy.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/training/history.hpp>
#include <tenon/training/metrics.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace tenon;

namespace {

constexpr float lost_value = std::numeric_limits<float>::quiet_NaN();

template <class Loss, class Output, class T, class Target>
std::size_t correct(const std::vector<T>& y, const std::vector<Target>& targets)
{
    return count_correct<Loss, Output>(y.size() / Output::size, y.data(), targets.data());
}

}  // namespace

TEST_CASE("what counts as right follows from the loss and the targets")
{
    static_assert(accuracy_kind<CrossEntropy, Shape<10>, std::int32_t>() == Accuracy::classes);
    static_assert(accuracy_kind<CrossEntropy, Shape<10>, float>() == Accuracy::classes);
    static_assert(accuracy_kind<BinaryCrossEntropy, Shape<1>, std::int32_t>() == Accuracy::decisions);
    static_assert(accuracy_kind<BinaryCrossEntropy, Shape<4>, float>() == Accuracy::decisions);
    static_assert(accuracy_kind<MeanSquaredError, Shape<4>, float>() == Accuracy::none);
    CHECK(std::isnan(accuracy_of<MeanSquaredError, Shape<1>, float>(0, 8)));
    CHECK(std::isnan(accuracy_of<CrossEntropy, Shape<3>, float>(0, 0)));
    CHECK(accuracy_of<CrossEntropy, Shape<3>, float>(3, 4) == 0.75);
}

TEST_CASE("classes: the largest output, the first of equals")
{
    const std::vector<float> y{1, 5, 2, /**/ 7, 7, 0, /**/ -1, -2, -3, /**/ 0, 0, 0};
    CHECK(correct<CrossEntropy, Shape<3>>(y, std::vector<std::int32_t>{1, 0, 0, 0}) == 4);
    CHECK(correct<CrossEntropy, Shape<3>>(y, std::vector<std::int32_t>{2, 1, 1, 2}) == 0);
    CHECK(correct<CrossEntropy, Shape<3>>(y, std::vector<float>{0, 1, 0, 0, 1, 0, .5f, .3f, .2f, 1, 0, 0}) == 3);
    CHECK(correct<CrossEntropy, Shape<3>>(y, std::vector<std::int32_t>{-1, 3, 0, 0}) == 2);
    const std::vector<float> lost{lost_value, lost_value, lost_value, /**/ 1, lost_value, 0, /**/ lost_value, 1, 0};
    CHECK(correct<CrossEntropy, Shape<3>>(lost, std::vector<std::int32_t>{0, 0, 1}) == 0);
    CHECK(correct<CrossEntropy, Shape<3>>(lost, std::vector<std::int32_t>{1, 1, 0}) == 0);
}

TEST_CASE("decisions: every output on its side of one half")
{
    CHECK(correct<BinaryCrossEntropy, Shape<1>>(std::vector<float>{2, -2, 0.1f, lost_value},
                                                std::vector<std::int32_t>{1, 1, 1, 0}) == 2);
    CHECK(correct<BinaryCrossEntropy, Shape<2>>(std::vector<double>{2, -1, 2, 1, -3, -4},
                                                std::vector<float>{1, 0, 1, 0, 0, 0}) == 2);
    CHECK(correct<MeanSquaredError, Shape<1>>(std::vector<float>{0.7f, 0.2f, 0.6f},
                                              std::vector<std::int32_t>{1, 0, 0}) == 2);
    CHECK(correct<MeanSquaredError, Shape<1>>(std::vector<float>{0.7f}, std::vector<float>{1}) == 0);
}

TEST_CASE("top-k")
{
    const std::vector<float> y{4, 3, 2, 1, /**/ 1, 1, 1, 1};
    const std::vector<std::int32_t> labels{2, 3};
    for (std::size_t k = 0; k <= 4; ++k)
        CHECK(count_in_top(k, 2, 4, y.data(), labels.data()) == (k >= 4 ? 2u : k >= 3 ? 1u : 0u));
    static_assert([] {
        constexpr float scores[] = {1, 3, 2};
        return rank_of(scores, 3, 0) == 2 && rank_of(scores, 3, 1) == 0;
    }());
}

TEST_CASE("confusion matrix")
{
    ConfusionMatrix<3> matrix;
    CHECK(std::isnan(matrix.accuracy()));
    const std::vector<float> y{9, 0, 0, /**/ 9, 0, 0, /**/ 0, 9, 0, /**/ 0, 9, 0};
    const std::vector<std::int32_t> labels{0, 0, 0, 1};
    matrix.add(4, y.data(), labels.data());
    CHECK(matrix(0, 0) == 2);
    CHECK(matrix(0, 1) == 1);
    CHECK(matrix(1, 0) == 0);
    CHECK(matrix.total() == 4);
    CHECK(matrix.actual(0) == 3);
    CHECK(matrix.predicted(1) == 2);
    CHECK(matrix.accuracy() == 0.75);
    CHECK(matrix.precision(1) == 0.5);
    CHECK(matrix.recall(0) == doctest::Approx(2.0 / 3));
    CHECK(matrix.f1(1) == doctest::Approx(2.0 / 3));
    CHECK(std::isnan(matrix.recall(2)));
    CHECK(matrix.text() ==
          "actual       0    1    2  recall\n"
          "0            2    1    0     67%\n"
          "1            0    1    0    100%\n"
          "2            0    0    0       -\n"
          "precision 100%  50%    -     75%\n");
    const std::string_view names[] = {"shirt", "ankle boot", "bag"};
    CHECK(matrix.text(names) ==
          "actual        shirt ankle bo      bag  recall\n"
          "shirt             2        1        0     67%\n"
          "ankle boot        0        1        0    100%\n"
          "bag               0        0        0       -\n"
          "precision      100%      50%        -     75%\n");
}

TEST_CASE("history")
{
    History history;
    CHECK(history.empty());
    for (int number = 1; number <= 3; ++number) {
        Epoch epoch;
        epoch.number = number;
        epoch.training = {.loss = 1.0 / number, .accuracy = 0.5};
        history.push_back(epoch);
    }
    CHECK(history.size() == 3);
    CHECK(history.back().number == 3);
    CHECK(history.front().training.loss == 1.0);
    CHECK(history[1].training.loss == 0.5);
    CHECK(std::isnan(history.back().validation.loss));
    int sum = 0;
    for (const Epoch& epoch : history) sum += epoch.number;
    CHECK(sum == 6);
}

TEST_CASE("means over the classes, as scikit-learn's macro averages")
{
    // precision_recall_fscore_support([0,0,0,0,1,1,2,2,2,4], [0,0,1,2,1,1,2,0,2,3], average="macro", zero_division=0)
    ConfusionMatrix<6> matrix;
    const int actual[] = {0, 0, 0, 0, 1, 1, 2, 2, 2, 4}, predicted[] = {0, 0, 1, 2, 1, 1, 2, 0, 2, 3};
    for (int i = 0; i < 10; ++i)
        matrix.add(static_cast<std::size_t>(actual[i]), static_cast<std::size_t>(predicted[i]));
    CHECK(matrix.macro_precision() == doctest::Approx((2.0 / 3 + 2.0 / 3 + 2.0 / 3 + 0 + 0) / 5).epsilon(1e-15));
    CHECK(matrix.macro_recall() == doctest::Approx((0.5 + 1 + 2.0 / 3 + 0 + 0) / 5).epsilon(1e-15));
    CHECK(matrix.macro_f1() == doctest::Approx((4.0 / 7 + 4.0 / 5 + 2.0 / 3 + 0 + 0) / 5).epsilon(1e-15));
    CHECK(std::isnan(ConfusionMatrix<3>{}.macro_f1()));
}

TEST_CASE("the area under the receiver operating characteristic: all pairs counted, ties by half")
{
    const auto area = [](std::vector<float> scores, std::vector<std::uint8_t> positive) {
        return area_under_roc(std::span<const float>(scores), std::span<const std::uint8_t>(positive));
    };
    CHECK(area({0.1f, 0.4f, 0.35f, 0.8f}, {0, 0, 1, 1}) == 0.75);
    CHECK(area({1, 2, 3}, {0, 0, 1}) == 1.0);
    CHECK(area({1, 2, 3}, {1, 0, 0}) == 0.0);
    CHECK(area({5, 5, 5, 5}, {0, 1, 1, 0}) == 0.5);
    CHECK(area({1, 1, 2}, {0, 1, 1}) == 0.75);
    CHECK(std::isnan(area({1, 2}, {1, 1})));
    CHECK(std::isnan(area({1, 2}, {0, 0})));
    CHECK(std::isnan(area({}, {})));
    CHECK(std::isnan(area({1, lost_value, 2}, {0, 1, 1})));
    tenon::Random random{tenon::Seed{4}};
    std::vector<float> scores(257);
    std::vector<std::uint8_t> positive(257);
    for (std::size_t i = 0; i < 257; ++i) {
        scores[i] = static_cast<float>(random.below(40));  // many ties
        positive[i] = random.below(3) == 0;
    }
    double right = 0, pairs = 0;
    for (std::size_t p = 0; p < 257; ++p)
        for (std::size_t n = 0; n < 257; ++n)
            if (positive[p] != 0 && positive[n] == 0) {
                right += scores[p] > scores[n] ? 1.0 : scores[p] == scores[n] ? 0.5 : 0.0;
                ++pairs;
            }
    CHECK(area(scores, positive) == doctest::Approx(right / pairs).epsilon(1e-15));
}

TEST_CASE("errors of a regression, as scikit-learn has them")
{
    // mean_absolute_error, mean_squared_error and r2_score of [[0.5, 1], [-1, 1], [7, -6]] and [[0, 2], [-1, 2], [8, -5]].
    const float targets[] = {0.5f, 1, -1, 1, 7, -6}, y[] = {0, 2, -1, 2, 8, -5};
    RegressionErrors<2> errors;
    CHECK(std::isnan(errors.mean_absolute_error()));
    CHECK(std::isnan(errors.r_squared()));
    errors.add(1, y, targets);
    errors.add(2, y + 2, targets + 2);
    CHECK(errors.rows() == 3);
    CHECK(errors.mean_absolute_error() == doctest::Approx(0.75).epsilon(1e-15));
    CHECK(errors.mean_squared_error() == doctest::Approx(0.708333333333333333).epsilon(1e-14));
    CHECK(errors.r_squared() == doctest::Approx(0.9368005266622779).epsilon(1e-14));
    // Targets far from zero, which a sum of squares would lose.
    RegressionErrors<1> far;
    for (int i = 0; i < 4; ++i) {
        const double target = 1e9 + i, output = target + 0.5;
        far.add(1, &output, &target);
    }
    CHECK(far.r_squared() == doctest::Approx(1 - 4 * 0.25 / 5.0).epsilon(1e-12));
    // A target that never changes.
    const float same[] = {3, 3}, met[] = {3, 3}, missed[] = {3, 4};
    RegressionErrors<1> constant, wrong;
    constant.add(2, met, same);
    wrong.add(2, missed, same);
    CHECK(constant.r_squared() == 1.0);
    CHECK(wrong.r_squared() == 0.0);
}
