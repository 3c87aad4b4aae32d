// SPDX-License-Identifier: BSL-1.0
//
// An input of another shape for a Session.
// error: the input has shape InputHas<...>, the network takes TheNetworkTakes<...>
// note: CheckInput<InputHas<Shape<12>>, TheNetworkTakes<Shape<13>>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Sample = Tensor<float, Shape<13>>;
#else
using Sample = Tensor<float, Shape<12>>;
#endif

using Net = Network<Input<13>, Dense<4>>;

int main()
{
    const Model<Net> model{Seed{1}};
    Session<Net> session{model.parameters()};
    return session.run(Sample{})[0] > 0 ? 0 : 1;
}
