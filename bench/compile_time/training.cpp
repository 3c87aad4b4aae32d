// SPDX-License-Identifier: BSL-1.0
// A program that trains a network on images and labels from memory, and evaluates it.
#include <tenon/tenon.hpp>

#include "networks.hpp"

#include <cstdio>
#include <vector>

int main()
{
    constexpr std::size_t count = 1024, size = Net::input_shape::size;
    std::vector<float> images(count * size);
    std::vector<std::int32_t> labels(count);
    tenon::Random random{tenon::Seed{1}};
    for (float& pixel : images) pixel = static_cast<float>(random.uniform());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(10));

    tenon::Model<Net> model{tenon::Seed{2}};
    tenon::Trainer trainer{model, tenon::CrossEntropy{}, tenon::Adam{}};
    for (std::size_t row = 0; row < count; row += 32)
        std::printf("loss %.6f\n", trainer.step(32, images.data() + row * size, labels.data() + row));
}
