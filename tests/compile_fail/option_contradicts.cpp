// SPDX-License-Identifier: BSL-1.0
//
// Two options of one kind.
// error: given twice
// note: NoBias
// note: WithBias
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4>, Dense<10, WithBias>>;
#else
using Net = Network<Input<4>, Dense<10, NoBias, WithBias>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
