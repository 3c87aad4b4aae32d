// SPDX-License-Identifier: BSL-1.0
// cnn_inference: the Keras CNN for images of 28 x 28, one image (what a camera gives) and 32.
#pragma once

#include "../graph_inference.hpp"

namespace contest {

using CnnCases = CaseList<GraphCase<Cnn, 1>, GraphCase<Cnn, 32>>;

}  // namespace contest
