// SPDX-License-Identifier: BSL-1.0
//
// On the host: quantises the networks of int8_networks.hpp and writes their headers for a board.
//   int8_weights <dsp | scalar | neon> <folder>
#include "int8_networks.hpp"

#include <tenon/compression/quantize.hpp>
#include <tenon/io/export_header.hpp>

#include <cstdio>
#include <cstring>

using namespace tenon;

namespace {

template <class Net>
void write(std::uint64_t seed, const std::string& folder, const ExportOptions& options)
{
    const Model<Net> model{Seed{seed}};
    std::vector<float> examples(64 * Net::input_shape::size);
    Random random{Seed{seed + 1}};
    for (float& value : examples) value = static_cast<float>(2.0 * random.uniform() - 1.0);
    export_header(quantize(model, std::span<const float>(examples)), folder + "/" + options.name + ".hpp", options);
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc < 3) return 2;
    const Int8Target target = std::strcmp(argv[1], "dsp") == 0    ? targets::cortex_m_dsp
                              : std::strcmp(argv[1], "neon") == 0 ? targets::neon
                                                                  : targets::scalar;
    try {
        write<Perceptron>(1, argv[2], {.target = target, .name = "perceptron"});
        write<Everything>(3, argv[2], {.target = target, .name = "everything"});
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
