// SPDX-License-Identifier: BSL-1.0
//
// A tap at a type that two layers have.
// error: tenon: a tap names a type that several layers of the network have: say which, as Of<Layer, 0>.
// note: ReLU
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using namespace tenon::distillation;

using Teacher = Network<Input<6>, Dense<20>, ReLU, Dense<12>, ReLU, Dense<10>>;
using Student = Network<Input<6>, Dense<12>, ReLU, Dense<10>>;

#ifdef TENON_TWIN
using Term = Hint<Of<ReLU>, Of<ReLU, 1>>;
#else
using Term = Hint<Of<ReLU>, Of<ReLU>>;
#endif

int main()
{
    Model<Teacher> teacher{Seed{1}};
    Model<Student> student{Seed{2}};
    Trainer{student, Objective{teacher, CrossEntropy{}, Term{}}, Adam{}}.fit(
        data::TensorDataset<Shape<6>, data::Label>{}, {.epochs = 0});
    return 0;
}
