// SPDX-License-Identifier: BSL-1.0
// All layers.
#pragma once

#include <tenon/layers/activation.hpp>
#include <tenon/layers/batch_norm.hpp>
#include <tenon/layers/conv.hpp>
#include <tenon/layers/conv_transpose.hpp>
#include <tenon/layers/dense.hpp>
#include <tenon/layers/dropout.hpp>
#include <tenon/layers/group_norm.hpp>
#include <tenon/layers/layer_norm.hpp>
#include <tenon/layers/pool.hpp>
#include <tenon/layers/reshape.hpp>
#include <tenon/layers/spatial_dropout.hpp>
#include <tenon/layers/upsample.hpp>
#include <tenon/layers/zero_padding.hpp>
