// SPDX-License-Identifier: BSL-1.0
//
// A convolution that changes the number of channels in a Residual.
// error: tenon: Residual adds its branch to its input: both need the same shape.
// note: Joint<0, Residual<Conv2D<8, Kernel<3>, Padding<
// note: Shape<8, 8, 4>
// note: Shape<8, 8, 8>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8, 8, 4>, Residual<Conv2D<4, Kernel<3>, Padding<Same>>>>;
#else
using Net = Network<Input<8, 8, 4>, Residual<Conv2D<8, Kernel<3>, Padding<Same>>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
