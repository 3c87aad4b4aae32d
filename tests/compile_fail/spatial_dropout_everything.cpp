// SPDX-License-Identifier: BSL-1.0
//
// A rate of 1 leaves nothing.
// error: SpatialDropout's rate must lie in [0, 1)
// note: SpatialDropout<Rate<1
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4>, SpatialDropout<Rate<1, 2>>>;
#else
using Net = Network<Input<4, 4>, SpatialDropout<Rate<1>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
