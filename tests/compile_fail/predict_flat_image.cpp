// SPDX-License-Identifier: BSL-1.0
//
// A flat input for an image of the same size.
// error: the input has shape InputHas<...>, the network takes TheNetworkTakes<...>
// note: CheckInput<InputHas<Shape<784>>, TheNetworkTakes<Shape<28, 28, 1>>>
#include <tenon/tenon.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Sample = Tensor<float, Shape<28, 28, 1>>;
#else
using Sample = Tensor<float, Shape<784>>;
#endif

using Net = Network<Input<28, 28, 1>, Flatten, Dense<10>>;

int main()
{
    const Model<Net> model{Seed{1}};
    return model.predict(Sample{})[0] > 0 ? 0 : 1;
}
