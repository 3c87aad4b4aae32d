// SPDX-License-Identifier: BSL-1.0
//
// A term of features with several teachers: their layers are not one another's.
// error: tenon: terms of features need one Model as the teacher: a Cache or an Ensemble has outputs only.
// note: Ensemble
#include <tenon/tenon.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using namespace tenon::distillation;

using Net = Network<Input<6>, Dense<12>, ReLU, Dense<10>>;

int main()
{
    Model<Net> first{Seed{1}}, second{Seed{2}}, student{Seed{3}};
#ifdef TENON_TWIN
    Objective objective{first, CrossEntropy{}, Hint<At<1>, At<1>>{}};
#else
    Objective objective{Ensemble{first, second}, CrossEntropy{}, Hint<At<1>, At<1>>{}};
#endif
    Trainer{student, objective, Adam{}}.fit(data::TensorDataset<Shape<6>, data::Label>{}, {.epochs = 0});
    return 0;
}
