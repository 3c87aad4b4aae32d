// SPDX-License-Identifier: BSL-1.0
//
// Groups that do not divide the channels.
// error: Groups must divide the input channels and the filters
// note: Joint<0, Conv2D<4, Kernel<3>, Groups<2>>, Shape<8, 8, 3>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8, 8, 3>, Conv2D<3, Kernel<3>, Groups<3>>>;
#else
using Net = Network<Input<8, 8, 3>, Conv2D<4, Kernel<3>, Groups<2>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
