// SPDX-License-Identifier: BSL-1.0
// What training and evaluation report: Evaluation, Epoch and History.
#pragma once

#include <tenon/training/state.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace tenon::inline TENON_ISA {

// Loss and accuracy over a dataset. NaN: not measured, as the accuracy of a regression.
struct Evaluation {
    double loss = std::numeric_limits<double>::quiet_NaN();      // mean over the rows
    double accuracy = std::numeric_limits<double>::quiet_NaN();  // rows classified right / rows, in [0, 1]
};

// One part of a loss that is a sum, such as a term of a distillation objective: its mean over the rows, times its weight.
struct LossPart {
    std::string name;
    double value = 0;
};

// One pass over the training data. `training` was measured while the weights moved, so it lags behind `validation`,
// which is measured with the weights at the epoch's end (and stays NaN without a validation set).
struct Epoch {
    int number = 0;  // from 1
    Evaluation training;
    Evaluation validation;
    double seconds = 0;  // of training, without the validation
    double samples_per_second = 0;
    std::vector<LossPart> parts = {};  // of training.loss; empty where the loss is no sum
};

// The epochs of one fit, in order.
class History {
public:
    void push_back(const Epoch& epoch) { epochs_.push_back(epoch); }

    std::size_t size() const { return epochs_.size(); }
    bool empty() const { return epochs_.empty(); }
    const Epoch& operator[](std::size_t i) const { return epochs_[i]; }
    const Epoch& front() const { return epochs_.front(); }
    const Epoch& back() const { return epochs_.back(); }
    auto begin() const { return epochs_.begin(); }
    auto end() const { return epochs_.end(); }

    // For checkpoints.
    void state(State& state)
    {
        std::vector<double> values;
        for (const Epoch& epoch : epochs_)
            values.insert(values.end(),
                          {static_cast<double>(epoch.number), epoch.training.loss, epoch.training.accuracy,
                           epoch.validation.loss, epoch.validation.accuracy, epoch.seconds, epoch.samples_per_second});
        state.list("training/history", values);
        if (!state.reads()) return;
        epochs_.clear();
        for (std::size_t i = 0; i + 7 <= values.size(); i += 7)
            epochs_.push_back({static_cast<int>(values[i]),
                               {values[i + 1], values[i + 2]},
                               {values[i + 3], values[i + 4]},
                               values[i + 5],
                               values[i + 6]});
    }
    // The same for the parts of a loss that has some, whose names the loss knows.
    void state(State& state, const std::vector<LossPart>& parts)
    {
        std::vector<double> values;
        for (const Epoch& epoch : epochs_)
            for (std::size_t i = 0; i < parts.size(); ++i)
                values.push_back(i < epoch.parts.size() ? epoch.parts[i].value : 0.0);
        state.list("training/history_parts", values);
        if (!state.reads()) return;
        for (std::size_t e = 0; e < epochs_.size() && (e + 1) * parts.size() <= values.size(); ++e) {
            epochs_[e].parts = parts;
            for (std::size_t i = 0; i < parts.size(); ++i) epochs_[e].parts[i].value = values[e * parts.size() + i];
        }
    }

private:
    std::vector<Epoch> epochs_;
};

}  // namespace tenon
