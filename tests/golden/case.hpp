// SPDX-License-Identifier: BSL-1.0
// What PyTorch makes of one network: its outputs, and the gradients that given output gradients cause.
#pragma once

#include <cstddef>

namespace golden {

// y: (rows, output), dx: (rows, input), dparameters: all learned slots in logical order (one zero where there is none).
template <std::size_t Outputs, std::size_t Inputs, std::size_t Values>
struct Case {
    double y[Outputs], dx[Inputs], dparameters[Values];

    static constexpr std::size_t outputs = Outputs, inputs = Inputs;
};

// Of each of some tensors its product with draws(1000 + its number), and its sum of squares.
template <std::size_t Count>
struct Digest {
    double products[Count], squares[Count];

    static constexpr std::size_t count = Count;
};

}  // namespace golden
