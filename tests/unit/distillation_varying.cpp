// SPDX-License-Identifier: BSL-1.0
// Terms that change while a training runs, teachers that learn, and Gaussian policies.
#include <support/files.hpp>
#include <support/gradients.hpp>

#include <tenon/distillation.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/checkpoint.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace tenon;
using namespace tenon::distillation;

namespace {

using Net = Network<Input<6>, Dense<12>, Tanh, Dense<4>>;
using Samples = data::TensorDataset<Shape<6>, data::Label>;

std::vector<double> numbers(std::size_t count, std::uint64_t stream, double scale = 1)
{
    Random random{Seed{4}, stream};
    std::vector<double> values(count);
    for (double& value : values) value = scale * random.normal();
    return values;
}

Samples dataset(std::size_t rows)
{
    std::vector<float> inputs;
    for (const double value : numbers(6 * rows, 1)) inputs.push_back(static_cast<float>(value));
    std::vector<std::int32_t> labels(rows);
    for (std::size_t r = 0; r < rows; ++r)
        labels[r] = inputs[6 * r] > 0 ? inputs[6 * r + 1] > 0 : inputs[6 * r + 2] > 0 ? 2 : 3;
    return {inputs, labels, 4};
}

template <class Term>
double value(const Term& term, const std::vector<double>& y, const std::vector<double>& teacher,
             std::vector<double>& dy)
{
    dy.assign(y.size(), 7.0);
    const std::vector<std::int32_t> labels(y.size() / 4);
    return term.template operator()<Shape<4>>(y.size() / 4, y.data(), teacher.data(), labels.data(), dy.data(), 1.0);
}

template <class M>
std::vector<float> weights(const M& model)
{
    return {model.parameters().data(), model.parameters().data() + model.parameters().size()};
}

}  // namespace

TEST_CASE("a temperature goes from one value to another, step by step")
{
    const Annealed annealed{SoftTargets{}, {.from = 10, .to = 2, .steps = 4}};
    CHECK(annealed.at(0).temperature == 10);
    CHECK(annealed.at(1).temperature == 8);
    CHECK(annealed.at(4).temperature == 2);
    CHECK(annealed.at(100).temperature == 2);
    const std::vector<double> y = numbers(8, 1, 3), teacher = numbers(8, 2, 3);
    std::vector<double> dy, wanted;
    CHECK(value(annealed, y, teacher, dy) == value(SoftTargets{.temperature = 2}, y, teacher, wanted));
    CHECK(dy == wanted);

    // In a training it is the trainer's step that counts: with a single step to go, only the first one differs.
    const Model<Net> guide{Seed{1}};
    const Samples rows = dataset(60);
    const auto after = [&](int steps, auto term) {
        Model<Net> student{Seed{2}};
        Trainer trainer{student, Objective{guide, term}, SGD{.learning_rate = 0.1}};
        trainer.fit(rows, {.epochs = 1, .batch_size = 60 / steps, .progress = Progress::silent});
        return weights(student);
    };
    CHECK(after(1, Annealed{SoftTargets{}, {.from = 9, .to = 1, .steps = 1}}) ==
          after(1, SoftTargets{.temperature = 9}));
    CHECK(after(2, Annealed{SoftTargets{}, {.from = 9, .to = 1, .steps = 1}}) !=
          after(2, SoftTargets{.temperature = 9}));
    CHECK(after(2, Annealed{SoftTargets{}, {.from = 9, .to = 1, .steps = 0}}) ==
          after(2, SoftTargets{.temperature = 1}));
}

TEST_CASE("a weight grows from nothing")
{
    const std::vector<double> y = numbers(8, 1, 3), teacher = numbers(8, 2, 3);
    std::vector<double> dy, wanted;
    const WarmedUp warmed{Decoupled{}, 10};
    const double whole = value(Decoupled{}, y, teacher, wanted);
    CHECK(value(warmed, y, teacher, dy) == whole);
    CHECK(dy == wanted);
    CHECK(value(warmed.at(5), y, teacher, dy) == doctest::Approx(0.5 * whole));
    for (std::size_t i = 0; i < dy.size(); ++i) CHECK(dy[i] == doctest::Approx(0.5 * wanted[i]));
    CHECK(value(warmed.at(0), y, teacher, dy) == 0);
    for (const double g : dy) CHECK(g == 0);
}

TEST_CASE("each row has the temperature that the teacher's confidence gives it")
{
    const std::vector<double> y = numbers(4, 1, 3);
    std::vector<double> dy, wanted;
    // All classes alike: 1 + 3/4. One class for sure: the whole temperature.
    const std::vector<double> unsure(4, 2.0), sure{80, 0, 0, 0};
    CHECK(value(ByConfidence{SoftTargets{.temperature = 4}}, y, unsure, dy) ==
          doctest::Approx(value(SoftTargets{.temperature = 1.75}, y, unsure, wanted)));
    for (std::size_t i = 0; i < 4; ++i) CHECK(dy[i] == doctest::Approx(wanted[i]));
    CHECK(value(ByConfidence{SoftTargets{.temperature = 4}}, y, sure, dy) ==
          doctest::Approx(value(SoftTargets{.temperature = 4}, y, sure, wanted)));
    const Model<Net, Float64> guide{Seed{3}};
    gradients::check<Net>(Objective{guide, ByConfidence{SoftTargets{}}}, {1, 5});
    gradients::check<Net>(Objective{guide, ByConfidence{Decoupled{}}}, {1, 5});
}

TEST_CASE("the divergence of Gaussian policies")
{
    const auto one = [](double m, double l, double teacher_m, double teacher_l, double* dy) {
        const double y[] = {m, l}, teacher[] = {teacher_m, teacher_l};
        return GaussianPolicy{}.operator()<Shape<2>>(1, y, teacher, y, dy, 1.0);
    };
    double dy[2];
    CHECK(one(0.3, -0.5, 0.3, -0.5, dy) == 0);
    CHECK(dy[0] == 0);
    CHECK(dy[1] == 0);
    // log(σ_s / σ_t) + (σ_t² + d²) / (2 σ_s²) - ½ with σ_s = 2, σ_t = 1/2, d = 3
    CHECK(one(1, std::log(2.0), 4, std::log(0.5), dy) == doctest::Approx(std::log(4.0) + 9.25 / 8 - 0.5));
    CHECK(dy[0] == doctest::Approx(-0.75));
    CHECK(dy[1] == doctest::Approx(1 - 9.25 / 4));
    const Model<Net, Float64> guide{Seed{3}};
    gradients::check<Net>(Objective{guide, GaussianPolicy{}}, {1, 5});
    using Sequence = Network<Input<3, 4>, LayerNorm, Tanh>;
    const Model<Network<Input<3, 4>, LayerNorm>, Float64> sequence{Seed{4}};
    gradients::check<Sequence>(Objective{sequence, GaussianPolicy{}});
}

TEST_CASE("two networks teach one another: each takes its step with the other as it is by then")
{
    const Samples rows = dataset(90);
    const auto start = [](std::uint64_t seed) { return Model<Net>{Seed{seed}}; };
    Model<Net> a = start(1), b = start(2);
    Trainer first{a, Objective{b, CrossEntropy{}, SoftTargets{.temperature = 1}}, SGD{.learning_rate = 0.1}};
    Trainer second{b, Objective{a, CrossEntropy{}, SoftTargets{.temperature = 1}}, SGD{.learning_rate = 0.1}};
    const auto losses = fit_together(rows, {.epochs = 30, .batch_size = 40}, first, second);
    REQUIRE(losses.size() == 30);
    REQUIRE(losses[0].size() == 2);
    for (std::size_t i = 0; i < 2; ++i) CHECK(losses.back()[i] < 0.8 * losses.front()[i]);

    // By hand, one epoch.
    Model<Net> c = start(1), d = start(2), e = start(1), f = start(2);
    Trainer third{c, Objective{d, SoftTargets{}}, SGD{.learning_rate = 0.1}};
    Trainer fourth{d, Objective{c, SoftTargets{}}, SGD{.learning_rate = 0.1}};
    fit_together(rows, {.epochs = 1, .batch_size = 90, .shuffle = false}, third, fourth);
    std::vector<float> inputs(540);
    std::vector<std::int32_t> labels(90);
    std::vector<std::uint32_t> all(90);
    for (std::size_t i = 0; i < 90; ++i) all[i] = static_cast<std::uint32_t>(i);
    rows.gather(all, inputs.data(), labels.data());
    Trainer{e, Objective{f, SoftTargets{}}, SGD{.learning_rate = 0.1}}.step(90, inputs.data(), labels.data());
    Trainer{f, Objective{e, SoftTargets{}}, SGD{.learning_rate = 0.1}}.step(90, inputs.data(), labels.data());
    CHECK(weights(c) == weights(e));
    CHECK(weights(d) == weights(f));
}

TEST_CASE("a moving average of the student teaches it")
{
    const Samples rows = dataset(80);
    Model<Net> student{Seed{1}};
    const MovingTeacher average{student, 0.6};
    const std::vector<float> before = weights(student);
    std::vector<double> wanted(before.begin(), before.end());
    std::vector<std::vector<float>> seen;
    Trainer trainer{student, Objective{average, CrossEntropy{}, SoftTargets{}}, SGD{.learning_rate = 0.1}};
    struct Watch {
        std::vector<std::vector<float>>* seen;
        void step(const StepInfo&, Model<Net>& model) { seen->push_back(weights(model)); }
    };
    trainer.fit(rows, {.epochs = 2, .batch_size = 20, .progress = Progress::silent}, Watch{&seen});
    REQUIRE(seen.size() == 8);
    // Before step t (from 1) it takes in what step t - 1 left; α = min(0.6, 1 - 1 / t).
    for (std::size_t t = 1; t <= 8; ++t) {
        const std::vector<float>& now = t == 1 ? before : seen[t - 2];
        const double keep = std::min(0.6, 1 - 1 / static_cast<double>(t));
        for (std::size_t i = 0; i < wanted.size(); ++i)
            wanted[i] = keep * wanted[i] + (1 - keep) * static_cast<double>(now[i]);
    }
    const std::vector<float> found = weights(average.model());
    for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(found[i] == doctest::Approx(wanted[i]).epsilon(1e-4));
    CHECK_THROWS_AS((MovingTeacher{student, 1.0}), Error);
}

TEST_CASE("a run that goes on from a checkpoint has what its terms have learned")
{
    const Model<Net> guide{Seed{1}};
    const Samples rows = dataset(100);
    const Objective objective{guide,
                              0.5 * CrossEntropy{},
                              Hint<At<0>, At<1>, Adapter<Dense<12>>>{},
                              Variational<At<1>, At<1>>{},
                              Annealed{SoftTargets{}, {.from = 8, .to = 1, .steps = 30}},
                              Contrastive<At<1>, At<1>, 8>{},
                              ContrastiveBank<At<1>, At<1>, 8>{.rows = 100, .negatives = 20}};
    struct Stop {
        std::uint64_t number;
        void step(const StepInfo& info, Model<Net>&)
        {
            if (info.number == number) throw number;
        }
    };
    const auto run = [&](std::uint64_t stop, auto&&... callbacks) {
        Model<Net> student{Seed{2}};
        Trainer trainer{student, objective, Adam{}};
        const History history = trainer.fit(rows, {.epochs = 3, .batch_size = 10, .progress = Progress::silent},
                                            Stop{stop}, callbacks...);
        std::vector<double> outcome;
        for (const float weight : weights(student)) outcome.push_back(static_cast<double>(weight));
        for (const Epoch& epoch : history)
            for (const LossPart& part : epoch.parts) outcome.push_back(part.value);
        return outcome;
    };
    const std::vector<double> whole = run(0);
    CHECK(whole.size() == Parameters<Net>::storage + 18);
    for (const std::uint64_t stop : {3u, 14u, 26u}) {
        const support::Folder folder;
        CHECK_THROWS_AS(run(stop, callbacks::Checkpoint{folder / "run", {.every_steps = 2}}), std::uint64_t);
        callbacks::Checkpoint checkpoint{folder / "run", {.every_steps = 2}};
        CHECK(run(0, checkpoint) == whole);
        CHECK(!checkpoint.resumed_from().empty());
    }
}
