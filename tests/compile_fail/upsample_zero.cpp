// SPDX-License-Identifier: BSL-1.0
//
// An image made larger by nothing.
// error: the factor must be positive
// note: Joint<0, Upsample2D<0>, Shape<4, 4, 2>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4, 2>, Upsample2D<1>>;
#else
using Net = Network<Input<4, 4, 2>, Upsample2D<0>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
