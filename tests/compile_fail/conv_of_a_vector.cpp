// SPDX-License-Identifier: BSL-1.0
//
// A convolution of a flat input.
// error: tenon: Conv2D takes an image (height, width, channels).
// note: Joint<0, Conv2D<8, Kernel<3>>, Shape<784>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<28, 28, 1>, Conv2D<8, Kernel<3>>>;
#else
using Net = Network<Input<784>, Conv2D<8, Kernel<3>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
