// SPDX-License-Identifier: BSL-1.0
//
// Muon for a network of one layer, whose kernel is the last one's.
// error: tenon: Muon moves the kernels of all layers but the last, and this network has none of those: take Adam.
#include <tenon/tenon.hpp>

using namespace tenon;

int main()
{
#ifdef TENON_TWIN
    Model<Network<Input<4>, Dense<3>, Dense<2>>> model{Seed{1}};
#else
    Model<Network<Input<4>, Dense<2>>> model{Seed{1}};
#endif
    Trainer trainer{model, CrossEntropy{}, Muon{}};
    const float inputs[4] = {};
    const int labels[1] = {};
    trainer.step(1, inputs, labels);
    return 0;
}
