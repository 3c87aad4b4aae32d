// SPDX-License-Identifier: BSL-1.0
// Learning-rate schedules: functions from the step of a run (0-based) to a factor of the optimiser's learning rate. Plain
// values, so they compose: warm_up(500, cosine(10'000)), sequence(1000, constant(), exponential(0.999)).
#pragma once

#include <tenon/config.hpp>

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace tenon::inline TENON_ISA::schedules {

namespace detail {

// How far `step` has come in `steps`, in [0, 1].
inline double progress(std::uint64_t step, std::uint64_t steps)
{
    return steps == 0 || step >= steps ? 1.0 : static_cast<double>(step) / static_cast<double>(steps);
}

// Half a cosine from 1 down to 0.
inline double half_cosine(double progress) { return 0.5 * (1.0 + std::cos(3.14159265358979323846 * progress)); }

}  // namespace detail

// The same factor throughout.
struct Constant {
    double factor = 1.0;
    double operator()(std::uint64_t) const { return factor; }
};
inline Constant constant(double factor = 1.0) { return {factor}; }

// factor^⌊step / every⌋ (PyTorch's StepLR, by steps).
struct Step {
    std::uint64_t every;
    double factor;
    double operator()(std::uint64_t step) const
    {
        return std::pow(factor, static_cast<double>(every == 0 ? 0 : step / every));
    }
};
inline Step step(std::uint64_t every, double factor = 0.1) { return {every, factor}; }

// factor^(number of milestones passed), milestones in any order.
struct MultiStep {
    std::vector<std::uint64_t> milestones;
    double factor;
    double operator()(std::uint64_t step) const
    {
        double result = 1.0;
        for (const std::uint64_t milestone : milestones)
            if (step >= milestone) result *= factor;
        return result;
    }
};
inline MultiStep multi_step(std::vector<std::uint64_t> milestones, double factor = 0.1)
{
    return {std::move(milestones), factor};
}

// factor^step.
struct Exponential {
    double factor;
    double operator()(std::uint64_t step) const { return std::pow(factor, static_cast<double>(step)); }
};
inline Exponential exponential(double factor) { return {factor}; }

// (1 - step / steps)^power down to `minimum`, which is kept afterwards.
struct Polynomial {
    std::uint64_t steps;
    double power;
    double minimum;
    double operator()(std::uint64_t step) const
    {
        return minimum + (1.0 - minimum) * std::pow(1.0 - detail::progress(step, steps), power);
    }
};
inline Polynomial polynomial(std::uint64_t steps, double power = 1.0, double minimum = 0.0)
{
    return {steps, power, minimum};
}

// Options of cosine.
struct CosineOptions {
    std::uint64_t warmup_steps = 0;  // linear from 1 / warmup_steps to 1
    double minimum = 0.0;            // at the end, and after it
    int restarts = 0;                // how often the cosine begins anew; its periods are equal
};

// Warm-up, then minimum + (1 - minimum) · (1 + cos(π t)) / 2 over the remaining steps (Loshchilov & Hutter 2017, SGDR).
struct Cosine {
    std::uint64_t steps;
    CosineOptions options;
    double operator()(std::uint64_t step) const
    {
        if (step < options.warmup_steps)
            return static_cast<double>(step + 1) / static_cast<double>(options.warmup_steps);
        if (step >= steps) return options.minimum;
        double t = detail::progress(step - options.warmup_steps, steps - options.warmup_steps);
        t *= options.restarts + 1;
        return options.minimum + (1.0 - options.minimum) * detail::half_cosine(t - std::floor(t));
    }
};
template <class Steps>
Cosine cosine(Steps steps, CosineOptions options = {})
{
    return {static_cast<std::uint64_t>(steps), options};
}

// Options of one_cycle.
struct OneCycleOptions {
    double warm_up = 0.3;           // the share of the steps that rise
    double start = 1.0 / 25.0;      // the factor at the beginning
    double end = 1.0 / 25.0 / 1e4;  // and at the end
};

// Up from `start` to 1, then down to `end`, both as half cosines (Smith & Topin 2018; PyTorch's OneCycleLR without its
// cycling of momentum). The optimiser's learning rate is the largest one.
struct OneCycle {
    std::uint64_t steps;
    OneCycleOptions options;
    double operator()(std::uint64_t step) const
    {
        const double t = detail::progress(step, steps);
        if (t < options.warm_up) return 1.0 - (1.0 - options.start) * detail::half_cosine(t / options.warm_up);
        const double down = options.warm_up < 1.0 ? (t - options.warm_up) / (1.0 - options.warm_up) : 1.0;
        return options.end + (1.0 - options.end) * detail::half_cosine(down);
    }
};
inline OneCycle one_cycle(std::uint64_t steps, OneCycleOptions options = {}) { return {steps, options}; }

// Linear from 1 / steps to 1, then another schedule, which starts counting at its own 0.
template <class Schedule>
struct WarmUp {
    std::uint64_t steps;
    Schedule then;
    double operator()(std::uint64_t step) const
    {
        if (step < steps) return static_cast<double>(step + 1) / static_cast<double>(steps) * then(0);
        return then(step - steps);
    }
};
template <class Schedule>
WarmUp<Schedule> warm_up(std::uint64_t steps, Schedule then)
{
    return {steps, std::move(then)};
}

// The first schedule for `steps` steps, then the second, which starts counting at its own 0.
template <class First, class Second>
struct Sequence {
    std::uint64_t steps;
    First first;
    Second second;
    double operator()(std::uint64_t step) const { return step < steps ? first(step) : second(step - steps); }
};
template <class First, class Second>
Sequence<First, Second> sequence(std::uint64_t steps, First first, Second second)
{
    return {steps, std::move(first), std::move(second)};
}

}  // namespace tenon::schedules
