// SPDX-License-Identifier: BSL-1.0
//
// Attention transfer of vectors, which have no places.
// error: tenon: this term compares maps: both taps need a shape (height, width, channels).
// note: Shape<12>
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using distillation::At;

using Teacher = Network<Input<6>, Dense<20>, ReLU, Dense<10>>;
using Student = Network<Input<6>, Dense<12>, ReLU, Dense<10>, Softmax>;

#ifdef TENON_TWIN
using Term = distillation::Relational<At<0>, At<0>>;
#else
using Term = distillation::AttentionTransfer<At<0>, At<0>>;
#endif

int main()
{
    Model<Teacher> teacher{Seed{1}};
    Model<Student> student{Seed{2}};
    Trainer{student, distillation::Objective{teacher, distillation::SoftTargets{}, Term{}}, Adam{}}.fit(
        data::TensorDataset<Shape<6>, data::Label>{}, {.epochs = 0});
    return 0;
}
