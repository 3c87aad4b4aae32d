// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include "../graph_onednn.hpp"

namespace contest::with_onednn {

const bool enlisted = enlist_graphs<Contestant>("cnn_inference", "onednn", Role::peer, CnnCases{});
const bool described = describe("onednn", description());

}  // namespace contest::with_onednn
