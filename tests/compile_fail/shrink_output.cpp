// SPDX-License-Identifier: BSL-1.0
//
// Fewer classes than there are.
// error: tenon: shrink cannot narrow what its list puts out: the network's outputs, or what a Residual adds to its input.
// note: Keep<2, 5>
#include <tenon/network/shrink.hpp>

using namespace tenon;

using Net = Network<Input<8>, Dense<16>, ReLU, Dense<10>>;
#ifdef TENON_TWIN
using Small = shrink<Net, Keep<0, 5>>;
#else
using Small = shrink<Net, Keep<2, 5>>;
#endif

int main() { return Small::parameter_count > 0 ? 0 : 1; }
