// SPDX-License-Identifier: BSL-1.0
//
// The perceptron and the networks of MLPerf Tiny in float on the board: returns the number of outputs that differ by more than 1e-5
// from those of the host's kernels (relative, above 1). The weights are made at start-up, in RAM: those in flash are the
// business of the other programs.
#include "networks.hpp"

#include <autoencoder.hpp>
#include <ds_cnn.hpp>
#include <mobilenet.hpp>
#include <perceptron.hpp>
#include <resnet8.hpp>

using namespace tenon;

namespace {

// One network's memory at a time; on the boards, RAM ends where flash would begin.
template <class Net>
struct Memory {
    FrozenWeights<Net> weights;
    Tensor<float, typename Net::input_shape> input;
    Tensor<float, typename Net::output_shape> output;
    alignas(64) float workspace[Net::template workspace_bytes<Float32> / sizeof(float) + 1];
};
union AnyMemory {
    AnyMemory() {}
    Memory<firmware::Perceptron> perceptron;
    Memory<firmware::Autoencoder> autoencoder;
    Memory<firmware::DsCnn> ds_cnn;
    Memory<firmware::ResNet8> resnet8;
    Memory<firmware::MobileNet> mobilenet;
} memory;

template <class Net>
int count_wrong(Memory<Net>& own, std::uint32_t seed, const float* expected)
{
    // Padding, where kernels have some, is zero.
    for (float& value : own.weights.values) value = 0.0f;
    firmware::make_weights(own.weights, seed);
    firmware::make_input<Net>(own.input, seed + 2);
    infer<Net, 1>(1, own.weights.values, own.input.data(), own.output.data(), own.workspace);
    int wrong = 0;
    for (std::size_t i = 0; i < own.output.size(); ++i) {
        const float difference = own.output[i] - expected[i];
        const float size = expected[i] < 0.0f ? -expected[i] : expected[i], limit = 1e-5f * (size > 1.0f ? size : 1.0f);
        wrong += !(difference <= limit && difference >= -limit);
    }
    return wrong;
}

}  // namespace

int main()
{
    return count_wrong(memory.perceptron, 1, perceptron::expected) +
           count_wrong(memory.resnet8, 31, resnet8::expected) + count_wrong(memory.ds_cnn, 41, ds_cnn::expected) +
           count_wrong(memory.autoencoder, 51, autoencoder::expected) +
           count_wrong(memory.mobilenet, 61, mobilenet::expected);
}
