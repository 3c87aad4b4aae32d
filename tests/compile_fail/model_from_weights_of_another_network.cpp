// SPDX-License-Identifier: BSL-1.0
//
// Constant weights of another network given to a model.
// error: belong to another topology
// note: Dense<2, NoBias>
// note: Dense<2>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Other = Network<Input<2>, Dense<2>>;
#else
using Other = Network<Input<3>, Dense<2, NoBias>>;
#endif

using Net = Network<Input<2>, Dense<2>>;
constexpr float values[6] = {};
constexpr auto weights = freeze<Other>(values);

int main()
{
    const Model<Net> model{weights};
    return model.predict(Tensor<float, Shape<2>>{})[0] == 0.0f ? 0 : 1;
}
