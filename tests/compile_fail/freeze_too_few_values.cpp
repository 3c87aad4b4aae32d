// SPDX-License-Identifier: BSL-1.0
//
// One value too few.
// error: freeze takes exactly as many values as the network has parameters
// note: Network<Input<2>, Dense<2>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
constexpr float values[6] = {};
#else
constexpr float values[5] = {};
#endif

using Net = Network<Input<2>, Dense<2>>;
constexpr auto weights = freeze<Net>(values);

int main() { return predict<Net>(weights, Tensor<float, Shape<2>>{})[0] == 0.0f ? 0 : 1; }
