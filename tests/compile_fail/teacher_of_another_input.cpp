// SPDX-License-Identifier: BSL-1.0
//
// A teacher that takes other samples than its student.
// error: tenon: teacher and student must have the same input shape.
// note: Shape<6>
// note: Shape<7>
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Teacher = Network<Input<6>, Dense<20>, ReLU, Dense<10>>;
#else
using Teacher = Network<Input<7>, Dense<20>, ReLU, Dense<10>>;
#endif
using Student = Network<Input<6>, Dense<10>, Softmax>;

int main()
{
    Model<Teacher> teacher{Seed{1}};
    Model<Student> student{Seed{2}};
    Trainer{student, distillation::Objective{teacher, CrossEntropy{}, distillation::SoftTargets{}}, Adam{}}.fit(
        data::TensorDataset<Shape<6>, data::Label>{}, {.epochs = 0});
    return 0;
}
