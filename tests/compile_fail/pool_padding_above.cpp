// SPDX-License-Identifier: BSL-1.0
//
// So many zeros above the image that a window would see nothing else.
// error: padding must be smaller than its window
// note: Joint<0, MaxPool2D<2, Stride<1>, Padding<2, 0, 0, 0>>, Shape<5, 5, 1>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<5, 5, 1>, MaxPool2D<2, Stride<1>, Padding<1, 0, 0, 0>>>;
#else
using Net = Network<Input<5, 5, 1>, MaxPool2D<2, Stride<1>, Padding<2, 0, 0, 0>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
