// SPDX-License-Identifier: BSL-1.0
// Gradients of a student, and of what terms learn themselves, through every term of features.
#include <support/gradients.hpp>

#include <tenon/distillation.hpp>

using namespace tenon;
using namespace tenon::distillation;
using gradients::check;

namespace {

// Taps before an activation that would be fused, behind it, at the last layer, and behind a layer without parameters.
using Student = Network<Input<5>, Dense<7>, Tanh, Dense<6>, Sigmoid, Dense<4>>;
using Teacher = Network<Input<5>, Dense<9>, Tanh, Dense<6>, Tanh, Dense<4>>;
const Model<Teacher, Float64> teacher{Seed{11}};

using Images =
    Network<Input<6, 6, 2>, Conv2D<3, Kernel<3>>, Tanh, AveragePool2D<2>, Conv2D<4, Kernel<2>>, Flatten, Dense<4>>;
using ImageTeacher =
    Network<Input<6, 6, 2>, Conv2D<5, Kernel<3>>, ReLU, MaxPool2D<2>, Conv2D<4, Kernel<2>>, Tanh, Flatten, Dense<4>>;
const Model<ImageTeacher, Float64> image_teacher{Seed{12}};

template <class... Terms>
void check_vectors(const Terms&... terms)
{
    check<Student>(Objective{teacher, terms...}, {1, 2, 7});
}
template <class... Terms>
void check_images(const Terms&... terms)
{
    check<Images>(Objective{image_teacher, terms...}, {1, 5});
}

}  // namespace

TEST_CASE("hints, with and without an adapter")
{
    check_vectors(Hint<At<2>, At<2>>{});
    check_vectors(Hint<At<0>, At<1>>{});
    check_vectors(Hint<Of<Tanh>, Of<Tanh, 1>, Adapter<Dense<8>, Tanh, Dense<6>>>{});
    check_images(100 * Hint<At<0>, Of<Conv2D<5, Kernel<3>>>>{});
    check_images(Hint<At<3>, At<5>, Adapter<Flatten, Dense<16>, Tanh, Dense<4>>>{});
}
TEST_CASE("attention transfer")
{
    check_images(AttentionTransfer<At<1>, At<0>>{});
    check_images(AttentionTransfer<At<1>, At<3>>{});
    check_images(AttentionTransfer<At<3>, At<1>>{.power = 1.5});
    check_images(AttentionTransfer<At<1>, At<1>>{.form = Form::paper});
}
TEST_CASE("relations")
{
    check_vectors(Relational<At<1>, At<0>>{});
    check_vectors(Relational<At<4>, At<4>>{.distance = 1, .angle = 0});
    check_vectors(Relational<At<1>, At<3>>{.distance = 0, .angle = 1, .most_rows = 4});
    check_images(Relational<At<3>, At<1>>{});
    check_vectors(SimilarityPreserving<At<3>, At<1>>{});
    check_images(3000 * SimilarityPreserving<At<0>, At<6>>{});
}
TEST_CASE("variational information")
{
    check_vectors(Variational<At<1>, At<3>>{});
    check_images(Variational<At<1>, At<1>>{.initial_variance = 0.5});
}
TEST_CASE("channels and factors")
{
    check_images(NeuronSelectivity<At<1>, At<0>>{});
    check_images(50 * NeuronSelectivity<At<1>, At<3>>{});
    check_images(NeuronSelectivity<At<2>, At<1>>{});
    check_vectors(FactorTransfer<At<1>, At<3>>{});
    check_images(200 * FactorTransfer<At<0>, At<0>>{});
}
TEST_CASE("distributions, neighbours and contrasts within the batch")
{
    check_vectors(ProbabilisticTransfer<At<1>, At<0>>{});
    check_images(30000 * ProbabilisticTransfer<At<4>, At<3>>{});
    check_vectors(0.02 * CorrelationCongruence<At<1>, At<3>>{});
    check_vectors(Contrastive<At<1>, At<3>, 8>{});
    check_images(0.8 * Contrastive<At<0>, At<5>, 16>{.temperature = 0.5});
}
TEST_CASE("several terms at one layer, with terms of outputs")
{
    check_vectors(0.1 * CrossEntropy{}, SoftTargets{}, Hint<At<1>, At<1>>{}, 0.5 * Relational<At<1>, At<1>>{},
                  2 * SimilarityPreserving<At<3>, At<1>>{});
}
