// SPDX-License-Identifier: BSL-1.0
//
// An adapter that does not give the teacher's features.
// error: tenon: an Adapter must end with the shape of the teacher's features.
// note: Shape<20>
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using distillation::At;

using Teacher = Network<Input<6>, Dense<20>, ReLU, Dense<10>>;
using Student = Network<Input<6>, Dense<12>, ReLU, Dense<10>, Softmax>;

#ifdef TENON_TWIN
using Term = distillation::Hint<At<0>, At<0>, distillation::Adapter<Dense<20>>>;
#else
using Term = distillation::Hint<At<0>, At<0>, distillation::Adapter<Dense<21>>>;
#endif

int main()
{
    Model<Teacher> teacher{Seed{1}};
    Model<Student> student{Seed{2}};
    Trainer{student, distillation::Objective{teacher, distillation::SoftTargets{}, Term{}}, Adam{}}.fit(
        data::TensorDataset<Shape<6>, data::Label>{}, {.epochs = 0});
    return 0;
}
