// SPDX-License-Identifier: BSL-1.0
#include <tenon/tenon.hpp>
#include <tenon/training/classification.hpp>
#include <tenon/training/regression.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace tenon;

namespace {

// Three classes; the outputs are the inputs, so that a dataset says what is predicted.
using Identity = Network<Input<3>, Softmax>;
using Samples = data::TensorDataset<Shape<3>, data::Label>;

}  // namespace

TEST_CASE("confusion matrix and top-k accuracy of a model over a dataset")
{
    std::vector<float> inputs;
    std::vector<std::int32_t> labels;
    // 100 rows, more than are run at once: class i % 3 is on top, the label is right but for every tenth row.
    for (int i = 0; i < 100; ++i) {
        for (int c = 0; c < 3; ++c) inputs.push_back(c == i % 3 ? 100.0f : c == (i + 1) % 3 ? 70.0f : 0.0f);
        labels.push_back((i % 10 == 9 ? i + 1 : i) % 3);
    }
    const Samples dataset{inputs, labels};
    const Model<Identity> model{Seed{1}};
    const auto matrix = confusion_matrix(model, dataset);
    CHECK(matrix.total() == 100);
    CHECK(matrix.accuracy() == 0.9);
    CHECK(matrix.accuracy() == evaluate(model, dataset, CrossEntropy{}).accuracy);
    CHECK(matrix(1, 0) + matrix(2, 1) + matrix(0, 2) == 10);
    CHECK(top_k_accuracy(model, dataset, 1) == 0.9);
    // As probabilities the second and the third class are both 0: a tie that the logits do not have.
    CHECK(top_k_accuracy(model, dataset, 2) == 1.0);
    CHECK(std::isnan(top_k_accuracy(model, Samples{}, 1)));
    CHECK(std::isnan(evaluate(model, Samples{}, CrossEntropy{}).accuracy));
    CHECK_THROWS_AS(confusion_matrix(model, Samples({0, 0, 0}, {3})), Error);
}

TEST_CASE("a regression has a loss and no accuracy")
{
    using Net = Network<Input<2>, Dense<1>>;
    const data::TensorDataset<Shape<2>, Shape<1>> dataset{std::vector<float>{1, 2, 3, 4}, std::vector<float>{1, 2}};
    Model<Net> model{Seed{1}};
    CHECK(std::isnan(evaluate(model, dataset, MeanSquaredError{}).accuracy));
    Trainer trainer{model, MeanSquaredError{}, SGD{.learning_rate = 1e-2}};
    const History history = trainer.fit(dataset, {.epochs = 3, .batch_size = 2, .progress = Progress::silent});
    CHECK(history.size() == 3);
    CHECK(history.back().training.loss < history.front().training.loss);
    CHECK(std::isnan(history.back().training.accuracy));
    CHECK(std::isnan(history.back().validation.loss));
}

TEST_CASE("the area under the receiver operating characteristic of a model")
{
    // Softmax keeps a row's order, not the order between rows: the area is that of the probabilities.
    std::vector<float> inputs;
    std::vector<std::int32_t> labels;
    Random random{Seed{6}};
    for (int i = 0; i < 150; ++i) {
        for (int c = 0; c < 3; ++c) inputs.push_back(static_cast<float>(random.normal()));
        labels.push_back(static_cast<std::int32_t>(random.below(2)));  // class 2 never
        inputs[inputs.size() - 3 + static_cast<std::size_t>(labels.back())] += 1.0f;
    }
    const Samples dataset{inputs, labels, 3};
    const Model<Identity> model{Seed{1}};
    double areas[2] = {};
    for (std::size_t c = 0; c < 2; ++c) {
        double right = 0, pairs = 0;
        for (std::size_t p = 0; p < 150; ++p)
            for (std::size_t n = 0; n < 150; ++n)
                if (dataset.label(p) == static_cast<int>(c) && dataset.label(n) != static_cast<int>(c)) {
                    const float a = model.predict(dataset.input(p))[c], b = model.predict(dataset.input(n))[c];
                    right += a > b ? 1.0 : a == b ? 0.5 : 0.0;
                    ++pairs;
                }
        areas[c] = right / pairs;
        CHECK(areas[c] > 0.6);
        // One row and a batch may differ in the last bit, and so in which of two pairs is ahead.
        CHECK(area_under_roc(model, dataset, c) == doctest::Approx(areas[c]).epsilon(1e-3));
    }
    CHECK(std::isnan(area_under_roc(model, dataset, 2)));
    CHECK(area_under_roc(model, dataset) == doctest::Approx((areas[0] + areas[1]) / 2).epsilon(1e-3));
    CHECK_THROWS_WITH_AS(area_under_roc(model, dataset, 3),
                         "tenon: area_under_roc: class 3 of a network with 3 outputs", Error);
    CHECK(std::isnan(area_under_roc(model, Samples{})));

    using Yes = Network<Input<1>, Sigmoid>;
    const data::TensorDataset<Shape<1>, data::Label> yes{std::vector<float>{0.1f, 0.4f, 0.35f, 0.8f},
                                                         std::vector<std::int32_t>{0, 0, 1, 1}};
    CHECK(area_under_roc(Model<Yes>{Seed{1}}, yes) == 0.75);
}

TEST_CASE("errors of a regression over a dataset")
{
    using Net = Network<Input<2>, ReLU>;
    std::vector<float> inputs, targets;
    for (int i = 0; i < 150; ++i) {
        inputs.insert(inputs.end(), {static_cast<float>(i), -1.0f});
        targets.insert(targets.end(),
                       {static_cast<float>(i) + (i % 2 == 0 ? 1.0f : -1.0f), 2.0f * static_cast<float>(i % 3)});
    }
    const data::TensorDataset<Shape<2>, Shape<2>> dataset{inputs, targets};
    const auto errors = regression_errors(Model<Net>{Seed{1}}, dataset);
    CHECK(errors.rows() == 150);
    CHECK(errors.mean_absolute_error() == doctest::Approx((1.0 + 2.0) / 2));
    CHECK(errors.mean_squared_error() == doctest::Approx((1.0 + 20.0 / 3) / 2));
    CHECK(errors.r_squared() < 0.0);  // an output of 0 is worse than the mean
}
