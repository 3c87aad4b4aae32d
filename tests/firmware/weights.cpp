// SPDX-License-Identifier: BSL-1.0
//
// On the host: quantises the networks of networks.hpp and writes their headers for each kind of board, and what the float ones
// give here.
//   weights <folder>: writes <folder>/{dsp,scalar,neon}/<network>.hpp, <folder>/float/<network>.hpp and, of some networks,
//   <folder>/float/<network>_<type>.hpp
#include "networks.hpp"

#include <tenon/compression/prune.hpp>
#include <tenon/compression/quantize.hpp>
#include <tenon/io/export_header.hpp>
#include <tenon/model/stored.hpp>

#include <cstdio>
#include <filesystem>

using namespace tenon;

namespace {

template <class Net>
void write(const std::string& folder, const std::string& name, std::uint32_t seed, std::size_t rows)
{
    const auto weights = std::make_unique<FrozenWeights<Net>>();
    firmware::make_weights(*weights, seed);
    const Model<Net> model{*weights};

    std::vector<float> examples(rows * Net::input_shape::size);
    firmware::Numbers numbers{seed + 1};
    for (float& value : examples) value = numbers();
    const Model<Net, Int8> small = quantize(model, std::span<const float>(examples));
    export_header(small, folder + "/dsp/" + name + ".hpp", {.target = targets::cortex_m_dsp, .name = name});
    export_header(small, folder + "/scalar/" + name + ".hpp", {.target = targets::scalar, .name = name});
    export_header(small, folder + "/neon/" + name + ".hpp", {.target = targets::neon, .name = name});

    const auto input = std::make_unique<Tensor<float, typename Net::input_shape>>();
    firmware::make_input<Net>(*input, seed + 2);
    const auto output = model.predict(*input);
    std::string text = "namespace " + name + " {\nconst float expected[] = {";
    char value[40];
    for (std::size_t i = 0; i < output.size(); ++i) {
        std::snprintf(value, sizeof value, "%s%af,", i % 6 == 0 ? "\n    " : " ", static_cast<double>(output[i]));
        text += value;
    }
    text += "\n};\n}  // namespace " + name + "\n";
    io::AtomicFile<io::PosixSystem> file;
    Status status = file.create(folder + "/float/" + name + ".hpp");
    if (status) status = file.write(text.data(), text.size());
    if (status) status = file.commit();
    status.result().value_or_throw();
}

// The perceptron with that share of zeros in its first kernel; the last one stays as it is.
void write_pruned(const std::string& folder, const std::string& name, double sparsity)
{
    using Net = firmware::Perceptron;
    const auto weights = std::make_unique<FrozenWeights<Net>>();
    firmware::make_weights(*weights, 1);
    Model<Net> model{*weights};
    prune(model, {.sparsity = sparsity, .layers = {"dense_1"}});
    std::vector<float> examples(64 * Net::input_shape::size);
    firmware::Numbers numbers{2};
    for (float& value : examples) value = numbers();
    const Model<Net, Int8> small = quantize(model, std::span<const float>(examples));
    export_header(small, folder + "/dsp/" + name + ".hpp",
                  {.target = targets::cortex_m_dsp, .name = name, .skip_zeros = true});
    export_header(small, folder + "/scalar/" + name + ".hpp",
                  {.target = targets::scalar, .name = name, .skip_zeros = true});
}

// A header of the float weights as P stores them; without zeros where some are pruned.
template <class P, class Net>
void write_floats(const std::string& folder, const std::string& name, std::uint32_t seed, double sparsity = 0)
{
    const auto weights = std::make_unique<FrozenWeights<Net>>();
    firmware::make_weights(*weights, seed);
    for (const SlotInfo& slot : slot_table<Net, float>)
        for (std::size_t i = 0; slot.role == Role::statistics && i < slot.size; ++i) {
            float& value = weights->values[slot.offset + slot.index(i)];
            value = 0.5f + value * value;  // variances
        }
    Model<Net> model{*weights};
    if (sparsity > 0) prune(model, {.sparsity = sparsity});
    export_header(store_as<P>(model), folder + "/float/" + name + ".hpp",
                  {.target = targets::scalar, .name = name, .skip_zeros = sparsity > 0});
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) return 2;
    const std::string folder = argv[1];
    try {
        for (const char* part : {"dsp", "scalar", "neon", "float"})
            std::filesystem::create_directories(folder + "/" + part);
        write<firmware::Perceptron>(folder, "perceptron", 1, 64);
        write_pruned(folder, "perceptron_90", 0.9);
        write_pruned(folder, "perceptron_95", 0.95);
        write_floats<BFloat16, firmware::Perceptron>(folder, "perceptron_bf16", 1);
        write_floats<Float16, firmware::Mixed>(folder, "mixed_f16", 3);
        write_floats<Float32, firmware::Mixed>(folder, "mixed_f32", 3);
        write_floats<Float32, firmware::Thin>(folder, "thin", 5, 0.8);
        write<firmware::Everything>(folder, "everything", 11, 64);
        write<firmware::Corners>(folder, "corners", 21, 64);
        write<firmware::ResNet8>(folder, "resnet8", 31, 16);
        write<firmware::DsCnn>(folder, "ds_cnn", 41, 16);
        write<firmware::Autoencoder>(folder, "autoencoder", 51, 64);
        write<firmware::MobileNet>(folder, "mobilenet", 61, 4);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
