// SPDX-License-Identifier: BSL-1.0
//
// A layer that has no integer form.
// error: this layer has no int8 form
// note: HasInt8Form<
// note: LayerNorm
#include <tenon/tenon.hpp>

#include <tenon/model/int8_model.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4>, Dense<3>, ReLU>;
#else
using Net = Network<Input<4>, Dense<3>, LayerNorm, ReLU>;
#endif

// Everything that a program asks of a network in int8.
int main()
{
    const Model<Net, Int8> model{Int8Description{}};
    Tensor<float, Net::input_shape> input{};
    return cost<Net, Int8>::flash + cost<Net, Int8>::ram > 0 && model.predict(input)[0] > 0 ? 0 : 1;
}
