// SPDX-License-Identifier: BSL-1.0
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace tenon;
using doctest::Approx;

TEST_CASE("schedules at their corners")
{
    CHECK(schedules::constant(0.5)(7) == 0.5);
    CHECK(schedules::step(10, 0.5)(9) == 1.0);
    CHECK(schedules::step(10, 0.5)(20) == 0.25);
    CHECK(schedules::multi_step({30, 10}, 0.1)(9) == 1.0);
    CHECK(schedules::multi_step({30, 10}, 0.1)(30) == Approx(0.01));
    CHECK(schedules::exponential(0.9)(2) == Approx(0.81));
    CHECK(schedules::polynomial(100)(50) == 0.5);
    CHECK(schedules::polynomial(100, 2.0, 0.1)(1000) == Approx(0.1));

    const auto cosine = schedules::cosine(110, {.warmup_steps = 10, .minimum = 0.2});
    CHECK(cosine(0) == Approx(0.1));
    CHECK(cosine(9) == Approx(1.0));
    CHECK(cosine(10) == Approx(1.0));
    CHECK(cosine(60) == Approx(0.6));
    CHECK(cosine(110) == Approx(0.2));
    CHECK(cosine(5000) == Approx(0.2));
    const auto restarted = schedules::cosine(100, {.restarts = 1});
    CHECK(restarted(0) == Approx(1.0));
    CHECK(restarted(50) == Approx(1.0));
    CHECK(restarted(25) == Approx(0.5));

    const auto cycle = schedules::one_cycle(100);
    CHECK(cycle(0) == Approx(0.04));
    CHECK(cycle(30) == Approx(1.0));
    CHECK(cycle(100) == Approx(0.04 / 1e4));

    const auto composed = schedules::warm_up(4, schedules::sequence(2, schedules::constant(), schedules::constant(0.1)));
    CHECK(composed(0) == 0.25);
    CHECK(composed(4) == 1.0);
    CHECK(composed(6) == 0.1);
}

TEST_CASE("fit multiplies the learning rate by the schedule")
{
    using Net = Network<Input<2>, Dense<1>>;
    const data::TensorDataset<Shape<2>, Shape<1>> dataset{std::vector<float>{1, 2, 3, 4}, std::vector<float>{1, 0}};
    Model<Net> still{Seed{1}}, moved{Seed{1}};
    const auto before = still.parameters().fingerprint();
    Trainer{still, MeanSquaredError{}, SGD{}}.fit(
        dataset, {.epochs = 3, .schedule = schedules::constant(0.0), .progress = Progress::silent});
    CHECK(still.parameters().fingerprint() == before);
    Trainer{moved, MeanSquaredError{}, SGD{}}.fit(dataset, {.epochs = 3, .progress = Progress::silent});
    CHECK(moved.parameters().fingerprint() != before);
}

TEST_CASE("EarlyStopping stops after its patience and puts the best weights back")
{
    using Net = Network<Input<1>, Dense<1>>;
    Model<Net> model{Seed{1}};
    callbacks::EarlyStopping stopping{.patience = 2};
    const auto epoch = [&](double loss, float weight) {
        model.parameters().layer<0>().kernel(0, 0) = weight;
        Epoch e{};
        e.validation.loss = loss;
        return stopping(e, model);
    };
    CHECK(epoch(3.0, 1.0f) == After::proceed);
    CHECK(epoch(2.0, 2.0f) == After::proceed);
    CHECK(epoch(2.5, 3.0f) == After::proceed);
    CHECK(epoch(2.1, 4.0f) == After::stop);
    stopping.finish(model);
    CHECK(model.parameters().layer<0>().kernel(0, 0) == 2.0f);
}

TEST_CASE("fit ends where a callback says so")
{
    using Net = Network<Input<2>, Dense<1>>;
    const data::TensorDataset<Shape<2>, Shape<1>> dataset{std::vector<float>{1, 2, 3, 4}, std::vector<float>{1, 0}};
    Model<Net> model{Seed{1}};
    int seen = 0;
    const History history = Trainer{model, MeanSquaredError{}, SGD{}}.fit(
        dataset, {.epochs = 10, .progress = Progress::silent}, [&](const Epoch&) { ++seen; },
        [](const Epoch& epoch) { return epoch.number == 3 ? After::stop : After::proceed; });
    CHECK(history.size() == 3);
    CHECK(seen == 3);
}
