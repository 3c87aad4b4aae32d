// SPDX-License-Identifier: BSL-1.0
//
// 10. A small convolutional network on images of clothes: trained, evaluated, saved, loaded again, asked.
//     10_cnn <folder with the four IDX files of Fashion-MNIST> <training images> <epochs>
#include <tenon/data/idx.hpp>
#include <tenon/data/transforms.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/tenon.hpp>

#include <cstdio>
#include <cstdlib>

using namespace tenon;

// Moving statistics that remember ten steps: Keras's default of a hundred (Momentum<99, 100>) is for longer runs.
using Norm = BatchNormWith<Momentum<9, 10>>;

// Images keep their height and width until Flatten.
using Cnn = Network<Input<28, 28, 1>, Conv2D<16, Kernel<3>, Padding<Same>>, Norm, ReLU, MaxPool2D<2>,
                    Conv2D<32, Kernel<3>>, Norm, ReLU, MaxPool2D<2>, Flatten, Dense<10>, Softmax>;
static_assert(std::is_same_v<Cnn::shape_after<3>, Shape<14, 14, 16>>);
static_assert(std::is_same_v<Cnn::shape_after<7>, Shape<6, 6, 32>>);

// BatchNorm's moving means and variances are parameters that no optimiser moves.
static_assert(Cnn::parameter_count - Cnn::trainable_count == 2 * 16 + 2 * 32);

constexpr const char* classes[] = {"T-shirt", "trousers", "pullover", "dress", "coat",
                                   "sandal",  "shirt",    "sneaker",  "bag",   "ankle boot"};

int main(int argc, char** argv)
try {
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s <folder with the IDX files> <training images> <epochs>\n", argv[0]);
        return 2;
    }
    const auto dataset = data::load_idx<Shape<28, 28, 1>>(argv[1]);
    // A tenth is kept apart to watch the training by; the test images are looked at once, at the end.
    const auto [train, validation] = data::split(
        data::take(dataset.train, static_cast<std::size_t>(std::atoi(argv[2]))), 0.1, Seed{4});
    const int epochs = std::atoi(argv[3]);
    std::puts(summary<Cnn>().c_str());

    // The learning rate rises for 50 steps, then falls along half a cosine to zero.
    const int steps = epochs * static_cast<int>((train.size() + 63) / 64);
    Model<Cnn> model{Seed{3}};
    Trainer trainer{model, CrossEntropy{.label_smoothing = 0.1}, AdamW{.learning_rate = 5e-3}};
    trainer.fit(train, {.epochs = epochs,
                        .batch_size = 64,
                        .validation = &validation,
                        .threads = 0,
                        .schedule = schedules::cosine(steps, {.warmup_steps = 50})});

    const Evaluation test = evaluate(model, dataset.test, CrossEntropy{});
    std::printf("test loss %.4f, accuracy %.4f\n", test.loss, test.accuracy);
    std::puts(confusion_matrix(model, dataset.test).text().c_str());

    // The moving statistics are saved with the weights: without them the loaded network would compute something else.
    save(model, "cnn.safetensors");
    Model<Cnn> restored{uninitialized};
    load(restored, "cnn.safetensors");
    if (restored.parameters().fingerprint() != model.parameters().fingerprint()) return 1;

    for (std::size_t i = 0; i < 8; ++i) {
        const Tensor<float, Shape<10>> probabilities = restored.predict(dataset.test.input(i));
        const std::size_t best = argmax(probabilities);
        std::printf("test image %zu: %-10s %3.0f %%, labelled %s\n", i, classes[best],
                    100 * static_cast<double>(probabilities[best]), classes[dataset.test.label(i)]);
    }
    return test.accuracy > 0.7 ? 0 : 1;
} catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
