// SPDX-License-Identifier: BSL-1.0
// The networks that the host quantises and the boards run (weights.cpp and the programs of this folder), and their weights before
// that: made up, of the size that training would give them, and the same on every machine.
#pragma once

#include <tenon/inference.hpp>
#include <tenon/model/int8.hpp>
#include <tenon/zoo/mlperf_tiny.hpp>

namespace firmware {

using Perceptron = tenon::Network<tenon::Input<784>, tenon::Dense<128>, tenon::ReLU, tenon::Dense<10>, tenon::Softmax>;

// Every layer that has an int8 form, with strides, padding, groups and sizes that fill no register.
using Everything = tenon::Network<
    tenon::Input<15, 13, 3>, tenon::Conv2D<8, tenon::Kernel<3>, tenon::Padding<tenon::Same>>, tenon::ReLU,
    tenon::MaxPool2D<2>,
    tenon::Residual<tenon::Conv2D<8, tenon::Kernel<3>, tenon::Padding<tenon::Same>>, tenon::ReLU,
                    tenon::Conv2D<8, tenon::Kernel<1>>>,
    tenon::ReLU, tenon::DepthwiseConv2D<tenon::Kernel<3>, tenon::Padding<tenon::Same>>, tenon::ReLU,
    tenon::Concat<tenon::Sequential<tenon::Conv2D<5, tenon::Kernel<1>>, tenon::ReLU>,
                  tenon::Sequential<tenon::Conv2D<6, tenon::Kernel<3>, tenon::Padding<tenon::Same>, tenon::Groups<2>>,
                                    tenon::Tanh>,
                  tenon::MaxPool2D<3, tenon::Stride<1>, tenon::Padding<tenon::Same>>>,
    tenon::AveragePool2D<2, tenon::Stride<1>>,
    tenon::Add<tenon::Conv2D<7, tenon::Kernel<2>, tenon::Stride<2>>,
               tenon::Conv2D<7, tenon::Kernel<2>, tenon::Stride<2>, tenon::NoBias>>,
    tenon::Repeat<2, tenon::Sequential<tenon::Conv2D<7, tenon::Kernel<1>>, tenon::SiLU>>, tenon::GlobalAveragePool2D,
    tenon::Dense<9>, tenon::Sigmoid, tenon::Reshape<3, 3>, tenon::Conv1D<4, tenon::Kernel<2>>, tenon::MaxPool1D<2>,
    tenon::Flatten, tenon::Dense<5>, tenon::Softmax>;

// Sums of more than 508 products, an odd number of channels, depthwise taps with gaps and channels that are no multiple of four.
using Corners =
    tenon::Network<tenon::Input<9, 7, 61>, tenon::Conv2D<7, tenon::Kernel<3>>, tenon::ReLU,
                   tenon::DepthwiseConv2D<tenon::Kernel<3>, tenon::Dilation<2>, tenon::Padding<tenon::Same>>,
                   tenon::Conv2D<9, tenon::Kernel<2>, tenon::Dilation<2>>, tenon::Flatten, tenon::Dense<642>,
                   tenon::ReLU, tenon::Dense<6>>;

// Layouts that are not the logical order even without vectors (groups, transposed kernels), and running statistics.
using Mixed =
    tenon::Network<tenon::Input<6, 6, 4>, tenon::Conv2D<4, tenon::Kernel<3>, tenon::Groups<2>>, tenon::BatchNorm,
                   tenon::ReLU, tenon::Conv2DTranspose<3, tenon::Kernel<3>, tenon::Stride<2>>, tenon::Flatten,
                   tenon::Dense<3>>;

// Dense layers that are lists, alone and with others around them; one without a bias, one inside a block, which stays whole.
using Thin = tenon::Network<tenon::Input<6, 6, 4>, tenon::Conv2D<4, tenon::Kernel<3>>, tenon::BatchNorm, tenon::ReLU,
                            tenon::Flatten, tenon::Dense<8, tenon::NoBias>, tenon::ReLU,
                            tenon::Residual<tenon::Dense<8>>, tenon::BatchNorm, tenon::Dense<3>>;

using ResNet8 = tenon::folded<tenon::zoo::ResNet8>;
using DsCnn = tenon::folded<tenon::zoo::DsCnn>;
using Autoencoder = tenon::folded<tenon::zoo::Autoencoder>;
using MobileNet = tenon::folded<tenon::zoo::MobileNetV1Quarter>;

// Numbers in [-1, 1): Numerical Recipes' linear congruential generator.
class Numbers {
public:
    explicit Numbers(std::uint32_t seed) : state_{seed} {}

    float operator()()
    {
        state_ = state_ * 1664525u + 1013904223u;
        return static_cast<float>(state_ >> 8) / 8388608.0f - 1.0f;
    }

private:
    std::uint32_t state_;
};

// Kernels such that a layer's outputs are about as large as its inputs, small biases: a power of two for sqrt(3 · 2 / fan-in).
template <class Net>
void make_weights(tenon::FrozenWeights<Net>& weights, std::uint32_t seed)
{
    Numbers numbers{seed};
    for (const tenon::SlotInfo& slot : tenon::slot_table<Net, float>) {
        std::size_t inputs = slot.rank == 1 ? 64 : slot.size / slot.extents[slot.rank - 1];
        // A depthwise kernel is (kh, kw, c, 1).
        if (slot.rank == 4 && slot.extents[3] == 1) inputs = slot.extents[0] * slot.extents[1];
        float scale = 1.0f;
        for (std::size_t squared = 6; squared < inputs; squared *= 4) scale *= 0.5f;
        for (std::size_t i = 0; i < slot.size; ++i) weights.values[slot.offset + slot.index(i)] = scale * numbers();
    }
}

template <class Net>
void make_input(tenon::Tensor<float, typename Net::input_shape>& input, std::uint32_t seed)
{
    Numbers numbers{seed};
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = numbers();
}

}  // namespace firmware
