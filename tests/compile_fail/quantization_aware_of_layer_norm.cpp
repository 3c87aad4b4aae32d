// SPDX-License-Identifier: BSL-1.0
//
// Quantisation-aware training with a layer that has no integer form.
// error: this layer has no int8 form
// note: HasInt8Form<
// note: LayerNorm
#include <tenon/compression/quantization_aware.hpp>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Net = Network<Input<4>, Dense<3>, ReLU>;
#else
using Net = Network<Input<4>, Dense<3>, LayerNorm, ReLU>;
#endif

int main()
{
    Model<QuantizationAware<Net>> aware{Seed{1}};
    Trainer trainer{aware, MeanSquaredError{}, SGD{}};
    return aware.predict(Tensor<float, Shape<4>>{})[0] > 0 ? 0 : 1;
}
