// SPDX-License-Identifier: BSL-1.0
#include <tenon/inference.hpp>

using namespace tenon;

using Net = Network<Input<2>, Dense<2>, ReLU, Dense<1>>;

constexpr float values[] = {1.0f, 1.0f, 1.0f, 1.0f, 0.0f, -1.0f, 1.0f, -2.0f, 0.0f};
constexpr auto weights = freeze<Net>(values);

float elsewhere(float a, float b);

// The same inline functions from two translation units, in a build type of the consumer's choice.
int main()
{
    const Tensor<float, Shape<2>> input{1.0f, 0.0f};
    return predict<Net>(weights, input)[0] == 1.0f && elsewhere(1.0f, 0.0f) == 1.0f ? 0 : 1;
}
