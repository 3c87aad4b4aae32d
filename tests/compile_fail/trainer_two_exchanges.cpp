// SPDX-License-Identifier: BSL-1.0
//
// Two connections to other processes in one Trainer.
// error: tenon: a Trainer takes one exchange with other processes (DataParallel), not several.
#include <tenon/tenon.hpp>

using namespace tenon;

// One process, as Alone, but a modifier.
template <int Number>
struct Single : Alone {
    static constexpr bool exchanges = true;
    static constexpr bool stores_gradients = true;
};

int main()
{
    Model<Network<Input<4>, Dense<2>>> model{Seed{1}};
#ifdef TENON_TWIN
    Trainer trainer{model, CrossEntropy{}, Adam{}, Single<1>{}};
#else
    Trainer trainer{model, CrossEntropy{}, Adam{}, Single<1>{}, Single<2>{}};
#endif
    const float inputs[4] = {};
    const int labels[1] = {};
    trainer.step(1, inputs, labels);
    return 0;
}
