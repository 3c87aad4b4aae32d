// SPDX-License-Identifier: BSL-1.0
//
// Pruned after it was stored in 16 bits, not before.
// error: tenon: weights are pruned, narrowed and skipped in float or double: do it to the Model<Net>, and then store_as<Float16> or quantize what is left.
// note: CheckPrunable<
#include <tenon/compression/n_of_m.hpp>
#include <tenon/compression/shrink.hpp>
#include <tenon/compression/skip_zeros.hpp>

using namespace tenon;

using Net = Network<Input<8>, Dense<8>, ReLU, Dense<2>>;

#ifdef TENON_TWIN
using Precision = Float32;
#else
using Precision = BFloat16;
#endif

int main()
{
    Model<Net, Precision> model{uninitialized};
    prune(model, {.sparsity = 0.5});
    keep_zeros(model);
    keep_n_of_m<2, 4>(model);
    const auto small = keep_strongest<Keep<0, 4>>(model);
    return sparsity(model).zeros == 0 && is_n_of_m<2, 4>(model) && try_skip_zeros(model) &&
           small.parameters().size() == 0;
}
