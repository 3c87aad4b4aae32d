// SPDX-License-Identifier: BSL-1.0
//
// A type that is no layer.
// error: not a layer
// note: Joint<1, int, Shape<4>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<784>, Dense<4>, ReLU>;
#else
using Net = Network<Input<784>, Dense<4>, int>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
