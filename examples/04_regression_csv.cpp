// SPDX-License-Identifier: BSL-1.0
//
// 4. Regression: the period of a pendulum from its length and its amplitude, learned from a CSV file of 240 simulated
//    readings with 2 ms of noise.
//    04_regression_csv <examples/data/pendulum.csv>
#include <tenon/data/csv.hpp>
#include <tenon/data/transforms.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/tenon.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

using namespace tenon;

using Pendulum = Network<Input<2>, Dense<16>, Tanh, Dense<16>, Tanh, Dense<1>>;

int main(int argc, char** argv)
try {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s <pendulum.csv>\n", argv[0]);
        return 2;
    }
    // Two inputs and one target per row. Columns are named; without names the last one would be the target.
    const auto table = data::load_csv<Shape<2>, Shape<1>>(argv[1], {.targets = {"period_s"}});

    // A fifth of the rows is kept for validation. Metres and degrees become comparable: each input column gets mean 0 and
    // standard deviation 1, by the numbers of the training rows, which everything else is then scaled with.
    const auto [train_rows, validation_rows] = data::split(table.rows, 0.2, Seed{3});
    const data::Standardise standardise{train_rows};
    const auto train = standardise(train_rows), validation = standardise(validation_rows);

    Model<Pendulum> model{Seed{1}};
    Trainer trainer{model, MeanSquaredError{}, Adam{.learning_rate = 2e-2}};

    // The learning rate falls from step to step; the run ends when 200 epochs have brought nothing better, and the best
    // weights are put back.
    const History history = trainer.fit(train,
                                        {.epochs = 1500,
                                         .batch_size = 16,
                                         .validation = &validation,
                                         .schedule = schedules::cosine(1500 * 12, {.minimum = 0.01}),
                                         .progress = Progress::silent},
                                        callbacks::EarlyStopping{.patience = 200});
    const double error = std::sqrt(evaluate(model, validation, MeanSquaredError{}).loss);
    std::printf("%zu epochs, error %.1f ms (root mean square, validation)\n", history.size(), 1e3 * error);
    save(model, "pendulum.safetensors");

    // The formula that schools teach, T = 2 pi sqrt(L / g), knows nothing of the amplitude.
    for (const float degrees : {10.0f, 60.0f, 110.0f}) {
        const Tensor<float, Shape<2>> input{1.0f, degrees};
        const float period = model.predict(standardise(input))[0];
        std::printf("1 m, %3.0f degrees: %.3f s (small swings: %.3f s)\n", static_cast<double>(degrees),
                    static_cast<double>(period), 2 * 3.14159265 * std::sqrt(1.0 / 9.80665));
    }
    return error < 0.01 ? 0 : 1;
} catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
