// SPDX-License-Identifier: BSL-1.0
// Inference through 100 Dense layers, 50 of them followed by an activation, of two sizes in turn.
#include <tenon/inference.hpp>
#include <tenon/model/parameters.hpp>

#include <cstdio>

using tenon::Dense;
using tenon::ReLU;

#define PAIR Dense<48>, ReLU, Dense<64>
#define TEN PAIR, PAIR, PAIR, PAIR, PAIR
using Net = tenon::Network<tenon::Input<64>, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN, TEN>;
static_assert(Net::parameter_count == 50 * (64 * 48 + 48 + 48 * 64 + 64));

int main()
{
    const tenon::Parameters<Net> parameters;
    tenon::Tensor<float, tenon::Shape<64>> x{};
    std::printf("%f\n", static_cast<double>(tenon::Session<Net>{parameters}.run(x)[0]));
}
