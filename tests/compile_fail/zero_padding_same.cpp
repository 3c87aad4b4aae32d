// SPDX-License-Identifier: BSL-1.0
//
// Padding by a mode: there is no window to be the same for.
// error: ZeroPadding2D takes a Padding of one, two or four numbers
// note: Joint<0, ZeroPadding2D<Padding<
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4, 2>, ZeroPadding2D<Padding<1>>>;
#else
using Net = Network<Input<4, 4, 2>, ZeroPadding2D<Padding<Same>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
