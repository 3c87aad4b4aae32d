// SPDX-License-Identifier: BSL-1.0
//
// Layer 1 is no Dense: it has no kernel that could be without zeros.
// error: tenon: only Dense layers of the network's own list run on lists without zeros: leave this one out of SparseWeights<Net, Int8, Layers...>.
// note: HasLists<
#include <tenon/model/int8_sparse.hpp>

using namespace tenon;

using Net = Network<Input<8>, Dense<4>, Softmax>;

#ifdef TENON_TWIN
SparseWeights<Net, Int8, 0> weights{};
#else
SparseWeights<Net, Int8, 0, 1> weights{};
#endif

int main() { return predict<Net>(weights, Tensor<std::int8_t, Shape<8>>{})[0]; }
