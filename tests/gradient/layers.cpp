// SPDX-License-Identifier: BSL-1.0
// Gradients of every layer: alone, behind and in front of a Dense, in ranks 1 to 3.
#include <support/gradients.hpp>

using namespace tenon;
using gradients::check;

namespace {

// First of all (its input's gradient is asked for), fused or not, and in the middle.
template <class Layer>
void check_layer()
{
    check<Network<Input<7>, Layer>>();
    check<Network<Input<6>, Dense<9>, Layer, Dense<4>>>(MeanSquaredError{}, {1, 5});
    check<Network<Input<2, 3, 5>, Layer>>();
}

}  // namespace

TEST_CASE("activations with a derivative from their output")
{
    check_layer<ReLU>();
    check_layer<Tanh>();
    check_layer<Sigmoid>();
    check_layer<HardSigmoid>();
    check_layer<SELU>();
    check_layer<Softplus>();
}
TEST_CASE("activations with a derivative from their input")
{
    check_layer<HardSwish>();
    check_layer<SiLU>();
    check_layer<GELU>();
    check_layer<GELUTanh>();
    check_layer<LeakyReLU>();
    check_layer<LeakyReLUWith<Slope<3, 10>>>();
    check_layer<LeakyReLUWith<Slope<-1, 2>>>();
    check_layer<ELU>();
    check_layer<ELUWith<Alpha<1, 2>>>();
}
