// SPDX-License-Identifier: BSL-1.0
//
// Within a block of several branches.
// error: tenon: Within names a Sequential or a Residual by its place, and this layer is none.
#include <tenon/network/shrink.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8>, Sequential<Dense<16>, ReLU, Dense<10>>>;
#else
using Net = Network<Input<8>, Concat<Sequential<Dense<16>, ReLU, Dense<10>>, Dense<3>>>;
#endif
using Small = shrink<Net, Within<0, Keep<0, 4>>>;

int main() { return Small::parameter_count > 0 ? 0 : 1; }
