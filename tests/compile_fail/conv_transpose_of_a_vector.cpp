// SPDX-License-Identifier: BSL-1.0
//
// A vector is no image.
// error: Conv2DTranspose takes an image
// note: Joint<0, Conv2DTranspose<3, Kernel<2>>, Shape<8>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8>, Reshape<2, 2, 2>, Conv2DTranspose<3, Kernel<2>>>;
#else
using Net = Network<Input<8>, Conv2DTranspose<3, Kernel<2>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
