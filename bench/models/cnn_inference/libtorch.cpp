// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include "../graph_libtorch.hpp"

namespace contest::with_libtorch {

const bool enlisted = enlist_graphs<Contestant>("cnn_inference", "libtorch", Role::peer, CnnCases{});
const bool described = describe("libtorch", description());

}  // namespace contest::with_libtorch
