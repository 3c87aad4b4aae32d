// SPDX-License-Identifier: BSL-1.0
//
// A user's type that lacks its rule.
// error: not a layer
// note: Joint<0, mine::Scale, Shape<4>>
#include <tenon/tenon.hpp>

using namespace tenon;

namespace mine {
struct Scale {};
}  // namespace mine

#ifdef TENON_TWIN
using Net = Network<Input<4>, ReLU, Dense<2>>;
#else
using Net = Network<Input<4>, mine::Scale, Dense<2>>;
#endif

// Everything that a program asks of a network.
int main()
{
    const Model<Net> model{Seed{1}};
    Tensor<float, Net::input_shape> input{};
    return Net::parameter_count + Net::macs + Net::workspace_bytes<Float32> > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
