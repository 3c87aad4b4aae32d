// SPDX-License-Identifier: BSL-1.0
//
// A layer without units.
// error: tenon: Dense<units>: the number of units must be positive.
// note: Dense<0>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4>, Dense<1>, ReLU, Dense<2>>;
#else
using Net = Network<Input<4>, Dense<0>, ReLU, Dense<2>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
