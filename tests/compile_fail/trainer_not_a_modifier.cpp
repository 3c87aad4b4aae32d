// SPDX-License-Identifier: BSL-1.0
//
// A number in the place of a modifier.
// error: tenon: a Trainer takes a model, a loss, an optimiser, and then modifiers such as ClipNorm{1.0}.
// note: double
#include <tenon/tenon.hpp>

using namespace tenon;

int main()
{
    Model<Network<Input<4>, Dense<2>>> model{Seed{1}};
#ifdef TENON_TWIN
    Trainer trainer{model, CrossEntropy{}, Adam{}, ClipNorm{0.5}};
#else
    Trainer trainer{model, CrossEntropy{}, Adam{}, 0.5};
#endif
    const float inputs[4] = {};
    const int labels[1] = {};
    trainer.step(1, inputs, labels);
    return 0;
}
