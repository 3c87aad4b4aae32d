// SPDX-License-Identifier: BSL-1.0
//
// A Session that works on no rows.
// error: the count must be positive
// note: Rows<0>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Block = Rows<8>;
#else
using Block = Rows<0>;
#endif

using Net = Network<Input<13>, Dense<4>>;

int main()
{
    const Model<Net> model{Seed{1}};
    Session<Net, Block> session{model.parameters()};
    return session.run(Tensor<float, Shape<13>>{})[0] > 0 ? 0 : 1;
}
