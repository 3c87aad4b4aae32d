// SPDX-License-Identifier: BSL-1.0
//
// 1. A first network: exclusive or, the smallest problem that a single layer cannot solve.
//
// You write a network as a type, give it weights by making a Model, let a Trainer change the weights, and ask the model.
#include <tenon/tenon.hpp>

#include <cstdio>

using namespace tenon;

// Two numbers in, eight hidden units with tanh between, one number out: the logit of "yes".
using Xor = Network<Input<2>, Dense<8>, Tanh, Dense<1>>;

// The compiler knows everything about a network but its weights: 2·8 + 8 weights and biases, then 8·1 + 1.
static_assert(Xor::parameter_count == 33);

int main()
{
    // Four rows of two numbers, one label (0 or 1) each.
    const data::TensorDataset<Shape<2>, data::Label> dataset{std::vector<float>{0, 0, 0, 1, 1, 0, 1, 1},
                                                             std::vector<std::int32_t>{0, 1, 1, 0}};

    // The seed decides the first weights: the same seed gives the same weights on every machine.
    Model<Xor> model{Seed{1}};

    // The loss says what to learn (a yes-or-no answer), the optimiser how. All options have a default and a name.
    Trainer trainer{model, BinaryCrossEntropy{}, Adam{.learning_rate = 0.05}};
    const History history = trainer.fit(dataset, {.epochs = 200, .batch_size = 4, .progress = Progress::silent});
    std::printf("loss %.4f after epoch 1, %.4f after epoch %d\n", history.front().training.loss,
                history.back().training.loss, history.back().number);

    int wrong = 0;
    for (std::size_t i = 0; i < dataset.size(); ++i) {
        const Tensor<float, Shape<2>> input = dataset.input(i);
        const Tensor<float, Shape<1>> logit = model.predict(input);
        const bool answer = logit[0] > 0;  // a logit above 0 is a probability above one half
        std::printf("%.0f xor %.0f: %s (logit %+.2f)\n", static_cast<double>(input[0]), static_cast<double>(input[1]),
                    answer ? "yes" : "no", static_cast<double>(logit[0]));
        wrong += answer != (dataset.label(i) == 1);
    }
    return wrong;
}

// To try: make the hidden layer two units wide, use ReLU instead of Tanh, or another seed. Then write Dense<1> where the
// input is an image, and read the error: docs/guide/errors.md explains it.
