// SPDX-License-Identifier: BSL-1.0
//
// A tap behind the Softmax that the objective takes in.
// error: tenon: a tap names a layer that the network does not have (a final layer that the loss computes itself is none).
// note: At<3>
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using distillation::At;

using Teacher = Network<Input<6>, Dense<20>, ReLU, Dense<10>>;
using Student = Network<Input<6>, Dense<12>, ReLU, Dense<10>, Softmax>;

#ifdef TENON_TWIN
using Term = distillation::Hint<At<2>, At<2>>;
#else
using Term = distillation::Hint<At<3>, At<2>>;
#endif

int main()
{
    Model<Teacher> teacher{Seed{1}};
    Model<Student> student{Seed{2}};
    Trainer{student, distillation::Objective{teacher, distillation::SoftTargets{}, Term{}}, Adam{}}.fit(
        data::TensorDataset<Shape<6>, data::Label>{}, {.epochs = 0});
    return 0;
}
