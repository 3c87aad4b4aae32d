// SPDX-License-Identifier: BSL-1.0
// Knowledge distillation: losses that compare a student with a teacher, and the objective that goes to a Trainer.
#pragma once

#include <tenon/distillation/attention.hpp>
#include <tenon/distillation/batch_relations.hpp>
#include <tenon/distillation/cache.hpp>
#include <tenon/distillation/channels.hpp>
#include <tenon/distillation/contrastive_bank.hpp>
#include <tenon/distillation/decoupled.hpp>
#include <tenon/distillation/dist.hpp>
#include <tenon/distillation/gaussian.hpp>
#include <tenon/distillation/hint.hpp>
#include <tenon/distillation/mean_squared_error.hpp>
#include <tenon/distillation/mutual.hpp>
#include <tenon/distillation/objective.hpp>
#include <tenon/distillation/recorded.hpp>
#include <tenon/distillation/relational.hpp>
#include <tenon/distillation/soft_targets.hpp>
#include <tenon/distillation/standardized.hpp>
#include <tenon/distillation/variational.hpp>
#include <tenon/distillation/varying.hpp>
