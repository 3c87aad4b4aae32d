// SPDX-License-Identifier: BSL-1.0
//
// No groups at all.
// error: GroupNorm's Groups must divide the input's channels
// note: GroupNorm<Groups<0>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<5, 5, 6>, GroupNorm<Groups<1>>>;
#else
using Net = Network<Input<5, 5, 6>, GroupNorm<Groups<0>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
