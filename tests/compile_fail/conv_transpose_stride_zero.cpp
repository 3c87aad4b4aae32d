// SPDX-License-Identifier: BSL-1.0
//
// Steps of no length.
// error: the sizes of a window must be positive
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4, 2>, Conv2DTranspose<1, Kernel<2>, Stride<1>>>;
#else
using Net = Network<Input<4, 4, 2>, Conv2DTranspose<1, Kernel<2>, Stride<0>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
