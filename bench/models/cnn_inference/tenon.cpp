// SPDX-License-Identifier: BSL-1.0
#include "cases.hpp"

#include "../graph_tenon.hpp"

namespace contest::with_tenon {

const bool enlisted = enlist_graphs<Contestant>("cnn_inference", "tenon", Role::tenon, CnnCases{});

}  // namespace contest::with_tenon
