// SPDX-License-Identifier: BSL-1.0
//
// A convolution whose output a Residual adds to its branch.
// error: tenon: shrink cannot narrow a layer whose output goes into a block: a Residual adds it to its branch, and the branches of others share it.
// note: Keep<0, 4>
#include <tenon/compression/shrink.hpp>
#include <tenon/tenon.hpp>

using namespace tenon;

using Net = Network<Input<6, 6, 1>, Conv2D<8, Kernel<3>>, ReLU, Residual<Conv2D<12, Kernel<1>>, ReLU, Conv2D<8, Kernel<1>>>,
                    Flatten, Dense<3>>;

int main()
{
    const Model<Net> model{Seed{1}};
#ifdef TENON_TWIN
    const auto small = keep_strongest<Within<2, Keep<0, 4>>>(model);
#else
    const auto small = keep_strongest<Keep<0, 4>>(model);
#endif
    return small.parameters().size() > 0 ? 0 : 1;
}
