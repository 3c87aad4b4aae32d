// SPDX-License-Identifier: BSL-1.0
//
// A window that does not fit into its input.
// error: pool window is larger than the input
// note: Joint<0, MaxPool2D<6>, Shape<5, 5, 1>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<5, 5, 1>, MaxPool2D<5>>;
#else
using Net = Network<Input<5, 5, 1>, MaxPool2D<6>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
