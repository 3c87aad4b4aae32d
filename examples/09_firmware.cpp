// SPDX-License-Identifier: BSL-1.0
//
// 9. Weights in flash. This file needs no heap, no threads, no exceptions and no RTTI: it builds with
//    -fno-exceptions -fno-rtti, for a Cortex-M as for a desktop.
#include <tenon/inference.hpp>

using namespace tenon;

using Xor = Network<Input<2>, Dense<2>, ReLU, Dense<1>>;

// Keras's order: kernel (in, out), then bias, layer by layer. freeze lays the values out for the kernels while compiling,
// and `constexpr` puts the result in read-only memory.
constexpr float xor_values[] = {1.0f, 1.0f,  1.0f, 1.0f,  // dense_1/kernel (2, 2)
                                0.0f, -1.0f,              // dense_1/bias (2)
                                1.0f, -2.0f,              // dense_2/kernel (2, 1)
                                0.0f};                    // dense_2/bias (1)
constexpr auto xor_weights = freeze<Xor>(xor_values);

// The compiler runs the network: weights that were exported wrongly do not build.
static_assert(predict<Xor>(xor_weights, Tensor<float, Shape<2>>{1.0f, 0.0f})[0] == 1.0f);
static_assert(predict<Xor>(xor_weights, Tensor<float, Shape<2>>{1.0f, 1.0f})[0] == 0.0f);

// Budgets: a build that does not fit the part fails here, not in the field.
static_assert(Xor::workspace_bytes<Float32> <= 256, "RAM");
static_assert(sizeof(xor_weights) <= 512, "flash");

int main()
{
    int wrong = 0;
    for (int a = 0; a < 2; ++a)
        for (int b = 0; b < 2; ++b) {
            const Tensor<float, Shape<2>> input{static_cast<float>(a), static_cast<float>(b)};
            const float output = predict<Xor>(xor_weights, input)[0];
            wrong += output != static_cast<float>(a ^ b);
        }
    return wrong;
}
