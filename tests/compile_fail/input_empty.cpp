// SPDX-License-Identifier: BSL-1.0
//
// An input without extents.
// error: needs at least one extent
// note: Input<>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<1>, Dense<2>>;
#else
using Net = Network<Input<>, Dense<2>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
