// SPDX-License-Identifier: BSL-1.0
// Gradients of a student through every term of distillation, alone and in sums.
#include <support/gradients.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using namespace tenon::distillation;
using gradients::check;

namespace {

template <class... End>
using Student = Network<Input<5>, Dense<7>, Tanh, Dense<4>, End...>;
using Large = Network<Input<5>, Dense<9>, Tanh, Dense<4>>;
const Model<Large, Float64> teacher{Seed{11}};
const Model<Network<Input<3, 5>, LayerNorm, Tanh>, Float64> images{Seed{13}};
const Model<Network<Input<5>, Dense<6>, ReLU, Dense<4>, Softmax>, Float64> second{Seed{12}};

template <class... Terms>
void check_terms(const Terms&... terms)
{
    check<Student<>>(Objective{teacher, terms...}, {1, 2, 7});
    check<Student<Softmax>>(Objective{teacher, terms...});
}

}  // namespace

TEST_CASE("soft targets")
{
    check_terms(SoftTargets{.temperature = 1});
    check_terms(SoftTargets{});
    check_terms(SoftTargets{.temperature = 20});
    check<Student<Sigmoid>>(Objective{teacher, BinarySoftTargets{}});
    check<Network<Input<3, 5>, LayerNorm, Softmax>>(Objective{images, SoftTargets{}});
}
TEST_CASE("squared differences")
{
    check_terms(distillation::MeanSquaredError{});
    check_terms(LogitMeanSquaredError{});
    check<Student<Softmax>>(Objective{second, MatchOutputs{Huber{.delta = 0.1}}});
}
TEST_CASE("decoupled")
{
    check_terms(Decoupled{});
    check_terms(Decoupled{.alpha = 0.3, .beta = 2, .temperature = 1});
}
TEST_CASE("DIST")
{
    check_terms(Dist{});
    check_terms(Dist{.beta = 2, .gamma = 0.5, .temperature = 4});
}
TEST_CASE("standardised logits")
{
    check_terms(Standardized{SoftTargets{.temperature = 2}});
    check_terms(Standardized{Decoupled{.temperature = 2}});
}
TEST_CASE("sums with hard labels, and ensembles")
{
    check_terms(0.1 * CrossEntropy{}, 0.9f * SoftTargets{});
    check_terms(CrossEntropy{.label_smoothing = 0.1}, 2 * Dist{}, 0.5 * Decoupled{}, 0.25 * LogitMeanSquaredError{});
    check<Student<Softmax>>(Objective{Ensemble{teacher, second}, 0.1 * CrossEntropy{}, SoftTargets{}});
}
