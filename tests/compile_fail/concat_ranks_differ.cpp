// SPDX-License-Identifier: BSL-1.0
//
// Branches of different ranks.
// error: tenon: Concat joins along channels: all other extents must agree.
// note: Joint<0, Concat<ReLU, Flatten>, Shape<4, 4>>
// note: Joined<Shape<4, 4>, Shape<16>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4>, Concat<Flatten, Flatten>, Flatten, Dense<2>>;
#else
using Net = Network<Input<4, 4>, Concat<ReLU, Flatten>, Flatten, Dense<2>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
