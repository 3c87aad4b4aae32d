// SPDX-License-Identifier: BSL-1.0
//
// Branches of different heights.
// error: tenon: Concat joins along channels: all other extents must agree.
// note: Joint<1, Concat<Reshape<2, 8>, Reshape<4, 4>>, Shape<16>>
// note: Joined<Shape<2, 8>, Shape<4, 4>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8>, Dense<16>, Concat<Reshape<4, 4>, Reshape<4, 4>>, Flatten, Dense<2>>;
#else
using Net = Network<Input<8>, Dense<16>, Concat<Reshape<2, 8>, Reshape<4, 4>>, Flatten, Dense<2>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
