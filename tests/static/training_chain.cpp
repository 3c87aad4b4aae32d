// SPDX-License-Identifier: BSL-1.0
// What a loss trains: the network without a last layer that the loss computes itself.
#include <tenon/layers/layers.hpp>
#include <tenon/losses/binary_cross_entropy.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/training/training_chain.hpp>

using namespace tenon;

namespace {

template <class Loss, class... Layers>
using input_of = loss_input_chain<Loss, typename Network<Input<4>, Layers...>::chain>;
template <class... Layers>
using C = Chain<Shape<4>, Layers...>;
using CE = CrossEntropy;

static_assert(std::is_same_v<input_of<CE, Dense<3>, Softmax>, C<Dense<3>>>);
static_assert(std::is_same_v<input_of<CE, Dense<3>, LogSoftmax>, C<Dense<3>>>);
static_assert(std::is_same_v<input_of<CE, Dense<3>>, C<Dense<3>>>);
static_assert(std::is_same_v<input_of<CE, Dense<3>, Sigmoid>, C<Dense<3>, Sigmoid>>);
static_assert(std::is_same_v<input_of<CE, Softmax, Dense<3>>, C<Softmax, Dense<3>>>);
static_assert(std::is_same_v<input_of<CE, Dense<3>, Softmax, Softmax>, C<Dense<3>, Softmax>>);  // one is the loss's
static_assert(std::is_same_v<input_of<CE, Softmax>, C<Softmax>>);                               // nothing would remain
static_assert(std::is_same_v<input_of<BinaryCrossEntropy, Dense<3>, Sigmoid>, C<Dense<3>>>);
static_assert(std::is_same_v<input_of<BinaryCrossEntropy, Dense<3>, Softmax>, C<Dense<3>, Softmax>>);
static_assert(std::is_same_v<input_of<MeanSquaredError, Dense<3>, Softmax>, C<Dense<3>, Softmax>>);

// At the end of Sequentials as well; not inside other blocks, whose output is another.
static_assert(std::is_same_v<input_of<CE, ReLU, Sequential<Dense<3>, Softmax>>, C<ReLU, Sequential<Dense<3>>>>);
static_assert(std::is_same_v<input_of<CE, Sequential<Dense<3>, Softmax>>, C<Sequential<Dense<3>>>>);
static_assert(std::is_same_v<input_of<CE, Dense<3>, Sequential<Softmax>>, C<Dense<3>>>);
static_assert(std::is_same_v<input_of<CE, Sequential<Softmax>>, C<Sequential<Softmax>>>);
static_assert(std::is_same_v<input_of<CE, Sequential<Dense<3>, Sequential<ReLU, Softmax>>>,
                             C<Sequential<Dense<3>, Sequential<ReLU>>>>);
static_assert(std::is_same_v<input_of<CE, Dense<3>, Residual<Softmax>>, C<Dense<3>, Residual<Softmax>>>);
static_assert(std::is_same_v<input_of<CE, Concat<Softmax, ReLU>>, C<Concat<Softmax, ReLU>>>);
static_assert(std::is_same_v<input_of<CE, Dense<3>, Repeat<2, Softmax>>, C<Dense<3>, Repeat<2, Softmax>>>);

// Then fused, for training or for evaluation.
using Chained = Network<Input<4>, Dense<5>, GELU, Dropout<Rate<1, 2>>, Dense<3>, Softmax>::chain;
static_assert(std::is_same_v<training_chain<CE, Chained>, C<Dense<5>, GELU, Dropout<Rate<1, 2>>, Dense<3>>>);
static_assert(std::is_same_v<evaluation_chain<CE, Chained>, C<Fused<Dense<5>, GELU>, Dense<3>>>);

}  // namespace
