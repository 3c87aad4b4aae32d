// SPDX-License-Identifier: BSL-1.0
//
// Layers of images, with their batch normalisation and with it folded into the weights by the compiler, run on the board
// against the values that the compiler computed: returns the number of outputs that differ by more than 1e-5.
#include <tenon/inference.hpp>

using namespace tenon;

using Net =
    Network<Input<6, 5, 2>, ZeroPadding2D<Padding<0, 1, 1, 0>>, Conv2D<4, Kernel<3>, NoBias>, BatchNorm, ReLU,
            SpatialDropout<Rate<1, 5>>, GroupNorm<Groups<2>>, Conv2DTranspose<3, Kernel<3>, Stride<2>, Padding<Same>>,
            BatchNorm, ReLU, MaxPool2D<2>, Upsample2D<2, Interpolation<Bilinear>>, DepthwiseConv2D<Kernel<3>, NoBias>,
            BatchNorm, Upsample2D<2>, AveragePool2D<3>, GlobalAveragePool2D, Dense<3>>;
using In = Tensor<float, Net::input_shape>;
using Out = Tensor<float, Net::output_shape>;

// A fixed sequence in [-0.5, 0.5); variances are positive.
constexpr FrozenWeights<Net> weights = [] {
    FrozenWeights<Net> result{};
    unsigned state = 1;
    for (const SlotInfo& slot : slot_table<Net, float>)
        for (std::size_t i = 0; i < slot.size; ++i) {
            state = state * 1664525u + 1013904223u;
            const float value = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
            result.values[slot.offset + slot.index(i)] = slot.role == Role::statistics ? value + 1.0f : value;
        }
    return result;
}();
constexpr FrozenWeights<folded<Net>> folded_weights = fold_batch_norm(weights);
constexpr In input = [] {
    In result{};
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<float>(i * 7 % 11) / 8.0f - 0.5f;
    return result;
}();
constexpr Out expected = predict<Net>(weights, input);
static_assert(folded<Net>::workspace_bytes<Float32> <= 4096, "RAM budget");

int count_wrong(const Out& output)
{
    int wrong = 0;
    for (std::size_t i = 0; i < output.size(); ++i) {
        const float difference = output[i] - expected[i];
        wrong += !(difference < 1e-5f && difference > -1e-5f);
    }
    return wrong;
}

int main()
{
    // Through a volatile, so that the compiler cannot use what it knows.
    In seen{};
    for (std::size_t i = 0; i < input.size(); ++i) {
        volatile float value = input[i];
        seen[i] = value;
    }
    return count_wrong(predict<Net>(weights, seen)) + count_wrong(predict<folded<Net>>(folded_weights, seen));
}
