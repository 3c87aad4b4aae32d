// SPDX-License-Identifier: BSL-1.0
//
// A callback that nobody can call.
// error: tenon: a callback is called with (const Epoch&) or with (const Epoch&, Model&), or has a member step, begin, checkpoint or finish.
#include <tenon/tenon.hpp>

using namespace tenon;

int main()
{
    data::TensorDataset<Shape<4>, data::Label> rows;
    Model<Network<Input<4>, Dense<2>>> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{}};
#ifdef TENON_TWIN
    trainer.fit(rows, {.epochs = 1}, [](const Epoch&) {});
#else
    trainer.fit(rows, {.epochs = 1}, [](int) {});
#endif
    return 0;
}
