// SPDX-License-Identifier: BSL-1.0
// One build: everything that promises the same bits everywhere, and a network trained and asked.
#include <tenon/tenon.hpp>

#include "report.hpp"

#include <numeric>
#include <vector>

#define TENON_TEST_CONCAT(a, b) a##b
#define TENON_TEST_JOIN(a, b) TENON_TEST_CONCAT(a, b)
#define TENON_TEST_STRING(a) #a
#define TENON_TEST_NAME(a) TENON_TEST_STRING(a)

using namespace tenon;

namespace {

using Net =
    Network<Input<30>, Dense<40>, ReLU, Dropout<Rate<1, 4>>, LayerNorm, Residual<Dense<40>, GELU>, Dense<10>, Softmax>;
using Orthogonal = Network<Input<60>, Dense<50, KernelInitializer<init::orthogonal>>>;
using Dataset = data::TensorDataset<Shape<30>, data::Label>;

// Ten clouds around ten points.
Dataset clouds()
{
    Random random{Seed{1}};
    std::vector<float> x, centres(300);
    std::vector<std::int32_t> labels;
    for (float& value : centres) value = static_cast<float>(2 * random.normal());
    for (std::int32_t i = 0; i < 300; ++i) {
        labels.push_back(i % 10);
        for (std::int32_t j = 0; j < 30; ++j)
            x.push_back(centres[static_cast<std::size_t>(i % 10 * 30 + j)] + static_cast<float>(random.normal()));
    }
    return {x, labels};
}

}  // namespace

Report TENON_TEST_JOIN(report_of_, TENON_TEST_BUILD)()
{
    Report report{};
    report.build = TENON_TEST_NAME(TENON_TEST_BUILD);
    report.topology = Net::hash;
    Model<Net> model{Seed{42}};
    report.weights = model.parameters().fingerprint();
    report.fine_weights = Model<Net, Float64>{Seed{42}}.parameters().fingerprint();
    report.orthogonal = Model<Orthogonal, Float64>{Seed{42}}.parameters().fingerprint();

    std::vector<std::uint32_t> order(100);
    std::iota(order.begin(), order.end(), 0u);
    Random{Seed{3}, 4}.shuffle(order.data(), order.size());
    for (const std::uint32_t i : order) report.order = mix_bits(report.order ^ i);

    using Mask = Network<Input<64>, Dropout<Rate<1, 2>>>;
    Tape<Mask::chain, float> tape{1};
    const std::vector<float> ones(64, 1.0f);
    train_forward<Mask::chain>(1, static_cast<const float*>(nullptr), ones.data(), tape, tape.context(Seed{7}, 8));
    for (std::size_t i = 0; i < 64; ++i) report.mask |= static_cast<std::uint64_t>(tape.output()[i] != 0.0f) << i;

    const Dataset data = clouds();
    const auto probabilities = model.predict(data.input(0));
    for (std::size_t i = 0; i < 10; ++i) report.probabilities[i] = static_cast<double>(probabilities[i]);
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.003}};
    trainer.fit(data, {.epochs = 5, .batch_size = 16, .progress = Progress::silent});
    const Evaluation evaluation = evaluate(model, data, CrossEntropy{});
    report.trained_loss = evaluation.loss;
    report.trained_accuracy = evaluation.accuracy;
    return report;
}
