// SPDX-License-Identifier: BSL-1.0
//
// A Network where Sequential is meant.
// error: not a layer
// note: Network<Input<4>, Dense<3>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8>, Dense<4>, Sequential<Dense<3>>>;
#else
using Net = Network<Input<8>, Dense<4>, Network<Input<4>, Dense<3>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
