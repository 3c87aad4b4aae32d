// SPDX-License-Identifier: BSL-1.0
//
// The classic: no Flatten between a convolution and Dense.
// error: tenon: Dense takes a flat (rank-1) input: put Flatten before it.
// note: Joint<2, Dense<10>, Shape<26, 26, 8>>
// note: rank == 1
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<28, 28, 1>, Conv2D<8, Kernel<3>>, ReLU, Flatten, Dense<10>>;
#else
using Net = Network<Input<28, 28, 1>, Conv2D<8, Kernel<3>>, ReLU, Dense<10>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
