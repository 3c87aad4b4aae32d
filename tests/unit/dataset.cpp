// SPDX-License-Identifier: BSL-1.0
#include <tenon/data/dataset.hpp>
#include <tenon/data/shards.hpp>
#include <tenon/data/transforms.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

using namespace tenon;

namespace {

using Images = data::LabelledImages<Shape<2, 2, 1>>;
using Regression = data::TensorDataset<Shape<2>, Shape<1>>;
using Classification = data::TensorDataset<Shape<2>, data::Label>;

static_assert(data::Dataset<Images> && data::LabelledDataset<Images>);
static_assert(data::Dataset<Regression> && !data::LabelledDataset<Regression>);
static_assert(data::LabelledDataset<Classification>);
static_assert(data::LabelledDataset<data::Subset<Images>>);
static_assert(data::Dataset<data::OneHot<Images, 3>> && data::OneHot<Images, 3>::target_size == 3);
static_assert(data::Dataset<data::Standardised<data::Subset<Regression>>>);
static_assert(!data::Dataset<int> && !data::Dataset<std::vector<float>>);

// Row i is (i, -2 i) with target 10 i.
Regression line(std::size_t rows)
{
    std::vector<float> inputs, targets;
    for (std::size_t i = 0; i < rows; ++i) {
        inputs.push_back(static_cast<float>(i));
        inputs.push_back(-2 * static_cast<float>(i));
        targets.push_back(10 * static_cast<float>(i));
    }
    return {inputs, targets};
}

// Every row through gather, in the dataset's order.
template <class D>
std::pair<std::vector<float>, std::vector<typename D::target_type>> all_rows(const D& dataset)
{
    std::vector<std::uint32_t> indices(dataset.size());
    std::iota(indices.begin(), indices.end(), 0u);
    std::vector<float> inputs(dataset.size() * D::input_shape::size);
    std::vector<typename D::target_type> targets(dataset.size() * D::target_size);
    dataset.gather(indices, inputs.data(), targets.data());
    return {inputs, targets};
}

// A user's own dataset with the least that is needed.
struct Squares {
    using input_shape = Shape<1>;
    using target_type = float;
    static constexpr std::size_t target_size = 1;
    std::size_t size() const { return 7; }
    void gather(std::span<const std::uint32_t> indices, float* inputs, float* targets) const
    {
        for (std::size_t i = 0; i < indices.size(); ++i) {
            inputs[i] = static_cast<float>(indices[i]);
            targets[i] = inputs[i] * inputs[i];
        }
    }
};
static_assert(data::Dataset<Squares>);

}  // namespace

TEST_CASE("dataset: regression rows from vectors, spans and lists")
{
    const Regression from_lists{{1, 2, 3, 4}, {5, 6}};
    CHECK(from_lists.size() == 2);
    CHECK(from_lists.input(1) == Tensor<float, Shape<2>>{3, 4});
    CHECK(from_lists.target(1)[0] == 6);
    const std::array<float, 4> inputs = {1, 2, 3, 4};
    const float targets[] = {5, 6};
    const Regression from_spans{std::span<const float>{inputs}, std::span<const float>{targets}};
    CHECK(all_rows(from_spans) == all_rows(from_lists));
    CHECK(Regression{}.size() == 0);
}

TEST_CASE("dataset: labels and their classes")
{
    const Classification three{{1, 2, 3, 4, 5, 6}, {2, 0, 2}};
    CHECK(three.classes() == 3);
    CHECK(three.label(0) == 2);
    CHECK(Classification{{1, 2}, {0}, 5}.classes() == 5);
    CHECK_THROWS_WITH_AS((Classification{{1, 2}, {5}, 5}), "tenon: label 0: expected a class below 5, found 5", Error);
    CHECK_THROWS_AS((Classification{{1, 2}, {-1}}), Error);
}

TEST_CASE("dataset: sizes that do not agree")
{
    CHECK_THROWS_WITH_AS(
        (Regression{{1, 2, 3}, {4}}),
        "tenon: expected inputs of 2 and targets of 1 values per row, found 3 input and 1 target values", Error);
    CHECK_THROWS_AS((Regression{{1, 2, 3, 4}, {4}}), Error);
    using Two = data::TensorDataset<Shape<1>, Shape<2>>;
    CHECK_THROWS_AS((Two{{1}, {1, 2, 3}}), Error);
    CHECK_THROWS_WITH_AS((Images{{1, 2, 3}, {0}, 1}), "tenon: 1 images of 4 bytes need 4 bytes, found 3", Error);
    CHECK_THROWS_WITH_AS((Images{{1, 2, 3, 4}, {1}, 1}), "tenon: label 0: expected a class below 1, found 1", Error);
}

TEST_CASE("dataset: a subset takes rows in its order, nested ones too, and outlives what it came from")
{
    const auto odd = [] {
        const Regression rows = line(10);
        return data::subset(data::subset(rows, {1, 3, 5, 7, 9}), {4, 0, 0});
    }();
    CHECK(odd.size() == 3);
    CHECK(odd.target(0)[0] == 90);
    CHECK(all_rows(odd).second == std::vector<float>{90, 10, 10});
    CHECK(all_rows(odd).first == std::vector<float>{9, -18, 1, -2, 1, -2});
    CHECK_THROWS_WITH_AS(data::subset(line(3), {0, 3}), "tenon: subset index 1: expected a row below 3, found 3",
                         Error);
    CHECK(data::take(line(10), 4).size() == 4);
    CHECK(data::take(line(10), 40).size() == 10);
    CHECK(data::subset(Squares{}, {6}).size() == 1);
}

TEST_CASE("dataset: gather through a view works beyond one block of indices")
{
    const auto rows = data::shuffle(line(1000), Seed{3});
    const auto [inputs, targets] = all_rows(rows);
    for (std::size_t i = 0; i < 1000; ++i) {
        REQUIRE(inputs[2 * i] == static_cast<float>(rows.index(i)));
        REQUIRE(targets[i] == 10 * static_cast<float>(rows.index(i)));
    }
}

TEST_CASE("dataset: shuffling is a permutation fixed by the seed")
{
    const auto order = [](std::uint64_t seed) {
        std::vector<std::uint32_t> indices;
        const auto shuffled = data::shuffle(line(100), Seed{seed});
        for (std::size_t i = 0; i < shuffled.size(); ++i) indices.push_back(shuffled.index(i));
        return indices;
    };
    CHECK(order(1) == order(1));
    CHECK(order(1) != order(2));
    const auto indices = order(1);
    CHECK(std::set<std::uint32_t>(indices.begin(), indices.end()).size() == 100);
    CHECK(!std::is_sorted(indices.begin(), indices.end()));
}

TEST_CASE("dataset: a split covers all rows once")
{
    const auto [train, validation] = data::split(line(101), 0.1, Seed{5});
    CHECK(train.size() == 91);
    CHECK(validation.size() == 10);
    std::set<float> seen;
    for (const float target : all_rows(train).second) seen.insert(target);
    for (const float target : all_rows(validation).second) CHECK(seen.insert(target).second);
    CHECK(seen.size() == 101);
    const auto again = data::split(line(101), 0.1, Seed{5});
    CHECK(all_rows(again.validation) == all_rows(validation));
    CHECK(all_rows(data::split(line(101), 0.1, Seed{6}).validation) != all_rows(validation));

    CHECK_THROWS_AS(data::split(line(10), 0.0, Seed{}), Error);
    CHECK_THROWS_AS(data::split(line(10), 1.0, Seed{}), Error);
    CHECK_THROWS_AS(data::split(line(10), std::nan(""), Seed{}), Error);
    CHECK_THROWS_AS(data::split(line(10), 0.01, Seed{}), Error);
    CHECK_THROWS_AS(data::split(line(10), 0.99, Seed{}), Error);
    CHECK_THROWS_AS(data::split(Regression{}, 0.5, Seed{}), Error);
}

TEST_CASE("dataset: one-hot targets")
{
    static_assert(data::one_hot<3>(1) == Tensor<float, Shape<3>>{0, 1, 0});
    static_assert(data::one_hot<3>(3) == Tensor<float, Shape<3>>{0, 0, 0});
    const Classification labels{{1, 2, 3, 4}, {2, 0}};
    const auto rows = data::one_hot<3>(labels);
    CHECK(all_rows(rows).second == std::vector<float>{0, 0, 1, 1, 0, 0});
    CHECK(all_rows(rows).first == all_rows(labels).first);
    CHECK(rows.target(1) == Tensor<float, Shape<3>>{1, 0, 0});
    CHECK_THROWS_WITH_AS(data::one_hot<2>(labels), "tenon: one_hot: expected at most 2 classes, found 3", Error);
}

TEST_CASE("dataset: standardising gives mean 0 and deviation 1, and others the same numbers")
{
    const Regression train = line(500);
    const data::Standardise standard{train};
    const auto inputs = all_rows(standard(train)).first;
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < inputs.size(); i += 2) {
        sum += static_cast<double>(inputs[i]);
        squares += static_cast<double>(inputs[i]) * static_cast<double>(inputs[i]);
        // The second feature is -2 times the first.
        CHECK(inputs[i + 1] == doctest::Approx(-inputs[i]).epsilon(1e-5));
    }
    CHECK(std::fabs(sum / 500) < 1e-6);
    CHECK(squares / 500 == doctest::Approx(1.0).epsilon(1e-6));
    CHECK(standard.mean()[0] == doctest::Approx(249.5));
    CHECK(standard.deviation()[0] == doctest::Approx(std::sqrt((500.0 * 500.0 - 1) / 12)));

    const auto row = standard(Tensor<float, Shape<2>>{249.5f, -499});
    CHECK(row[0] == doctest::Approx(0.0));
    const Regression test{{249.5f, -499}, {1}};
    CHECK(standard(test).input(0) == row);
    CHECK(standard(test).target(0)[0] == 1);
}

TEST_CASE("dataset: standardising over channels, over all, and a constant feature")
{
    const data::TensorDataset<Shape<2, 2>, Shape<1>> rows{{1, 10, 3, 30, 5, 50, 7, 70}, {0, 0}};
    const data::Standardise channels{rows, data::Over::channel};
    CHECK(channels.mean()[0] == 4);
    CHECK(channels.mean()[3] == 40);
    CHECK(channels.deviation()[2] == doctest::Approx(std::sqrt(5.0)));
    const data::Standardise sample{rows, data::Over::sample};
    CHECK(sample.mean()[0] == 22);
    CHECK(sample.mean()[3] == 22);

    const Regression constant{{0.1f, 1, 0.1f, 2, 0.1f, 3}, {0, 0, 0}};
    const data::Standardise centred{constant};
    CHECK(centred.deviation()[0] == 1);
    CHECK(centred(constant).input(2)[0] == 0);
    // No row: nothing to divide by.
    const data::Standardise nothing{Regression{}};
    CHECK(nothing.deviation()[1] == 1);
}

TEST_CASE("dataset: views work on a user's own dataset and nest")
{
    const auto [train, validation] = data::split(Squares{}, 0.4, Seed{1});
    const auto shuffled = data::shuffle(data::Standardise{train}(train), Seed{2});
    CHECK(shuffled.size() == 4);
    const auto targets = all_rows(shuffled).second;
    CHECK(std::accumulate(targets.begin(), targets.end(), 0.0f) + all_rows(validation).second[0] +
              all_rows(validation).second[1] + all_rows(validation).second[2] ==
          91);
}

TEST_CASE("datasets joined: rows one after the other, whatever the parts' sizes and the order of the indices")
{
    using Points = data::TensorDataset<Shape<2>, data::Label>;
    std::vector<Points> parts;
    std::size_t rows = 0;
    for (const std::size_t count : {3u, 0u, 700u, 1u, 0u}) {
        std::vector<float> inputs;
        std::vector<std::int32_t> labels;
        for (std::size_t i = 0; i < count; ++i, ++rows) {
            inputs.insert(inputs.end(), {static_cast<float>(rows), -static_cast<float>(rows)});
            labels.push_back(static_cast<std::int32_t>(rows % 5));
        }
        parts.push_back(Points{inputs, labels, count == 1 ? 9u : 5u});
    }
    const data::Joined<Points> all = data::join(parts);
    REQUIRE(all.size() == rows);
    CHECK(all.classes() == 9);
    bool same = true;
    for (std::size_t i = 0; i < rows; ++i)
        same = same && all.input(i)[0] == static_cast<float>(i) && all.label(i) == static_cast<std::int32_t>(i % 5);
    CHECK(same);

    // In order: runs longer than what is gathered at once; then from part to part, and rows that come twice.
    std::vector<std::uint32_t> indices;
    for (std::uint32_t i = 0; i < rows; ++i) indices.push_back(i);
    for (std::uint32_t i = 0; i < 900; ++i) indices.push_back(i * 311 % static_cast<std::uint32_t>(rows));
    indices.insert(indices.end(), {703, 703, 2, 3, 2, 702});
    std::vector<float> inputs(indices.size() * 2);
    std::vector<std::int32_t> labels(indices.size());
    all.gather(indices, inputs.data(), labels.data());
    for (std::size_t i = 0; i < indices.size(); ++i)
        same = same && inputs[2 * i] == static_cast<float>(indices[i]) &&
               inputs[2 * i + 1] == -static_cast<float>(indices[i]) &&
               labels[i] == static_cast<std::int32_t>(indices[i] % 5);
    CHECK(same);

    CHECK(data::join(std::vector<Points>{}).size() == 0);
    CHECK(data::Joined<Points>{}.size() == 0);
    CHECK(data::join(std::vector<Points>(3, Points{})).size() == 0);
}
