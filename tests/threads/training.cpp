// SPDX-License-Identifier: BSL-1.0
// Training gives the same bits for any number of threads: weights, losses and validation, with modifiers as without.
#include <tenon/data/augment.hpp>
#include <tenon/data/transforms.hpp>
#include <tenon/optimizers/lamb.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace tenon;

namespace {

template <class Net, class Optimizer, class... Modifiers>
void same_for_all_threads(std::size_t rows, int batch, Optimizer optimizer, Modifiers... modifiers)
{
    std::vector<float> inputs(rows * Net::input_shape::size);
    std::vector<std::int32_t> labels(rows);
    Random random{Seed{9}};
    for (float& value : inputs) value = static_cast<float>(random.normal());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(Net::output_shape::size));
    const data::TensorDataset<typename Net::input_shape, data::Label> dataset{inputs, labels, Net::output_shape::size};

    std::uint64_t fingerprint = 0;
    Epoch last{};
    for (const int threads : {1, 2, 3, 4, 8}) {
        Model<Net> model{Seed{4}};
        Trainer trainer{model, CrossEntropy{}, optimizer, modifiers...};
        const History history = trainer.fit(dataset, {.epochs = 2,
                                                      .batch_size = batch,
                                                      .validation = &dataset,
                                                      .threads = threads,
                                                      .progress = Progress::silent});
        CAPTURE(threads);
        if (threads == 1) {
            fingerprint = model.parameters().fingerprint();
            last = history.back();
        }
        CHECK(model.parameters().fingerprint() == fingerprint);
        CHECK(history.back().training.loss == last.training.loss);
        CHECK(history.back().validation.loss == last.validation.loss);
        CHECK(history.back().validation.accuracy == last.validation.accuracy);
    }
}

}  // namespace

TEST_CASE("a multilayer perceptron with dropout")
{
    same_for_all_threads<Network<Input<50>, Dense<40>, ReLU, Dropout<Rate<1, 5>>, Dense<10>, Softmax>>(333, 32, Adam{});
    same_for_all_threads<Network<Input<5>, Dense<3>, Tanh, Dense<2>>>(40, 17,
                                                                      SGD{.learning_rate = 0.1, .momentum = 0.9});
}

TEST_CASE("blocks, normalisation, activations with state")
{
    same_for_all_threads<Network<Input<20>, Dense<33>, GELU, LayerNorm, PReLU, Residual<Dense<33>, Tanh>,
                                 Concat<Dense<5>, Sequential<Dense<7>, ELU>>, Dense<10>, Softmax>>(150, 33, AdamW{});
}

TEST_CASE("a convolutional network with batch normalisation and dropout")
{
    same_for_all_threads<Network<Input<12, 12, 3>, Conv2D<8, Kernel<3>, Padding<Same>>, BatchNorm, ReLU, MaxPool2D<2>,
                                 Dropout<Rate<1, 4>>, Residual<Conv2D<8, Kernel<3>, Padding<Same>>, BatchNorm>,
                                 DepthwiseConv2D<Kernel<3>>, GlobalAveragePool2D, Dense<10>, Softmax>>(60, 25, Adam{});
}

TEST_CASE("stored gradients: accumulated, penalised, clipped by their norm, averaged, by layer")
{
    // More than one piece of 4096 values in a slot, and an odd rest.
    using Mlp = Network<Input<150>, Dense<77>, ReLU, Dropout<Rate<1, 5>>, Dense<10>, Softmax>;
    same_for_all_threads<Mlp>(200, 16, Adam{}, Accumulate{3}, ClipNorm{0.5}, L2{1e-3}, AverageWeights{});
    same_for_all_threads<Mlp>(200, 16, LAMB{}, learning_rate_of("dense_2", 0.3));
    same_for_all_threads<Mlp>(200, 16, Adam{}, ClipValue{0.01}, AverageWeights{});
    using Cnn = Network<Input<12, 12, 3>, Conv2D<8, Kernel<3>>, BatchNorm, ReLU, MaxPool2D<2>,
                        Residual<Conv2D<8, Kernel<3>, Padding<Same>>, PReLU>, GlobalAveragePool2D, Dense<10>, Softmax>;
    same_for_all_threads<Cnn>(60, 25, Adam{}, Accumulate{2}, ClipNorm{0.1}, freeze("conv2d_1"), L1{1e-4});
}

TEST_CASE("augmented images, mixed, with weights of rows and classes")
{
    using Net = Network<Input<10, 10, 1>, Conv2D<6, Kernel<3>>, ReLU, Flatten, Dense<4>, Softmax>;
    using Images = data::TensorDataset<Shape<10, 10, 1>, data::Label>;
    std::vector<float> inputs(70 * 100), weights(70);
    std::vector<std::int32_t> labels(70);
    Random random{Seed{9}};
    for (float& value : inputs) value = static_cast<float>(random.normal());
    for (float& value : weights) value = static_cast<float>(random.uniform());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(4));
    const data::Augment vary{data::Shift{0.2}, data::Rotate{20}, data::Elastic{3, 2}, data::Cutout{3},
                             data::Noise{0.1}};
    const auto varied = vary(Images{inputs, labels, 4});
    const auto mixture = data::mixed(data::one_hot<4>(varied), data::Mixup{});
    const auto trained = [&](const auto& dataset, int threads, auto options) {
        options.epochs = 2;
        options.threads = threads;
        options.progress = Progress::silent;
        options.sample_weights = weights;
        Model<Net> model{Seed{4}};
        Trainer trainer{model, CrossEntropy{}, Adam{}};
        trainer.fit(dataset, options);
        return model.parameters().fingerprint();
    };
    FitOptions<std::remove_const_t<decltype(varied)>> by_class;
    by_class.class_weights = {1, 2, 3, 0.5};
    const FitOptions<std::remove_const_t<decltype(mixture)>> plain;
    const std::uint64_t first = trained(varied, 1, by_class), second = trained(mixture, 1, plain);
    CHECK(first != second);
    for (const int threads : {2, 3, 8}) {
        CAPTURE(threads);
        CHECK(trained(varied, threads, by_class) == first);
        CHECK(trained(mixture, threads, plain) == second);
    }
}

TEST_CASE("threads of the caller's own")
{
    using Net = Network<Input<30>, Dense<40>, ReLU, Dense<4>>;
    std::vector<float> inputs(64 * 30, 0.5f);
    std::vector<std::int32_t> labels(64, 3);
    const data::TensorDataset<Shape<30>, data::Label> dataset{inputs, labels, 4};
    ThreadPool pool{3};
    Model<Net> alone{Seed{1}}, together{Seed{1}};
    Trainer{alone, CrossEntropy{}, Adam{}}.fit(dataset, {.progress = Progress::silent});
    Trainer{together, CrossEntropy{}, Adam{}}.fit(dataset, {.progress = Progress::silent, .team = pool.team()});
    CHECK(alone.parameters().fingerprint() == together.parameters().fingerprint());
    CHECK(evaluate(alone, dataset, CrossEntropy{}).loss == evaluate(alone, dataset, CrossEntropy{}, pool.team()).loss);
}
