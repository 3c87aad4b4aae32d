// SPDX-License-Identifier: BSL-1.0
// Umbrella for hosted programs: topologies, inference and training. File formats, and whatever needs a library of its own,
// are separate headers.
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/data/dataset.hpp>
#include <tenon/inference.hpp>
#include <tenon/losses/binary_cross_entropy.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/huber.hpp>
#include <tenon/losses/mean_absolute_error.hpp>
#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/model/model.hpp>
#include <tenon/network/summary.hpp>
#include <tenon/optimizers/adagrad.hpp>
#include <tenon/optimizers/adam.hpp>
#include <tenon/optimizers/lamb.hpp>
#include <tenon/optimizers/lion.hpp>
#include <tenon/optimizers/muon.hpp>
#include <tenon/optimizers/nadam.hpp>
#include <tenon/optimizers/rmsprop.hpp>
#include <tenon/optimizers/sgd.hpp>
#include <tenon/schedules/schedules.hpp>
#include <tenon/training/classification.hpp>
#include <tenon/training/gradient_check.hpp>
#include <tenon/training/predict.hpp>
#include <tenon/training/trainer.hpp>
