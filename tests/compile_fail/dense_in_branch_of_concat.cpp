// SPDX-License-Identifier: BSL-1.0
//
// The same mistake, two blocks down.
// error: tenon: Dense takes a flat (rank-1) input: put Flatten before it.
// note: Joint<0, Dense<10>, Shape<4, 4>>
// note: Concat<
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<16>, Concat<Dense<3>, Sequential<Reshape<4, 4>, Flatten, Residual<Dense<16>>>>>;
#else
using Net = Network<Input<16>, Concat<Dense<3>, Sequential<Reshape<4, 4>, Residual<Dense<10>>>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
