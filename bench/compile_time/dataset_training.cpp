// SPDX-License-Identifier: BSL-1.0
// The main job whole: reads Fashion-MNIST or MNIST, fits, validates, evaluates, saves.
#include <tenon/data/idx.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/tenon.hpp>

#include <cstdio>

using Net = tenon::Network<tenon::Input<28, 28, 1>, tenon::Flatten, tenon::Dense<128>, tenon::ReLU, tenon::Dense<10>,
                           tenon::Softmax>;

int main(int argc, char** argv)
{
    if (argc != 3) return 2;
    const auto dataset = tenon::data::load_idx<tenon::Shape<28, 28, 1>>(argv[1]);
    tenon::Model<Net> model{tenon::Seed{42}};
    tenon::Trainer trainer{model, tenon::CrossEntropy{}, tenon::Adam{}};
    trainer.fit(dataset.train, {.epochs = 5, .batch_size = 32, .validation = &dataset.test});
    std::printf("accuracy %.4f\n", tenon::evaluate(model, dataset.test, tenon::CrossEntropy{}).accuracy);
    tenon::save(model, argv[2]);
}
