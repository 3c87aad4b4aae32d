// SPDX-License-Identifier: BSL-1.0
//
// Padding by number.
// error: Conv2DTranspose's Padding is Valid or Same
// note: Joint<0, Conv2DTranspose<3, Kernel<3>, Padding<
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4, 2>, Conv2DTranspose<3, Kernel<3>, Padding<Same>>>;
#else
using Net = Network<Input<4, 4, 2>, Conv2DTranspose<3, Kernel<3>, Padding<1>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
