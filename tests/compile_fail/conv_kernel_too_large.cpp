// SPDX-License-Identifier: BSL-1.0
//
// A kernel that does not fit into its input.
// error: kernel is larger than the padded input
// note: Joint<0, Conv2D<8, Kernel<5>>, Shape<4, 4, 1>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4, 1>, Conv2D<8, Kernel<5>, Padding<Same>>>;
#else
using Net = Network<Input<4, 4, 1>, Conv2D<8, Kernel<5>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
