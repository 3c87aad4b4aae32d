// SPDX-License-Identifier: BSL-1.0
// What int8 costs on Fashion-MNIST: the share of right answers of a trained network, in float and after quantisation.
#include <tenon/compression/quantization_aware.hpp>
#include <tenon/data/idx.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

using namespace tenon;

TEST_CASE("int8: an MLP on Fashion-MNIST loses next to nothing, whatever the calibration")
{
    using Mlp = Network<Input<28, 28, 1>, Flatten, Dense<128>, ReLU, Dense<10>, Softmax>;
    const auto dataset = data::load_idx<Shape<28, 28, 1>>(TENON_FASHION_MNIST);
    Model<Mlp> model{Seed{42}};
    Trainer{model, CrossEntropy{}, Adam{}}.fit(dataset.train,
                                               {.epochs = 2, .batch_size = 64, .progress = Progress::silent});
    const double exact = evaluate(model, dataset.test, CrossEntropy{}).accuracy;
    REQUIRE(exact > 0.83);
    for (const Calibration method :
         {Calibration::mse, Calibration::min_max, Calibration::percentile, Calibration::entropy}) {
        const double rounded = accuracy(quantize(model, dataset.train, {.method = method}), dataset.test);
        CAPTURE(exact);
        CAPTURE(static_cast<int>(method));
        CHECK(rounded > exact - 0.005);
    }

    // An epoch on the integers' grids, and the same in float.
    const auto further = [&](auto more) {
        Trainer{more, CrossEntropy{}, Adam{.learning_rate = 3e-4}}.fit(
            dataset.train, {.epochs = 1, .batch_size = 64, .progress = Progress::silent});
        return more;
    };
    const double trained = evaluate(further(model), dataset.test, CrossEntropy{}).accuracy;
    const double aware = accuracy(quantize(further(quantization_aware(model, dataset.train))), dataset.test);
    CAPTURE(trained);
    CHECK(aware > trained - 0.003);  // 0.001 in the mean of several seeds
    CHECK(aware > exact);
}
