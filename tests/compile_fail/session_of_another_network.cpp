// SPDX-License-Identifier: BSL-1.0
//
// A Session on the parameters of another network.
// error: belong to another topology
// note: Dense<5>
// note: Dense<4>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Other = Network<Input<13>, Dense<4>>;
#else
using Other = Network<Input<13>, Dense<5>>;
#endif

using Net = Network<Input<13>, Dense<4>>;

int main()
{
    const Model<Other> model{Seed{1}};
    Session<Net> session{model.parameters()};
    return session.run(Tensor<float, Shape<13>>{})[0] > 0 ? 0 : 1;
}
