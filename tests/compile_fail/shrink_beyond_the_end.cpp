// SPDX-License-Identifier: BSL-1.0
//
// A place that the list does not have.
// error: tenon: shrink names a layer by its place, counted from 0, within the list.
// note: Keep<3, 5>
#include <tenon/network/shrink.hpp>

using namespace tenon;

using Net = Network<Input<8>, Dense<16>, ReLU, Dense<10>>;
#ifdef TENON_TWIN
using Small = shrink<Net, Keep<0, 5>>;
#else
using Small = shrink<Net, Keep<3, 5>>;
#endif

int main() { return Small::parameter_count > 0 ? 0 : 1; }
