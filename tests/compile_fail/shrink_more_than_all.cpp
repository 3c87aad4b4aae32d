// SPDX-License-Identifier: BSL-1.0
//
// More units than the layer has.
// error: tenon: shrink keeps between one and all of a layer's units.
// note: ShrinkCount<
#include <tenon/network/shrink.hpp>

using namespace tenon;

using Net = Network<Input<8>, Dense<16>, ReLU, Dense<10>>;
#ifdef TENON_TWIN
using Small = shrink<Net, Keep<0, 16>>;
#else
using Small = shrink<Net, Keep<0, 17>>;
#endif

int main() { return Small::parameter_count > 0 ? 0 : 1; }
