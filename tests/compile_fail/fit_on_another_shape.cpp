// SPDX-License-Identifier: BSL-1.0
//
// Images for a network that takes vectors.
// error: tenon: the dataset's samples have another shape than the network takes.
// note: Shape<28, 28, 1>
// note: Shape<784>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<28, 28, 1>, Flatten, Dense<10>>;
#else
using Net = Network<Input<784>, Dense<10>>;
#endif

int main()
{
    data::LabelledImages<Shape<28, 28, 1>> images;
    Model<Net> model{Seed{1}};
    Trainer trainer{model, CrossEntropy{}, Adam{}};
    trainer.fit(images, {.epochs = 1});
    return 0;
}
