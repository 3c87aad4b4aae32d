// SPDX-License-Identifier: BSL-1.0
//
// A convolution without filters.
// error: the number of filters must be positive
// note: Conv2D<0, Kernel<3>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<8, 8, 1>, Conv2D<1, Kernel<3>>>;
#else
using Net = Network<Input<8, 8, 1>, Conv2D<0, Kernel<3>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
