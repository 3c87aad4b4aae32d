// SPDX-License-Identifier: BSL-1.0
//
// A vector has no channels to drop at all positions.
// error: SpatialDropout drops the channels of a sequence or an image
// note: Joint<0, SpatialDropout<Rate<1, 2>>, Shape<4>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4, 4>, SpatialDropout<Rate<1, 2>>>;
#else
using Net = Network<Input<4>, SpatialDropout<Rate<1, 2>>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
