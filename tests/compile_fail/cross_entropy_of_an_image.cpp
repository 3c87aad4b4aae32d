// SPDX-License-Identifier: BSL-1.0
//
// CrossEntropy on a network whose output has rank 3.
// error: CrossEntropy takes one row of logits or probabilities
// note: Shape<2, 2, 3>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<2, 2, 3>, Flatten, ReLU>;
#else
using Net = Network<Input<2, 2, 3>, ReLU>;
#endif

int main()
{
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{}};
    return 0;
}
