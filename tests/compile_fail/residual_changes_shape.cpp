// SPDX-License-Identifier: BSL-1.0
//
// A branch that cannot be added to its input.
// error: tenon: Residual adds its branch to its input: both need the same shape.
// note: Residual<Dense<8>, ReLU>
// note: Joint<1, Residual<Dense<8>, ReLU>, Shape<4>>
// note: Shape<8>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<6>, Dense<4>, Residual<Dense<4>, ReLU>, Dense<2>>;
#else
using Net = Network<Input<6>, Dense<4>, Residual<Dense<8>, ReLU>, Dense<2>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
