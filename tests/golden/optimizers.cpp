// SPDX-License-Identifier: BSL-1.0
// Ten steps of each optimiser against PyTorch, against Keras's formulas where they differ, and against the papers' where
// PyTorch has none.
#include "data/optimizers.hpp"
#include "sequence.hpp"

#include <tenon/optimizers/adagrad.hpp>
#include <tenon/optimizers/adam.hpp>
#include <tenon/optimizers/apply.hpp>
#include <tenon/optimizers/lamb.hpp>
#include <tenon/optimizers/lion.hpp>
#include <tenon/optimizers/nadam.hpp>
#include <tenon/optimizers/rmsprop.hpp>
#include <tenon/optimizers/sgd.hpp>
#include <tenon/training/slot_update.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace tenon;
namespace data = golden::optimizers;

namespace {

constexpr std::size_t weights = 5, steps = 10;

// Largest difference from the trajectory in T, weights being of order 1.
template <class T, class Optimizer>
double deviation(const Optimizer& optimizer, const double* expected, double (*factor)(std::uint64_t))
{
    constexpr std::size_t moments = Optimizer::moments;
    std::vector<T> w = golden::draws<T>(30, weights), state(moments * weights);
    std::vector<T> g = golden::draws<T>(31, steps * weights);
    UpdateBlocks<T, moments> blocks{w.data(), {}};
    for (std::size_t i = 0; i < moments; ++i) blocks.moments[i] = state.data() + i * weights;
    double worst = 0;
    for (std::size_t t = 1; t <= steps; ++t) {
        const auto step = optimizer_step<T>(optimizer, t, factor(t));
        T* gradients = g.data() + (t - 1) * weights;
        std::vector<double> sums;
        if constexpr (needs_whole_slots<Optimizer>())
            detail::update_whole_slot(Team{}, step, weights, blocks, gradients, sums);
        else
            apply_update<moments>(step, weights, blocks, static_cast<const T*>(gradients));
        for (std::size_t i = 0; i < weights; ++i)
            worst = std::max(worst, std::abs(static_cast<double>(w[i]) - expected[(t - 1) * weights + i]));
    }
    return worst;
}

template <class Optimizer>
void check(
    const Optimizer& optimizer, const double (&expected)[steps * weights],
    double (*factor)(std::uint64_t) = [](std::uint64_t) { return 1.0; })
{
    CHECK(deviation<double>(optimizer, expected, factor) < 1e-14);
    CHECK(deviation<float>(optimizer, expected, factor) < 1e-6);
}

}  // namespace

TEST_CASE("SGD follows PyTorch")
{
    check(SGD{.learning_rate = 0.01}, data::sgd);
    check(SGD{.learning_rate = 0.01, .weight_decay = 0.1}, data::sgd_decay);
    check(SGD{.learning_rate = 0.01, .momentum = 0.9}, data::sgd_momentum);
    check(SGD{.learning_rate = 0.01, .momentum = 0.9, .nesterov = true}, data::sgd_nesterov);
    check(SGD{.learning_rate = 0.05, .momentum = 0.8, .nesterov = true, .weight_decay = 0.02}, data::sgd_everything);
}

TEST_CASE("SGD's velocity holds the learning rate, as in Keras")
{
    const auto scheduled = [](std::uint64_t t) { return 1.0 / static_cast<double>(t); };
    check(SGD{.learning_rate = 0.05, .momentum = 0.8}, data::keras_sgd_scheduled, scheduled);
    check(SGD{.learning_rate = 0.05, .momentum = 0.8, .nesterov = true}, data::keras_nesterov_scheduled, scheduled);
}

TEST_CASE("Adam with PyTorch's epsilon follows PyTorch")
{
    constexpr Epsilon large{0.1, Epsilon::Convention::pytorch};
    check(Adam{.learning_rate = 1e-3, .epsilon = pytorch_epsilon}, data::adam);
    check(Adam{.learning_rate = 1e-2, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = large}, data::adam_epsilon);
    check(AdamW{.learning_rate = 1e-3, .epsilon = pytorch_epsilon}, data::adamw);
    check(AdamW{.learning_rate = 1e-2, .weight_decay = 0.3, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = large},
          data::adamw_epsilon);
}

TEST_CASE("Adam by default follows Keras")
{
    check(Adam{}, data::keras_adam);
    check(Adam{.learning_rate = 1e-2, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 0.1}, data::keras_adam_epsilon);
    check(AdamW{.learning_rate = 1e-2, .weight_decay = 0.3, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 0.1},
          data::keras_adamw);
}

TEST_CASE("RMSProp with PyTorch's epsilon follows PyTorch")
{
    constexpr Epsilon small{0.01, Epsilon::Convention::pytorch};
    check(RMSProp{.epsilon = pytorch_epsilon}, data::rmsprop);
    check(RMSProp{.momentum = 0.7, .epsilon = small}, data::rmsprop_momentum);
    check(RMSProp{.epsilon = small, .centered = true}, data::rmsprop_centered);
    check(RMSProp{.learning_rate = 2e-3,
                  .rho = 0.95,
                  .momentum = 0.7,
                  .epsilon = {0.1, Epsilon::Convention::pytorch},
                  .centered = true},
          data::rmsprop_everything);
}

TEST_CASE("RMSProp by default follows Keras")
{
    check(RMSProp{}, data::keras_rmsprop);
    check(RMSProp{.learning_rate = 2e-3, .rho = 0.95, .momentum = 0.7, .epsilon = 0.1, .centered = true},
          data::keras_rmsprop_everything);
}

TEST_CASE("Adagrad follows PyTorch with its epsilon, and Keras by default")
{
    check(Adagrad{.learning_rate = 0.01, .initial_accumulator = 0, .epsilon = {1e-10, Epsilon::Convention::pytorch}},
          data::adagrad);
    check(Adagrad{.learning_rate = 0.05, .initial_accumulator = 0.3, .epsilon = {0.1, Epsilon::Convention::pytorch}},
          data::adagrad_epsilon);
    check(Adagrad{}, data::keras_adagrad);
    check(Adagrad{.learning_rate = 0.05, .initial_accumulator = 0.3, .epsilon = 0.2}, data::keras_adagrad_epsilon);
}

TEST_CASE("Adadelta follows PyTorch")
{
    check(Adadelta{.learning_rate = 1.0, .rho = 0.9, .epsilon = 1e-6}, data::adadelta);
    check(Adadelta{.learning_rate = 0.5, .rho = 0.8, .epsilon = 0.1}, data::adadelta_epsilon);
}

TEST_CASE("NAdam follows PyTorch with its decay of the momentum, and Keras by default")
{
    check(NAdam{.learning_rate = 2e-3, .epsilon = 1e-8, .momentum_decay = 0.004}, data::nadam);
    check(NAdam{.learning_rate = 1e-2, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 0.1, .momentum_decay = 0.3},
          data::nadam_epsilon);
    check(NAdam{}, data::keras_nadam);
    check(NAdam{.learning_rate = 1e-2, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 0.1}, data::keras_nadam_epsilon);
}

TEST_CASE("Lion and LAMB follow their papers")
{
    check(Lion{.learning_rate = 1e-3}, data::lion);
    check(Lion{.learning_rate = 0.02, .weight_decay = 0.3, .beta_1 = 0.8, .beta_2 = 0.95}, data::lion_decay);
    check(LAMB{}, data::lamb);
    check(LAMB{.learning_rate = 0.02, .weight_decay = 0.3, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 0.1},
          data::lamb_decay);
}
