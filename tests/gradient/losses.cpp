// SPDX-License-Identifier: BSL-1.0
// Gradients through every loss, with the final layer that it absorbs, with another, and with none.
#include <support/gradients.hpp>

using namespace tenon;
using gradients::check;

namespace {

// check_gradients gives CrossEntropy labels; this gives it rows of numbers, which need not sum to 1.
struct SoftCrossEntropy : CrossEntropy {
    static constexpr bool takes_labels = false;
};

template <class... End>
using Classifier = Network<Input<5>, Dense<7>, ReLU, Dense<4>, End...>;

template <class Loss>
void check_loss(const Loss& loss)
{
    check<Classifier<>>(loss, {1, 2, 5, 17});
    check<Classifier<Softmax>>(loss);
    check<Classifier<Sigmoid>>(loss);
}

}  // namespace

TEST_CASE("cross-entropy of labels")
{
    check_loss(CrossEntropy{});
    check_loss(CrossEntropy{.label_smoothing = 0.1});
    check<Classifier<LogSoftmax>>(CrossEntropy{});
    check<Classifier<Dense<1>>>(CrossEntropy{});
    check<Network<Input<5>, Dense<33>, Softmax>>(CrossEntropy{.label_smoothing = 0.2});
    check<Network<Input<5>, Softmax>>(CrossEntropy{});
}
TEST_CASE("cross-entropy of probability rows")
{
    check_loss(SoftCrossEntropy{});
    check_loss(SoftCrossEntropy{{.label_smoothing = 0.1}});
}
TEST_CASE("binary cross-entropy")
{
    check_loss(BinaryCrossEntropy{});
    check_loss(BinaryCrossEntropy{.label_smoothing = 0.1});
    check<Network<Input<5>, Dense<1>, Sigmoid>>(BinaryCrossEntropy{});
    check<Network<Input<2, 3>, LayerNorm, Sigmoid>>(BinaryCrossEntropy{});
}
TEST_CASE("regression losses")
{
    check_loss(MeanSquaredError{});
    check_loss(MeanAbsoluteError{});
    check_loss(Huber{});
    check_loss(Huber{.delta = 0.1});
    check<Network<Input<2, 3, 4>, PReLU>>(MeanAbsoluteError{});
    check<Network<Input<2, 3, 4>, LayerNorm, Tanh>>(Huber{.delta = 0.5});
}
