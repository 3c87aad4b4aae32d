// SPDX-License-Identifier: BSL-1.0
// evaluate against losses and right answers worked out row by row in double.
#include <tenon/layers/layers.hpp>
#include <tenon/losses/binary_cross_entropy.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/huber.hpp>
#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/parallel/thread_pool.hpp>
#include <tenon/training/evaluate.hpp>
#include <tenon/training/predict.hpp>

#include <doctest/doctest.h>

#include <support/predictions.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace tenon;

namespace {

template <class Target, class Make>
auto dataset(std::size_t rows, Make make)
{
    Random random{Seed{3}};
    std::vector<float> x(rows * 4);
    for (float& value : x) value = static_cast<float>(random.normal());
    using Targets = data::TensorDataset<Shape<4>, Target>;
    std::vector<typename Targets::target_type> targets(rows * Targets::target_size);
    for (auto& target : targets) target = static_cast<typename Targets::target_type>(make(random));
    return Targets{x, targets};
}

const auto below_three = [](Random& random) { return random.below(3); };

// f(logits or outputs of the row, row) for every row of the network without its last layer.
template <class Net, class D, class F>
void each_row(const Model<Net>& model, const D& data, F f)
{
    const std::vector<double> weights = naive::logical(model.parameters());
    for (std::size_t i = 0; i < data.size(); ++i) {
        const auto x = data.input(i);
        f(naive::predict<Net>(weights, {x.begin(), x.end()}), i);
    }
}

using Classifier = Network<Input<4>, Dense<9>, ReLU, Dropout<Rate<1, 2>>, Dense<3>, Softmax>;

}  // namespace

TEST_CASE("cross-entropy and accuracy of labels, for every number of rows around a chunk")
{
    const Model<Classifier> model{Seed{2}};
    for (const std::size_t rows : {std::size_t(1), std::size_t(2), std::size_t(63), std::size_t(64), std::size_t(65),
                                   std::size_t(128), std::size_t(200)})
    {
        const auto data = dataset<data::Label>(rows, below_three);
        double loss = 0, right = 0;
        each_row(model, data, [&](const std::vector<double>& p, std::size_t i) {
            loss -= std::log(p[static_cast<std::size_t>(data.label(i))]);
            right += std::max_element(p.begin(), p.end()) - p.begin() == data.label(i);
        });
        const Evaluation evaluation = evaluate(model, data, CrossEntropy{});
        CAPTURE(rows);
        CHECK(evaluation.loss == doctest::Approx(loss / static_cast<double>(rows)).epsilon(1e-6));
        CHECK(evaluation.accuracy == right / static_cast<double>(rows));
    }
}

TEST_CASE("a network that keeps its logits, or ends with LogSoftmax, is worth the same")
{
    using Logits = Network<Input<4>, Dense<9>, ReLU, Dropout<Rate<1, 2>>, Dense<3>>;
    using Logs = Network<Input<4>, Dense<9>, ReLU, Dropout<Rate<1, 2>>, Dense<3>, LogSoftmax>;
    const auto data = dataset<data::Label>(100, below_three);
    const Evaluation a = evaluate(Model<Classifier>{Seed{2}}, data, CrossEntropy{});
    const Evaluation b = evaluate(Model<Logits>{Seed{2}}, data, CrossEntropy{});
    const Evaluation c = evaluate(Model<Logs>{Seed{2}}, data, CrossEntropy{});
    CHECK(a.loss == b.loss);
    CHECK(a.loss == c.loss);
    CHECK(a.accuracy == b.accuracy);
    CHECK(a.accuracy == c.accuracy);
}

TEST_CASE("label smoothing")
{
    const Model<Classifier> model{Seed{2}};
    const auto data = dataset<data::Label>(100, below_three);
    double loss = 0;
    each_row(model, data, [&](const std::vector<double>& p, std::size_t i) {
        for (std::size_t c = 0; c < 3; ++c)
            loss -= std::log(p[c]) * ((static_cast<std::int32_t>(c) == data.label(i)) * 0.7 + 0.1);
    });
    CHECK(evaluate(model, data, CrossEntropy{.label_smoothing = 0.3}).loss ==
          doctest::Approx(loss / 100).epsilon(1e-6));
}

TEST_CASE("regression")
{
    using Net = Network<Input<4>, Dense<6>, Tanh, Dense<2>>;
    const Model<Net> model{Seed{2}};
    const auto data = dataset<Shape<2>>(100, [](Random& random) { return 3 * random.normal(); });
    double squares = 0, huber = 0;
    each_row(model, data, [&](const std::vector<double>& y, std::size_t i) {
        for (std::size_t j = 0; j < 2; ++j) {
            const double e = std::fabs(y[j] - static_cast<double>(data.target(i)[j]));
            squares += e * e / 2;
            huber += (e <= 1 ? e * e / 2 : e - 0.5) / 2;
        }
    });
    CHECK(evaluate(model, data, MeanSquaredError{}).loss == doctest::Approx(squares / 100).epsilon(1e-6));
    CHECK(evaluate(model, data, Huber{}).loss == doctest::Approx(huber / 100).epsilon(1e-6));
    CHECK(std::isnan(evaluate(model, data, MeanSquaredError{}).accuracy));
}

TEST_CASE("yes or no: through a final Sigmoid")
{
    using Net = Network<Input<4>, Dense<1>, Sigmoid>;
    const Model<Net> model{Seed{2}};
    const auto data = dataset<data::Label>(100, [](Random& random) { return random.below(2); });
    double loss = 0, right = 0;
    each_row(model, data, [&](const std::vector<double>& p, std::size_t i) {
        loss -= std::log(data.label(i) == 1 ? p[0] : 1 - p[0]);
        right += (p[0] > 0.5) == (data.label(i) == 1);
    });
    const Evaluation evaluation = evaluate(model, data, BinaryCrossEntropy{});
    CHECK(evaluation.loss == doctest::Approx(loss / 100).epsilon(1e-6));
    CHECK(evaluation.accuracy == right / 100);
}

TEST_CASE("a Softmax inside a last Sequential is absorbed as well")
{
    using Nested = Network<Input<4>, Sequential<Dense<9>, ReLU>, Sequential<Dropout<Rate<1, 2>>, Dense<3>, Softmax>>;
    const auto data = dataset<data::Label>(100, below_three);
    CHECK(evaluate(Model<Nested>{Seed{2}}, data, CrossEntropy{}).loss ==
          doctest::Approx(evaluate(Model<Classifier>{Seed{2}}, data, CrossEntropy{}).loss).epsilon(1e-6));
}

TEST_CASE("the model stays as it was; nothing to evaluate is not a number of anything")
{
    const Model<Classifier> model{Seed{2}};
    const std::uint64_t before = model.parameters().fingerprint();
    const auto data = dataset<data::Label>(70, below_three);
    const Evaluation first = evaluate(model, data, CrossEntropy{});
    CHECK(evaluate(model, data, CrossEntropy{}).loss == first.loss);
    CHECK(model.parameters().fingerprint() == before);
    const Evaluation nothing = evaluate(model, data::TensorDataset<Shape<4>, data::Label>{}, CrossEntropy{});
    CHECK(nothing.loss == 0.0);
    CHECK(std::isnan(nothing.accuracy));
}

TEST_CASE("predictions of a dataset: every row in its place, the same bits for any number of threads")
{
    const Model<Classifier> model{Seed{2}};
    for (const std::size_t rows : {std::size_t(0), std::size_t(1), std::size_t(64), std::size_t(65), std::size_t(200)})
    {
        const auto data = dataset<data::Label>(rows, below_three);
        const std::vector<float> answers = predict(model, data);
        CAPTURE(rows);
        REQUIRE(answers.size() == rows * 3);
        each_row(model, data, [&](const std::vector<double>& p, std::size_t i) {
            for (std::size_t c = 0; c < 3; ++c)
                CHECK(static_cast<double>(answers[i * 3 + c]) == doctest::Approx(p[c]).epsilon(1e-5));
        });
        for (const std::size_t threads : {2u, 3u}) {
            ThreadPool pool{threads};
            CHECK(predict(model, data, pool.team()) == answers);
        }
    }
}
