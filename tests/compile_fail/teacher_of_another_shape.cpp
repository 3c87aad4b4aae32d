// SPDX-License-Identifier: BSL-1.0
//
// A teacher of eleven classes for a student of ten.
// error: tenon: teacher and student must have the same output shape.
// note: Shape<10>
// note: Shape<11>
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Teacher = Network<Input<6>, Dense<20>, ReLU, Dense<10>>;
#else
using Teacher = Network<Input<6>, Dense<20>, ReLU, Dense<11>>;
#endif
using Student = Network<Input<6>, Dense<10>, Softmax>;

int main()
{
    Model<Teacher> teacher{Seed{1}};
    Model<Student> student{Seed{2}};
    Trainer{student, distillation::Objective{teacher, 0.9f * distillation::SoftTargets{}}, Adam{}}.fit(
        data::TensorDataset<Shape<6>, data::Label>{}, {.epochs = 0});
    return 0;
}
