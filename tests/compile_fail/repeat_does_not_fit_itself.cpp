// SPDX-License-Identifier: BSL-1.0
//
// A repeated layer whose output is not its input: the second copy fails.
// error: tenon: Dense takes a flat (rank-1) input: put Flatten before it.
// note: Joint<0, Dense<6>, Shape<2, 3>>
// note: Repeat<3, 
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<6>, Repeat<3, Sequential<Dense<6>, Reshape<6>>>, Flatten, Dense<2>>;
#else
using Net = Network<Input<6>, Repeat<3, Sequential<Dense<6>, Reshape<2, 3>>>, Flatten, Dense<2>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
