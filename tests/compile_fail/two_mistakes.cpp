// SPDX-License-Identifier: BSL-1.0
//
// Two mistakes in one network: the first is reported, what follows is not bound.
// error: tenon: Dense takes a flat (rank-1) input: put Flatten before it.
// note: Joint<0, Dense<10>, Shape<4, 4>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4>, Flatten, Dense<10>, Residual<Dense<10>>, Dense<1>>;
#else
using Net = Network<Input<4, 4>, Dense<10>, Residual<Dense<3>>, Dense<0>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
