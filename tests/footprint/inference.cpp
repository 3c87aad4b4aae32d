// SPDX-License-Identifier: BSL-1.0
//
// A program that only predicts with 784-128-10: what the smallest hosted deployment weighs, without its weights.
#include <tenon/inference.hpp>

#include <cstdio>

using namespace tenon;

using Mlp = Network<Input<784>, Dense<128>, ReLU, Dense<10>, Softmax>;

// Zeros cost no room in the file; a real program reads them or has them in its constants.
static FrozenWeights<Mlp> mlp_weights;

int main()
{
    Tensor<float, Shape<784>> input{};
    Session<Mlp> session{mlp_weights};
    const auto output = session.run(input);
    std::printf("%f\n", static_cast<double>(output[0]));
    return output[0] > 0.09f && output[0] < 0.11f ? 0 : 1;
}
