// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include "../graph_libtorch.hpp"

namespace contest::with_libtorch {

const bool enlisted = enlist_graphs<Contestant>("zoo_inference", "libtorch", Role::peer, ZooCases{});
const bool described = describe("libtorch", description());

}  // namespace contest::with_libtorch
