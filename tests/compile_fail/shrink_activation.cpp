// SPDX-License-Identifier: BSL-1.0
//
// A place that is an activation's.
// error: tenon: shrink narrows a Dense, or a Conv1D or Conv2D without Groups, and this layer is none.
// note: ReLU
#include <tenon/network/shrink.hpp>

using namespace tenon;

using Net = Network<Input<8>, Dense<16>, ReLU, Dense<10>>;
#ifdef TENON_TWIN
using Small = shrink<Net, Keep<0, 5>>;
#else
using Small = shrink<Net, Keep<1, 5>>;
#endif

int main() { return Small::parameter_count > 0 ? 0 : 1; }
