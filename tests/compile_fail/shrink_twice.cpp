// SPDX-License-Identifier: BSL-1.0
//
// Two numbers for one layer.
// error: tenon: shrink is told twice what to keep of one layer.
#include <tenon/network/shrink.hpp>

using namespace tenon;

using Net = Network<Input<8>, Dense<16>, ReLU, Dense<12>, ReLU, Dense<10>>;
#ifdef TENON_TWIN
using Small = shrink<Net, Keep<0, 5>, Keep<2, 6>>;
#else
using Small = shrink<Net, Keep<0, 5>, KeepShare<0, 1, 2>>;
#endif

int main() { return Small::parameter_count > 0 ? 0 : 1; }
