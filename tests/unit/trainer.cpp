// SPDX-License-Identifier: BSL-1.0
// Trainer: what fit does with batches, order, steps and schedules, compared bit by bit with the same steps taken by hand;
// what it reports; and what it refuses.
#include <tenon/data/transforms.hpp>
#include <tenon/layers/layers.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/optimizers/adam.hpp>
#include <tenon/optimizers/sgd.hpp>
#include <tenon/training/trainer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

using namespace tenon;

namespace {

using Classes = data::TensorDataset<Shape<2>, data::Label>;
using Net = Network<Input<2>, Dense<9>, Tanh, Dense<3>, Softmax>;

// Three clouds that do not touch.
Classes clouds(std::size_t rows, std::uint64_t seed = 1)
{
    Random random{Seed{seed}};
    std::vector<float> points;
    std::vector<std::int32_t> labels;
    for (std::size_t i = 0; i < rows; ++i) {
        const auto label = static_cast<std::int32_t>(i % 3);
        points.push_back(static_cast<float>(3 * (label == 0) - 3 * (label == 1) + 0.6 * random.normal()));
        points.push_back(static_cast<float>(3 * (label == 2) + 0.6 * random.normal()));
        labels.push_back(label);
    }
    return {points, labels};
}

FitOptions<Classes> quiet(int epochs, int batch_size)
{
    return {.epochs = epochs, .batch_size = batch_size, .progress = Progress::silent};
}

// The steps of one fit by hand: orders, losses and right answers of each epoch.
struct ByHand {
    Model<Net> model{Seed{1}};
    Trainer<Net, Float32, CrossEntropy, Adam> trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.01}};
    std::vector<double> losses, accuracies;

    void epoch(const Classes& data, std::size_t batch, const std::vector<std::uint32_t>& order, double factor = 1.0)
    {
        double loss = 0;
        std::size_t correct = 0;
        for (std::size_t first = 0; first < order.size(); first += batch) {
            const std::size_t rows = std::min(batch, order.size() - first);
            std::vector<float> x;
            std::vector<std::int32_t> labels;
            for (std::size_t i = first; i < first + rows; ++i) {
                const auto row = data.input(order[i]);
                x.insert(x.end(), row.begin(), row.end());
                labels.push_back(data.label(order[i]));
            }
            loss += static_cast<double>(rows) * trainer.step(rows, x.data(), labels.data(), &correct, factor);
        }
        losses.push_back(loss / static_cast<double>(data.size()));
        accuracies.push_back(static_cast<double>(correct) / static_cast<double>(data.size()));
    }
};

std::vector<std::uint32_t> in_order(std::size_t rows)
{
    std::vector<std::uint32_t> order(rows);
    std::iota(order.begin(), order.end(), 0u);
    return order;
}

std::uint64_t fitted(const Classes& data, const FitOptions<Classes>& options)
{
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.01}};
    trainer.fit(data, options);
    return model.parameters().fingerprint();
}

}  // namespace

TEST_CASE("clouds that do not touch are told apart")
{
    const Classes train = clouds(300), test = clouds(90, 2);
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.01}};
    auto options = quiet(12, 16);
    options.validation = &test;
    const History history = trainer.fit(train, options);
    REQUIRE(history.size() == 12);
    CHECK(history.front().training.loss > history.back().training.loss * 4);
    CHECK(history.back().training.accuracy > 0.97);
    CHECK(history.back().validation.accuracy > 0.97);
    CHECK(history.back().validation.loss < 0.15);
    for (int i = 0; i < 12; ++i) {
        const Epoch& epoch = history[static_cast<std::size_t>(i)];
        CHECK(epoch.number == i + 1);
        CHECK(epoch.seconds > 0);
        CHECK(epoch.samples_per_second > 0);
    }
    CHECK(trainer.steps() == 12 * 19);  // 18 full batches and one of 12 rows
    const Evaluation again = evaluate(model, test, CrossEntropy{});
    CHECK(again.loss == history.back().validation.loss);
    CHECK(again.accuracy == history.back().validation.accuracy);
}

TEST_CASE("in order: the steps of a fit, the last batch partial")
{
    const Classes data = clouds(50);
    auto options = quiet(3, 16);
    options.shuffle = false;
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.01}};
    const History history = trainer.fit(data, options);
    ByHand by_hand;
    for (std::size_t e = 0; e < 3; ++e) {
        by_hand.epoch(data, 16, in_order(50));
        CHECK(history[e].training.loss == by_hand.losses[e]);
        CHECK(history[e].training.accuracy == by_hand.accuracies[e]);
        CHECK(std::isnan(history[e].validation.loss));
    }
    CHECK(model.parameters().fingerprint() == by_hand.model.parameters().fingerprint());
    CHECK(trainer.steps() == 12);
}

TEST_CASE("shuffled: a new order each epoch, from the seed and the epoch's number alone")
{
    const Classes data = clouds(50);
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.01}};
    auto options = quiet(2, 16);
    options.seed = Seed{77};
    trainer.fit(data, options);
    ByHand by_hand;
    for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
        std::vector<std::uint32_t> order = in_order(50);
        Random{Seed{77}, epoch}.shuffle(order.data(), order.size());
        by_hand.epoch(data, 16, order);
        if (epoch == 2) CHECK(model.parameters().fingerprint() == by_hand.model.parameters().fingerprint());
    }
    // A second fit goes on where the first one ended: other orders, moments and steps kept.
    options.epochs = 1;
    trainer.fit(data, options);
    CHECK(model.parameters().fingerprint() == by_hand.model.parameters().fingerprint());
    CHECK(trainer.steps() == 12);
}

TEST_CASE("a batch larger than the data is all of it")
{
    const Classes data = clouds(20);
    CHECK(fitted(data, quiet(2, 20)) == fitted(data, quiet(2, 1000)));
    CHECK(fitted(data, quiet(2, 20)) != fitted(data, quiet(2, 19)));
    CHECK(fitted(clouds(1), quiet(1, 32)) != 0);
    CHECK(fitted(clouds(5), quiet(2, 1)) != fitted(clouds(5), quiet(2, 5)));
}

TEST_CASE("the same seed gives the same bits, another one others")
{
    const Classes data = clouds(50);
    auto options = quiet(2, 8);
    const std::uint64_t first = fitted(data, options);
    CHECK(fitted(data, options) == first);
    options.seed = Seed{5};
    CHECK(fitted(data, options) != first);
    // Without shuffling the seed has nothing to say here.
    options.shuffle = false;
    const std::uint64_t straight = fitted(data, options);
    options.seed = Seed{6};
    CHECK(fitted(data, options) == straight);
    CHECK(straight != first);
    // Dropout draws from it.
    const auto dropped = [&](std::uint64_t seed) {
        Model<Network<Input<2>, Dense<9>, Tanh, Dropout<Rate<1, 2>>, Dense<3>>> model{Seed{1}};
        Trainer trainer{model, CrossEntropy{}, Adam{}};
        options.seed = Seed{seed};
        trainer.fit(data, options);
        return model.parameters().fingerprint();
    };
    CHECK(dropped(1) == dropped(1));
    CHECK(dropped(1) != dropped(2));
}

TEST_CASE("no epochs, and options out of range")
{
    const Classes data = clouds(10);
    Model<Net> model{Seed{1}};
    const std::uint64_t before = model.parameters().fingerprint();
    Trainer trainer{model, CrossEntropy{}, Adam{}};
    CHECK(trainer.fit(data, quiet(0, 8)).empty());
    CHECK_THROWS_WITH_AS(trainer.fit(data, quiet(1, 0)), "tenon: fit: batch_size is 0, expected 1 or more", Error);
    CHECK_THROWS_WITH_AS(trainer.fit(data, quiet(1, -3)), "tenon: fit: batch_size is -3, expected 1 or more", Error);
    CHECK_THROWS_WITH_AS(trainer.fit(data, quiet(-1, 8)), "tenon: fit: epochs is -1, expected 0 or more", Error);
    auto options = quiet(1, 8);
    options.threads = -2;
    CHECK_THROWS_WITH_AS(trainer.fit(data, options), "tenon: fit: threads is -2, expected 0 (all cores) or more",
                         Error);
    CHECK_THROWS_WITH_AS(trainer.fit(Classes{}, quiet(1, 8)), "tenon: fit: the dataset is empty", Error);
    CHECK(model.parameters().fingerprint() == before);
    CHECK(trainer.steps() == 0);
}

TEST_CASE("a loss that is no longer a number ends the run with a sentence")
{
    const Classes data = clouds(40);
    Model<Network<Input<2>, Dense<9>, ReLU, Dense<3>>> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 1e30}};
    std::string message;
    try {
        trainer.fit(data, quiet(5, 8));
    } catch (const Error& error) {
        message = error.what();
    }
    CHECK(message.find("tenon: fit: the loss is not a finite number in epoch 1, step ") == 0);
    CHECK(message.find("lower the learning rate") != std::string::npos);

    // In the data, in the third batch.
    std::vector<float> points(2 * 20, 0.5f);
    points[2 * 9] = std::numeric_limits<float>::quiet_NaN();
    const Classes broken{points, std::vector<std::int32_t>(20, 1)};
    Model<Net> other{Seed{1}};
    Trainer careful{other, CrossEntropy{}, Adam{}};
    auto options = quiet(1, 4);
    options.shuffle = false;
    CHECK_THROWS_WITH_AS(
        careful.fit(broken, options),
        "tenon: fit: the loss is not a finite number in epoch 1, step 2: lower the learning rate or look "
        "for NaN in the data",
        Error);
}

TEST_CASE("a label beyond the network's classes is named")
{
    const Classes data{std::vector<float>(8, 1.0f), std::vector<std::int32_t>{0, 1, 2, 3}};
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{}};
    std::string message;
    try {
        trainer.fit(data, quiet(1, 4));
    } catch (const Error& error) {
        message = error.what();
    }
    CHECK(message.find("expected a label from 0 to 2, found 3") != std::string::npos);
}

TEST_CASE("a schedule multiplies the rate, by steps counted from 0 over all fits")
{
    const Classes data = clouds(20);
    std::vector<std::uint64_t> asked;
    auto options = quiet(2, 8);
    options.shuffle = false;
    options.schedule = [&](std::uint64_t step) {
        asked.push_back(step);
        return 0.5;
    };
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.01}};
    trainer.fit(data, options);
    options.epochs = 1;
    trainer.fit(data, options);
    REQUIRE(asked.size() == 9);
    for (std::uint64_t i = 0; i < 9; ++i) CHECK(asked[i] == i);
    ByHand by_hand;
    for (int i = 0; i < 3; ++i) by_hand.epoch(data, 8, in_order(20), 0.5);
    CHECK(model.parameters().fingerprint() == by_hand.model.parameters().fingerprint());

    options.schedule = [](std::uint64_t) { return 0.0; };
    Model<Net> still{Seed{1}};
    Trainer{still, CrossEntropy{}, SGD{}}.fit(data, options);
    CHECK(still.parameters().fingerprint() == Model<Net>{Seed{1}}.parameters().fingerprint());
}

TEST_CASE("callbacks see each epoch, may ask to stop, and may look at the model")
{
    const Classes data = clouds(20);
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{}};
    std::vector<int> seen, kept;
    const Model<Net>* given = nullptr;
    const History history = trainer.fit(
        data, quiet(10, 8), [&](const Epoch& epoch) { seen.push_back(epoch.number); },
        [&](const Epoch& epoch) { return epoch.number == 4 ? After::stop : After::proceed; },
        [&](const Epoch& epoch, Model<Net>& of) {
            kept.push_back(epoch.number);
            given = &of;
        });
    CHECK(history.size() == 4);
    CHECK(seen == std::vector<int>{1, 2, 3, 4});
    CHECK(kept == seen);  // one that stops does not keep the others from seeing the epoch
    CHECK(given == &model);
    // An exception of a callback passes through, and the trainer can go on.
    CHECK_THROWS_AS(trainer.fit(data, quiet(3, 8), [](const Epoch&) { throw 1; }), int);
    CHECK(trainer.fit(data, quiet(1, 8)).size() == 1);
}

TEST_CASE("one step: the loss before it, right answers counted, any number of rows, none at all")
{
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 0.1}};
    const Classes data = clouds(50);
    std::vector<float> x;
    std::vector<std::int32_t> labels;
    for (std::size_t i = 0; i < 50; ++i) {
        x.insert(x.end(), {data.input(i)[0], data.input(i)[1]});
        labels.push_back(data.label(i));
    }
    const std::uint64_t before = model.parameters().fingerprint();
    CHECK(trainer.step(0, x.data(), labels.data()) == 0.0);
    CHECK(trainer.steps() == 0);
    CHECK(model.parameters().fingerprint() == before);
    const Evaluation expected = evaluate(model, data, CrossEntropy{});
    std::size_t correct = 100;
    const double loss = trainer.step(50, x.data(), labels.data(), &correct);
    CHECK(loss == doctest::Approx(expected.loss).epsilon(1e-6));
    CHECK(static_cast<double>(correct - 100) == 50 * expected.accuracy);
    CHECK(evaluate(model, data, CrossEntropy{}).loss < loss);
    CHECK(trainer.step(1, x.data(), labels.data()) > 0.0);  // fewer rows, then more
    CHECK(trainer.step(50, x.data(), labels.data()) < loss);
    CHECK(trainer.steps() == 3);
    CHECK(&trainer.model() == &model);
    CHECK(trainer.optimizer().learning_rate == 0.1);
}

TEST_CASE("a mean over the batch: the same rows twice move the weights as far")
{
    const std::vector<float> x{1, 2, -1, 0.5f, 1, 2, -1, 0.5f};
    const std::vector<std::int32_t> labels{0, 2, 0, 2};
    Model<Net> once{Seed{1}}, twice{Seed{1}};
    Trainer{once, CrossEntropy{}, SGD{.learning_rate = 0.1}}.step(2, x.data(), labels.data());
    Trainer{twice, CrossEntropy{}, SGD{.learning_rate = 0.1}}.step(4, x.data(), labels.data());
    for (std::size_t i = 0; i < once.parameters().size(); ++i)
        CHECK(std::fabs(once.parameters().data()[i] - twice.parameters().data()[i]) < 1e-6f);
}

TEST_CASE("regression: no accuracy; a line is found")
{
    Random random{Seed{1}};
    std::vector<float> x, y;
    for (int i = 0; i < 200; ++i) {
        x.push_back(static_cast<float>(random.normal()));
        x.push_back(static_cast<float>(random.normal()));
        y.push_back(2 * x[x.size() - 2] - 3 * x.back() + 1);
    }
    const data::TensorDataset<Shape<2>, Shape<1>> data{x, y};
    Model<Network<Input<2>, Dense<1>>> model{Seed{1}};
    Trainer trainer{model, MeanSquaredError{}, SGD{.learning_rate = 0.05, .momentum = 0.9}};
    const History history = trainer.fit(
        data, {.epochs = 30, .batch_size = 20, .validation = &data, .progress = Progress::silent});
    CHECK(history.back().validation.loss < 1e-6);
    CHECK(std::isnan(history.back().training.accuracy));
    CHECK(std::isnan(history.back().validation.accuracy));
    CHECK(std::fabs(model.parameters().layer<0>().kernel(0, 0) - 2.0f) < 1e-3f);
    CHECK(std::fabs(model.parameters().layer<0>().kernel(1, 0) + 3.0f) < 1e-3f);
    CHECK(std::fabs(model.parameters().layer<0>().bias(0) - 1.0f) < 1e-3f);
}

TEST_CASE("a network without parameters trains to no effect")
{
    Model<Network<Input<2>, Softmax>> model{Seed{1}};
    const Classes data{std::vector<float>{1, 2, 3, 4}, std::vector<std::int32_t>{0, 1}};
    const History history = Trainer{model, CrossEntropy{}, Adam{}}.fit(data, quiet(2, 1));
    CHECK(history[0].training.loss == history[1].training.loss);
}
