// SPDX-License-Identifier: BSL-1.0
// Umbrella for firmware and audio threads: topologies, frozen weights, prediction. No heap, threads, exceptions, RTTI or
// iostream behind it.
#pragma once

#include <tenon/config.hpp>
#include <tenon/core/tensor.hpp>
#include <tenon/layers/layers.hpp>
#include <tenon/model/fold_batch_norm.hpp>
#include <tenon/model/frozen.hpp>
#include <tenon/model/session.hpp>
#include <tenon/network/add.hpp>
#include <tenon/network/network.hpp>
#include <tenon/network/separable.hpp>
#include <tenon/network/slot_table.hpp>
#include <tenon/passes/inference.hpp>
#include <tenon/version.hpp>
