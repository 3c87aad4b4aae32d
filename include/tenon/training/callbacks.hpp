// SPDX-License-Identifier: BSL-1.0
// Callbacks: what fit calls while it runs. Anything callable with (const Epoch&), or with (const Epoch&, Model&) where it
// wants the weights, after each epoch; its answer is nothing, or After::stop. Members that a callback may have besides, or
// instead:
//     begin(Run&)                             before the first step
//     step(const StepInfo&[, Model&])         after each step
//     double rate_factor() const              multiplies the learning rate of the next step
//     state(State&, const std::string& name[, Model&])    what a checkpoint has to keep of it, under names that begin so
//     checkpoint(Run&)                        after each step and each epoch, when the others have seen it
//     finish(Model&)                          when fit ends
#pragma once

#include <tenon/training/history.hpp>
#include <tenon/training/run.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace tenon::inline TENON_ISA {

// What a callback may answer.
enum class After : unsigned char { proceed, stop };

namespace callbacks {

// Ends the run when the validation loss (the training loss without validation) has not fallen by at least min_delta for
// `patience` epochs, and puts the best epoch's weights back, as Keras does with restore_best_weights.
struct EarlyStopping {
    int patience = 0;
    double min_delta = 0.0;
    bool restore_best_weights = true;

    double best = std::numeric_limits<double>::infinity();
    int waited = 0;
    std::vector<double> best_weights = {};

    template <class Model>
    After operator()(const Epoch& epoch, Model& model)
    {
        const double loss = std::isnan(epoch.validation.loss) ? epoch.training.loss : epoch.validation.loss;
        if (loss < best - min_delta) {
            best = loss;
            waited = 0;
            if (restore_best_weights) {
                const auto* weights = model.parameters().data();
                best_weights.assign(weights, weights + model.parameters().size());
            }
            return After::proceed;
        }
        return ++waited >= patience ? After::stop : After::proceed;
    }

    template <class Model>
    void finish(Model& model)
    {
        using T = typename Model::scalar;
        if (best_weights.size() != model.parameters().size()) return;
        for (std::size_t i = 0; i < best_weights.size(); ++i)
            model.parameters().data()[i] = static_cast<T>(best_weights[i]);
    }

    template <class Model>
    void state(State& state, const std::string& name, Model& model)
    {
        state.value(name + "best", best);
        state.value(name + "waited", waited);
        bool kept = !best_weights.empty();
        state.value(name + "kept", kept);
        if (!kept) return best_weights.clear();
        // In logical order, as all weights in files.
        auto copy = model.parameters();
        if (!state.reads())
            for (std::size_t i = 0; i < best_weights.size(); ++i)
                copy.data()[i] = static_cast<typename Model::scalar>(best_weights[i]);
        state.block(name, copy.slots(), copy.data());
        if (state.reads()) best_weights.assign(copy.data(), copy.data() + copy.size());
    }
};

// Multiplies the learning rate by `factor` whenever the validation loss (the training loss without validation) has not
// fallen by at least min_delta for `patience` epochs, as Keras's ReduceLROnPlateau. Goes with any schedule: both factors are
// multiplied.
struct ReduceOnPlateau {
    double factor = 0.1;
    int patience = 10;
    double min_delta = 1e-4;
    int cooldown = 0;      // epochs after a reduction that do not count
    double minimum = 0.0;  // of the product of all factors

    double best = std::numeric_limits<double>::infinity();
    int waited = 0;
    int cooling = 0;
    double current = 1.0;

    void operator()(const Epoch& epoch)
    {
        const double loss = std::isnan(epoch.validation.loss) ? epoch.training.loss : epoch.validation.loss;
        if (cooling > 0) {
            --cooling;
            waited = 0;
        }
        if (loss < best - min_delta) {
            best = loss;
            waited = 0;
        } else if (cooling == 0 && ++waited >= patience) {
            const double reduced = current * factor;
            current = reduced > minimum ? reduced : minimum < current ? minimum : current;
            cooling = cooldown;
            waited = 0;
        }
    }

    double rate_factor() const { return current; }

    void state(State& state, const std::string& name)
    {
        state.value(name + "best", best);
        state.value(name + "waited", waited);
        state.value(name + "cooling", cooling);
        state.value(name + "factor", current);
    }
};

}  // namespace callbacks
}  // namespace tenon
