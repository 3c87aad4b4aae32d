// SPDX-License-Identifier: BSL-1.0
//
// 2. The classic: a multilayer perceptron that tells images apart, as in the first Keras tutorial.
//    02_mlp <folder with the four IDX files of MNIST or Fashion-MNIST> <epochs>
#include <tenon/data/idx.hpp>
#include <tenon/data/transforms.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/tenon.hpp>

#include <cstdio>
#include <cstdlib>

using namespace tenon;

// In Keras: Flatten(input_shape=(28, 28, 1)), Dense(128, relu), Dropout(0.1), Dense(10, softmax).
// A size is stated once: what comes in is known from the layer before.
using Mlp = Network<Input<28, 28, 1>, Flatten, Dense<128>, ReLU, Dropout<Rate<1, 10>>, Dense<10>, Softmax>;

int main(int argc, char** argv)
try {
    if (argc < 3) {
        std::fprintf(stderr, "usage: %s <folder with the IDX files> <epochs>\n", argv[0]);
        return 2;
    }
    // Pixels stay bytes in memory and become numbers in [0, 1] when a batch is gathered.
    const auto dataset = data::load_idx<Shape<28, 28, 1>>(argv[1]);

    // Keep 6,000 training images apart, to watch how well the network does on images that it is not trained on.
    const auto [train, validation] = data::split(dataset.train, 0.1, Seed{7});

    Model<Mlp> model{Seed{42}};
    std::puts(summary<Mlp>().c_str());

    // CrossEntropy takes the place of the final Softmax in training: together they are one stable formula. Threads = 0 means
    // all cores; any number of threads gives the same bits.
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 1e-3}};
    const History history = trainer.fit(
        train, {.epochs = std::atoi(argv[2]), .batch_size = 32, .validation = &validation, .threads = 0});

    const Evaluation test = evaluate(model, dataset.test, CrossEntropy{});
    std::printf("test loss %.4f, accuracy %.4f\n", test.loss, test.accuracy);

    // One tensor per parameter, in Keras's order: any program that reads safetensors can use the file.
    save(model, "mlp.safetensors");
    Model<Mlp> restored{uninitialized};
    load(restored, "mlp.safetensors");

    const Tensor<float, Shape<10>> probabilities = restored.predict(dataset.test.input(0));
    const std::size_t best = argmax(probabilities);
    std::printf("the first test image is class %zu with probability %.3f; its label is %d\n", best,
                static_cast<double>(probabilities[best]), static_cast<int>(dataset.test.label(0)));
    return test.accuracy > 0.8 ? 0 : 1;
} catch (const Error& error) {
    // Every message names the file, the place, what was expected and what was found.
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
