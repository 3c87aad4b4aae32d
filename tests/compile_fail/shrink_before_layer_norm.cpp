// SPDX-License-Identifier: BSL-1.0
//
// LayerNorm averages over all units.
// error: tenon: shrink cannot follow the layer's units through the layer behind, which does not treat each by itself.
// note: LayerNorm
#include <tenon/network/shrink.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8>, Dense<16>, BatchNorm, ReLU, Dense<10>>;
#else
using Net = Network<Input<8>, Dense<16>, LayerNorm, ReLU, Dense<10>>;
#endif
using Small = shrink<Net, KeepShare<0, 1, 2>>;

int main() { return Small::parameter_count > 0 ? 0 : 1; }
