// SPDX-License-Identifier: BSL-1.0
//
// Parameters of 16 bits, to be trained from the start.
// error: parameters of 16 bits are for inference
#include <tenon/tenon.hpp>

#include <tenon/model/stored.hpp>

using namespace tenon;

using Net = Network<Input<13>, Dense<4>>;

int main()
{
#ifdef TENON_TWIN
    const Model<Net, Float16> model = store_as<Float16>(Model<Net>{Seed{1}});
#else
    const Model<Net, Float16> model{Seed{1}};
#endif
    return model.predict(Tensor<float, Shape<13>>{})[0] > 0 ? 0 : 1;
}
