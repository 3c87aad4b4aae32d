// SPDX-License-Identifier: BSL-1.0
// What callbacks see of a fit while it runs: each step, and the run itself with all that a restart needs.
#pragma once

#include <tenon/training/state.hpp>

#include <cstddef>
#include <limits>
#include <utility>

namespace tenon::inline TENON_ISA {

// One optimiser step.
struct StepInfo {
    int epoch = 0;             // from 1
    std::uint64_t number = 0;  // of the trainer's life, from 1
    std::size_t rows = 0;      // of its batch
    double loss = 0;           // their mean, before the step
    double seconds = 0;        // what it took
    double rate_factor = 1;    // the schedule's, times those of callbacks
    // NaN: the optimiser has no such option; the norm was not asked for (ClipNorm).
    double learning_rate = std::numeric_limits<double>::quiet_NaN();
    double gradient_norm = std::numeric_limits<double>::quiet_NaN();
    // Of its rows; NaN for a regression.
    double accuracy = std::numeric_limits<double>::quiet_NaN();
    // Share of their time that the run's threads worked, in [0, 1]. NaN: not measured; it is in one step of 16, for callbacks
    // that say `static constexpr bool measures_threads = true`.
    double busy_share = std::numeric_limits<double>::quiet_NaN();
};

// A running fit. A callback with begin(Run&) gets it before the first step, one with checkpoint(Run&) after each step and
// after each epoch, when all other callbacks have seen it.
class Run {
public:
    Run() = default;
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    virtual ~Run() = default;

    // The epoch that is being trained, from 1; after the last one, one more.
    virtual int epoch() const = 0;
    // Steps of the trainer's life.
    virtual std::uint64_t steps() const = 0;
    // Between two epochs, or after the last one.
    virtual bool between_epochs() const = 0;
    // No step will follow.
    virtual bool finished() const = 0;
    // The network's hash.
    virtual std::uint64_t topology() const = 0;
    // Weights and running statistics, the optimiser's moments and step count, the place in the data, the history, and what
    // each callback keeps.
    virtual void state(State& state) = 0;
    // Name and value of what decides the outcome: network, loss, optimiser and options.
    virtual std::vector<std::pair<std::string, std::string>> hyperparameters() const = 0;
};

}  // namespace tenon
