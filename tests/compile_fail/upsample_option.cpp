// SPDX-License-Identifier: BSL-1.0
//
// An option that Upsample2D does not have.
// error: does not know this option
// note: Stride<2>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4, 2>, Upsample2D<2, Interpolation<Bilinear>>>;
#else
using Net = Network<Input<4, 4, 2>, Upsample2D<2, Stride<2>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
