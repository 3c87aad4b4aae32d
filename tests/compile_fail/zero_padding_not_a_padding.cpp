// SPDX-License-Identifier: BSL-1.0
//
// Zeros are given as a Padding.
// error: ZeroPadding2D takes a Padding of one, two or four numbers
// note: ZeroPadding2D<Kernel<1>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4, 2>, ZeroPadding2D<Padding<1>>>;
#else
using Net = Network<Input<4, 4, 2>, ZeroPadding2D<Kernel<1>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
