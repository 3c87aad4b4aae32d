// SPDX-License-Identifier: BSL-1.0
//
// No Flatten between a pool and Dense.
// error: tenon: Dense takes a flat (rank-1) input: put Flatten before it.
// note: Joint<1, Dense<10>, Shape<14, 14, 1>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<28, 28, 1>, MaxPool2D<2>, Flatten, Dense<10>>;
#else
using Net = Network<Input<28, 28, 1>, MaxPool2D<2>, Dense<10>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
