// SPDX-License-Identifier: BSL-1.0
//
// Every layer that inference knows, run on the board, against the value that the compiler computed: returns the number of
// outputs that differ by more than 1e-5 (the compiler's square roots and products are rounded like the board's, but fused
// multiply-adds are not formed at compile time).
#include <tenon/inference.hpp>

using namespace tenon;

using Net = Network<Input<4, 3>, LayerNorm, Flatten, Dense<8>, Tanh, Residual<Dense<8>, GELU, Dense<8>>,
                    Concat<Sigmoid, Sequential<Dense<5>, SiLU>, Softplus>, Dense<6>, SELU, LeakyReLU, Repeat<2, Dense<6>>,
                    PReLU, ELU, HardSwish, HardSigmoid, GELUTanh, Dropout<Rate<1, 5>>, Reshape<2, 3>, Flatten, Dense<4>,
                    Softmax>;

struct Values {
    float at[Net::parameter_count];
};

// A fixed sequence in [-0.5, 0.5): weights need not mean anything here.
constexpr Values values = [] {
    Values result{};
    unsigned state = 1;
    for (float& value : result.at) {
        state = state * 1664525u + 1013904223u;
        value = static_cast<float>(state >> 8) / 16777216.0f - 0.5f;
    }
    return result;
}();

constexpr auto weights = freeze<Net>(values.at);
constexpr Tensor<float, Shape<4, 3>> input{0.5f, -1.0f, 0.25f, 2.0f, 0.0f, -0.75f, 1.0f, 1.5f, -2.0f, 0.125f, 3.0f, -0.5f};
constexpr Tensor<float, Shape<4>> expected = predict<Net>(weights, input);

int main()
{
    // Through a volatile, so that the compiler cannot use what it knows.
    Tensor<float, Shape<4, 3>> seen{};
    for (std::size_t i = 0; i < input.size(); ++i) {
        volatile float value = input[i];
        seen[i] = value;
    }
    const Tensor<float, Shape<4>> output = predict<Net>(weights, seen);
    int wrong = 0;
    for (std::size_t i = 0; i < output.size(); ++i) {
        const float difference = output[i] - expected[i];
        wrong += !(difference < 1e-5f && difference > -1e-5f);
    }
    return wrong;
}
