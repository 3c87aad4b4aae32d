// SPDX-License-Identifier: BSL-1.0
//
// An input of another shape.
// error: the input has shape InputHas<...>, the network takes TheNetworkTakes<...>
// note: CheckInput<InputHas<Shape<783>>, TheNetworkTakes<Shape<784>>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Sample = Tensor<float, Shape<784>>;
#else
using Sample = Tensor<float, Shape<783>>;
#endif

using Net = Network<Input<784>, Dense<10>>;

int main()
{
    const Model<Net> model{Seed{1}};
    return model.predict(Sample{})[0] > 0 ? 0 : 1;
}
