// SPDX-License-Identifier: BSL-1.0
// The first 200 steps of 784-128-10 on Fashion-MNIST, from the same weights and the same order of rows as PyTorch's run.
#include "data/fashion_mnist.hpp"
#include "sequence.hpp"

#include <tenon/data/idx.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace tenon;
namespace golden_data = golden::fashion_mnist;

namespace {

using Mlp = Network<Input<28, 28, 1>, Flatten, Dense<128>, ReLU, Dense<10>, Softmax>;

// Glorot-sized uniform kernels from draws(200) and draws(201), zero biases.
Model<Mlp> make_model()
{
    Model<Mlp> model{Seed{1}};
    auto& parameters = model.parameters();
    std::uint64_t stream = 200;
    for (const SlotInfo& slot : parameters.slots()) {
        const bool kernel = slot.rank == 2;
        const double fans = kernel ? static_cast<double>(slot.extents[0] + slot.extents[1]) : 1.0;
        const auto values = kernel ? golden::draws<float>(stream++, slot.size, std::sqrt(6.0 / fans))
                                   : std::vector<float>(slot.size);
        for (std::size_t i = 0; i < slot.size; ++i) parameters.logical(slot, i) = values[i];
    }
    return model;
}

// Largest relative difference between the losses of the steps.
template <class Optimizer, std::size_t Steps>
double deviation(const Optimizer& optimizer, const double (&expected)[Steps])
{
    constexpr std::size_t batch = 32;
    const auto dataset = data::load_idx<Shape<28, 28, 1>>(TENON_FASHION_MNIST);
    const std::vector<std::uint32_t> order = golden::order(202, dataset.train.size());
    Model<Mlp> model = make_model();
    Trainer trainer{model, CrossEntropy{}, optimizer};
    std::vector<float> inputs(batch * 784);
    std::vector<std::int32_t> labels(batch);
    double worst = 0;
    for (std::size_t step = 0; step < Steps; ++step) {
        dataset.train.gather(std::span(order).subspan(step * batch, batch), inputs.data(), labels.data());
        const double loss = trainer.step(batch, inputs.data(), labels.data());
        worst = std::max(worst, std::abs(loss - expected[step]) / expected[step]);
    }
    return worst;
}

}  // namespace

TEST_CASE("the loss curve of Adam on Fashion-MNIST is PyTorch's")
{
    CHECK(deviation(Adam{.epsilon = pytorch_epsilon}, golden_data::adam_losses) < 1e-5);
}

TEST_CASE("the loss curve of SGD with momentum on Fashion-MNIST is PyTorch's")
{
    CHECK(deviation(SGD{.learning_rate = 0.05, .momentum = 0.9}, golden_data::sgd_losses) < 1e-5);
}
