// SPDX-License-Identifier: BSL-1.0
// Pace: how a run's learning rate and speed went, in few enough points for a chart.
#pragma once

#include <tenon/training/run.hpp>

#include <vector>

namespace tenon::inline TENON_ISA {

// A callback. Each point stands for the same number of steps: one at first, twice as many whenever the points become too many.
//     callbacks::Pace pace;
//     trainer.fit(data, options, pace);
//     report.pace(pace);
namespace callbacks {

class Pace {
public:
    static constexpr std::size_t most_points = 200;

    void begin(Run& run)
    {
        if (run.epoch() == 1 && run.between_epochs()) *this = Pace{};
    }
    void step(const StepInfo& info)
    {
        if (in_point_ == 0) {
            if (rates_.size() == most_points) halve();
            rates_.push_back(0);
            rows_.push_back(0);
            seconds_.push_back(0);
        }
        rates_.back() = info.learning_rate;
        rows_.back() += static_cast<double>(info.rows);
        seconds_.back() += info.seconds;
        if (++in_point_ == steps_per_point_) in_point_ = 0;
    }
    void state(State& state, const std::string& name)
    {
        state.value(name + "steps_per_point", steps_per_point_);
        state.value(name + "in_point", in_point_);
        state.list(name + "rates", rates_);
        state.list(name + "rows", rows_);
        state.list(name + "seconds", seconds_);
    }

    std::uint64_t steps_per_point() const { return steps_per_point_; }
    // Of the last step of each point.
    const std::vector<double>& learning_rates() const { return rates_; }
    // Rows trained per second of the steps, all but callbacks and validation.
    std::vector<double> samples_per_second() const
    {
        std::vector<double> result;
        for (std::size_t i = 0; i < rows_.size(); ++i) result.push_back(rows_[i] / seconds_[i]);
        return result;
    }

private:
    void halve()
    {
        for (std::size_t i = 0; i < most_points / 2; ++i) {
            rates_[i] = rates_[2 * i + 1];
            rows_[i] = rows_[2 * i] + rows_[2 * i + 1];
            seconds_[i] = seconds_[2 * i] + seconds_[2 * i + 1];
        }
        for (std::vector<double>* values : {&rates_, &rows_, &seconds_}) values->resize(most_points / 2);
        steps_per_point_ *= 2;
    }

    std::uint64_t steps_per_point_ = 1;
    std::uint64_t in_point_ = 0;  // steps that the last point has, unless it is full
    std::vector<double> rates_, rows_, seconds_;
};

}  // namespace callbacks
}  // namespace tenon
