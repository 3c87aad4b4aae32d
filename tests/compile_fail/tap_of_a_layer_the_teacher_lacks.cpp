// SPDX-License-Identifier: BSL-1.0
//
// A tap at a type of layer that the teacher does not have.
// error: tenon: a tap names a layer that the network does not have (a final layer that the loss computes itself is none).
// note: Dense<12>
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using distillation::At;

using Teacher = Network<Input<6>, Dense<20>, ReLU, Dense<10>>;
using Student = Network<Input<6>, Dense<12>, ReLU, Dense<10>, Softmax>;

#ifdef TENON_TWIN
using Term = distillation::SimilarityPreserving<distillation::Of<Dense<12>>, distillation::Of<Dense<20>>>;
#else
using Term = distillation::SimilarityPreserving<distillation::Of<Dense<12>>, distillation::Of<Dense<12>>>;
#endif

int main()
{
    Model<Teacher> teacher{Seed{1}};
    Model<Student> student{Seed{2}};
    Trainer{student, distillation::Objective{teacher, distillation::SoftTargets{}, Term{}}, Adam{}}.fit(
        data::TensorDataset<Shape<6>, data::Label>{}, {.epochs = 0});
    return 0;
}
