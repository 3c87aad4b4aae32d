// SPDX-License-Identifier: BSL-1.0
// Callbacks that act on a run: a learning rate reduced on a plateau, and what each hook sees, in which order.
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace tenon;

namespace {

using Points = data::TensorDataset<Shape<2>, data::Label>;
using Net = Network<Input<2>, Dense<3>>;

Points points()
{
    return {std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 1}, std::vector<std::int32_t>{0, 1, 2, 1, 0}, 3};
}

Epoch after(double loss, double validation = std::numeric_limits<double>::quiet_NaN())
{
    Epoch epoch;
    epoch.training.loss = loss;
    epoch.validation.loss = validation;
    return epoch;
}

std::vector<double> factors(callbacks::ReduceOnPlateau plateau, const std::vector<double>& losses)
{
    std::vector<double> result;
    for (const double loss : losses) {
        plateau(after(loss));
        result.push_back(plateau.rate_factor());
    }
    return result;
}

}  // namespace

TEST_CASE("a plateau reduces the rate: patience, cooldown, minimum, what counts as better")
{
    using callbacks::ReduceOnPlateau;
    using V = std::vector<double>;
    // The first two epochs are better; the third and fourth are not, nor the next two.
    CHECK(factors({.factor = 0.5, .patience = 2}, {3, 2, 2, 2.5, 2, 2, 1, 1, 1}) ==
          V{1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
    // Keras: the epoch in which the cooldown ends counts again.
    CHECK(factors({.factor = 0.5, .patience = 1, .cooldown = 2}, {2, 2, 2, 2, 2, 2}) ==
          V{1, 0.5, 0.5, 0.25, 0.25, 0.125});
    CHECK(factors({.factor = 0.1, .patience = 1, .minimum = 0.05}, {2, 2, 2, 2}) == V{1, 0.1, 0.05, 0.05});
    CHECK(factors({.factor = 0.5, .patience = 1, .min_delta = 0.1}, {2, 1.95, 1.85, 1.8}) == V{1, 0.5, 0.5, 0.25});
    // A loss that is no number is not better.
    CHECK(factors({.factor = 0.5, .patience = 1}, {2, std::nan(""), 1}) == V{1, 0.5, 0.5});
    // The validation's loss, where there is one.
    callbacks::ReduceOnPlateau plateau{.factor = 0.5, .patience = 1};
    plateau(after(3, 1));
    plateau(after(2, 1));
    CHECK(plateau.rate_factor() == 0.5);
}

TEST_CASE("factors of schedule and callbacks multiply, and reach the optimiser")
{
    struct Half {
        double rate_factor() const { return 0.5; }
        void operator()(const Epoch&) const {}
    };
    struct Rates {
        std::vector<double>& factors;
        std::vector<double>& rates;
        void step(const StepInfo& info) const
        {
            factors.push_back(info.rate_factor);
            rates.push_back(info.learning_rate);
        }
    };
    const Points data = points();
    const auto trained = [&](double rate, auto schedule, auto&&... callbacks) {
        Model<Net> model{Seed{1}};
        Trainer{model, CrossEntropy{}, SGD{.learning_rate = rate}}.fit(
            data, {.epochs = 2, .batch_size = 3, .schedule = schedule, .progress = Progress::silent}, callbacks...);
        return model.parameters().fingerprint();
    };
    std::vector<double> seen, rates;
    const auto schedule = [](std::uint64_t step) { return static_cast<double>(1 + step); };
    const std::uint64_t with = trained(0.5, schedule, Half{}, Half{}, Rates{seen, rates});
    CHECK(seen == std::vector<double>{0.25, 0.5, 0.75, 1.0});
    CHECK(rates == std::vector<double>{0.125, 0.25, 0.375, 0.5});
    CHECK(with == trained(0.125, schedule));
}

TEST_CASE("what is called when")
{
    struct Log {
        std::string& text;
        void begin(Run& run) { text += "begin " + std::to_string(run.epoch()) + ';'; }
        void step(const StepInfo& info, Model<Net>&)
        {
            text += "step " + std::to_string(info.number) + " of " + std::to_string(info.rows) + ';';
        }
        void operator()(const Epoch& epoch) { text += "epoch " + std::to_string(epoch.number) + ';'; }
        void checkpoint(Run& run)
        {
            text += "at " + std::to_string(run.steps()) + (run.between_epochs() ? "|" : "") +
                    (run.finished() ? "." : "") + ';';
        }
        void finish(Model<Net>&) { text += "finish"; }
    };
    const Points data = points();
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, SGD{}};
    std::string text;
    trainer.fit(data, {.epochs = 2, .batch_size = 3, .progress = Progress::silent}, Log{text});
    CHECK(text ==
          "begin 1;step 1 of 3;at 1;step 2 of 2;at 2;epoch 1;at 2|;step 3 of 3;at 3;step 4 of 2;at 4;epoch 2;at "
          "4|.;finish");
    text.clear();
    trainer.fit(data, {.epochs = 9, .batch_size = 5, .progress = Progress::silent}, Log{text},
                [](const Epoch&) { return After::stop; });
    CHECK(text == "begin 1;step 5 of 5;at 5;epoch 1;at 5|.;finish");
}
