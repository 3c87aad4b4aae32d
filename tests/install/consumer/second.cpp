// SPDX-License-Identifier: BSL-1.0
#include <tenon/inference.hpp>

using namespace tenon;

using Net = Network<Input<2>, Dense<2>, ReLU, Dense<1>>;

float elsewhere(float a, float b)
{
    static constexpr float values[] = {1.0f, 1.0f, 1.0f, 1.0f, 0.0f, -1.0f, 1.0f, -2.0f, 0.0f};
    static constexpr auto weights = freeze<Net>(values);
    return predict<Net>(weights, Tensor<float, Shape<2>>{a, b})[0];
}
