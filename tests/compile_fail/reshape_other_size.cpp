// SPDX-License-Identifier: BSL-1.0
//
// Other extents for another number of values.
// error: tenon: Reshape keeps the number of values
// note: Joint<1, Reshape<5, 5>, Shape<24>>
// note: Reshape<5, 5>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<12>, Dense<25>, Reshape<5, 5>, Flatten, Dense<2>>;
#else
using Net = Network<Input<12>, Dense<24>, Reshape<5, 5>, Flatten, Dense<2>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
