// SPDX-License-Identifier: BSL-1.0
//
// The network has six parameters.
// error: tenon: freeze_bits takes exactly as many values as the network has parameters, of their size.
#include <tenon/model/freeze_bits.hpp>

using namespace tenon;

using Net = Network<Input<2>, Dense<2>>;

#ifdef TENON_TWIN
constexpr FrozenBits<char32_t, 6> bits{U"\x3f800000\x0\x0\x0\x0\x0"};
#else
constexpr FrozenBits<char32_t, 5> bits{U"\x3f800000\x0\x0\x0\x0"};
#endif
constexpr auto weights = freeze_bits<Net, Float32>(bits);

int main() { return weights.data()[0] == 1.0f ? 0 : 1; }
