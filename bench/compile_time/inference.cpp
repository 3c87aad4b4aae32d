// SPDX-License-Identifier: BSL-1.0
// A program that runs a network: weights in logical order from one file, images from standard input.
#include <tenon/inference.hpp>
#include <tenon/model/parameters.hpp>

#include "networks.hpp"

#include <cstdio>

int main(int argc, char** argv)
{
    std::FILE* file = argc > 1 ? std::fopen(argv[1], "rb") : nullptr;
    if (file == nullptr) return 2;
    tenon::Parameters<Net> parameters;
    for (const tenon::SlotInfo& slot : parameters.slots())
        for (std::size_t i = 0; i < slot.size; ++i)
            if (std::fread(&parameters.logical(slot, i), sizeof(float), 1, file) != 1) return 2;
    std::fclose(file);

    tenon::Session<Net> session{parameters};
    tenon::Tensor<float, Net::input_shape> image{};
    while (std::fread(image.data(), sizeof(float), image.size(), stdin) == image.size()) {
        for (const float probability : session.run(image)) std::printf("%.6f ", static_cast<double>(probability));
        std::putchar('\n');
    }
}
