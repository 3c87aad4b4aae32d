// SPDX-License-Identifier: BSL-1.0
//
// GroupNorm without its number of groups.
// error: an option is missing that the layer needs
// note: GroupNorm<>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<5, 5, 6>, GroupNorm<Groups<2>>>;
#else
using Net = Network<Input<5, 5, 6>, GroupNorm<>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
