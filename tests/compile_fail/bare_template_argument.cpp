// SPDX-License-Identifier: BSL-1.0
//
// A shape where a layer is meant.
// error: not a layer
// note: Joint<0, Shape<8>, Shape<4>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4>, Dense<8>>;
#else
using Net = Network<Input<4>, Shape<8>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
