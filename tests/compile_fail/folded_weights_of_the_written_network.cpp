// SPDX-License-Identifier: BSL-1.0
//
// Folded weights belong to the folded network.
// error: these weights belong to another topology
// note: WeightsBelongTo<Network<Input<4>, Dense<2>>, Network<Input<4>, Dense<2>, BatchNormWith<>>>
#include <tenon/tenon.hpp>

using namespace tenon;

using Written = Network<Input<4>, Dense<2>, BatchNorm>;
#ifdef TENON_TWIN
using Net = folded<Written>;
#else
using Net = Written;
#endif

int main()
{
    const Model<Written> model{Seed{1}};
    const Parameters<folded<Written>> weights = fold_batch_norm(model.parameters());
    return predict<Net>(weights, Tensor<float, Shape<4>>{})[0] > 0 ? 0 : 1;
}
