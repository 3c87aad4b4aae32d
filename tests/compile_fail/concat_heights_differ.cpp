// SPDX-License-Identifier: BSL-1.0
//
// Branches whose heights differ.
// error: tenon: Concat joins along channels: all other extents must agree.
// note: Joined<Shape<8, 8, 2>, Shape<6, 6, 3>>
// note: Joint<0, Concat<
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8, 8, 4>, Concat<Conv2D<2, Kernel<1>>, Conv2D<3, Kernel<3>, Padding<Same>>>>;
#else
using Net = Network<Input<8, 8, 4>, Concat<Conv2D<2, Kernel<1>>, Conv2D<3, Kernel<3>>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
