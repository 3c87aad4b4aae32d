// SPDX-License-Identifier: BSL-1.0
// check_gradients: backward passes against finite differences, in double precision.
#pragma once

#include <tenon/model/initialize.hpp>
#include <tenon/passes/training.hpp>
#include <tenon/training/loss_state.hpp>
#include <tenon/training/state.hpp>
#include <tenon/training/training_chain.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace tenon::inline TENON_ISA {

// What check_gradients tries.
struct GradientCheckOptions {
    std::uint64_t seed = 1;
    std::size_t rows = 4;
    // At most this many values of each slot (and of the input) are perturbed, evenly spread.
    std::size_t samples_per_slot = 200;
};

// What it found.
struct GradientReport {
    double worst = 0.0;       // largest relative error
    std::string where;        // of which value: "dense_1/kernel[12]" or "input[3]"
    double analytic = 0.0;    // what the backward pass said there
    double numeric = 0.0;     // what the differences said
    std::size_t checked = 0;  // values compared
};

namespace detail {

// A loss that says `takes_labels = true` is checked on class labels, any other on rows of numbers in [0, 1).
template <class Loss>
constexpr bool takes_labels()
{
    if constexpr (requires { Loss::takes_labels; })
        return Loss::takes_labels;
    else
        return false;
}

}  // namespace detail

// Compares the gradient of mean loss over a random batch with five-point central differences, for every parameter and
// every input value (samples_per_slot of each). The error is |a - n| / max(|a|, |n|, 1e-3). Steps of 1e-3, 1e-4, 1e-5 and
// 1e-6 are tried in turn and the best taken: a right gradient agrees with one of them even beside a kink of ReLU, a wrong
// one with none. Dropout is checked with its mask held fixed, and a loss that sees the inputs (a teacher's) with those
// held fixed. The chain is the one that training runs, fused and without the final layer that the loss absorbs.
template <class Net, class Loss>
GradientReport check_gradients(const Loss& loss, GradientCheckOptions options = {})
{
    using P = Float64;
    using Chain = training_chain<Loss, typename Net::chain>;
    using Out = typename Chain::output;
    constexpr std::size_t in = Net::input_shape::size, out = Out::size;
    const std::size_t rows = options.rows;

    // Biases and scales away from their round first values, so that none of them hides an error.
    Parameters<Net, P> parameters;
    initialize(parameters, Seed{options.seed});
    Random random{Seed{options.seed}, 0x6772616475ull};
    for (const SlotInfo& slot : parameters.slots())
        for (std::size_t i = 0; slot.role == Role::learned && i < slot.size; ++i)
            parameters.logical(slot, i) += 0.2 * (random.uniform() - 0.5);

    Tape<Chain, double> tape{rows};
    std::vector<double> x(rows * in);
    for (double& value : x) value = random.normal();
    const std::vector<double> seen = x;  // what a loss makes of the inputs (a teacher's outputs) is held fixed

    const auto prepare_targets = [&] {
        if constexpr (detail::takes_labels<Loss>()) {
            std::vector<std::int32_t> labels(rows);
            for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(Out::last));
            return labels;
        } else {
            std::vector<double> targets(rows * out);
            for (double& target : targets) target = random.uniform();
            return targets;
        }
    };
    const auto targets = prepare_targets();

    loss_state<Loss, loss_input_chain<Loss, typename Net::chain>, P, true> state;
    const auto run = [&](double* dy, double scale) {
        const TrainingContext<double> context = tape.context(Seed{options.seed}, 1);
        train_forward(rows, static_cast<const double*>(parameters.data()), static_cast<const double*>(x.data()), tape,
                      context);
        const double* tapped[Net::layer_count + 1] = {};
        find_tapped<Chain>(rows, static_cast<const double*>(x.data()), static_cast<const double*>(tape.output()),
                           context, tapped);
        const LossRows<double> batch{.rows = rows, .inputs = seen.data(), .outputs = tape.output(), .tapped = tapped};
        return state.loss(loss, batch, targets.data(), dy, scale);
    };
    const auto value = [&] { return run(nullptr, 1.0) / static_cast<double>(rows); };

    Parameters<Net, P> gradients;
    std::vector<double> dx(rows * in);
    run(tape.output_gradient(), 1.0 / static_cast<double>(rows));
    train_backward(rows, static_cast<const double*>(parameters.data()), StoreGradients<double>{gradients.data()},
                   static_cast<const double*>(x.data()), tape, tape.context(Seed{options.seed}, 1), dx.data(),
                   state.gradients());

    GradientReport report;
    const auto compare = [&](double& place, double analytic, const std::string& name, std::size_t index) {
        const double kept = place;
        // A NaN on either side never counts as agreement.
        double best = std::numeric_limits<double>::infinity(), numeric = std::numeric_limits<double>::quiet_NaN();
        for (double h = 1e-3; h > 5e-7 && best > 1e-9; h *= 0.1) {
            const auto at = [&](double shift) {
                place = kept + shift;
                return value();
            };
            const double estimate = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
            const double scale = std::fmax(std::fmax(std::fabs(analytic), std::fabs(estimate)), 1e-3);
            const double error = std::fabs(analytic - estimate) / scale;
            if (error < best) {
                best = error;
                numeric = estimate;
            }
        }
        place = kept;
        ++report.checked;
        if (best > report.worst || report.where.empty())
            report = {best, name + '[' + std::to_string(index) + ']', analytic, numeric, report.checked};
    };
    const auto stride = [&](std::size_t size) {
        const std::size_t samples = options.samples_per_slot < 1 ? 1 : options.samples_per_slot;
        return (size + samples - 1) / samples;
    };

    for (const SlotInfo& slot : parameters.slots())
        for (std::size_t i = 0; slot.role == Role::learned && i < slot.size; i += stride(slot.size))
            compare(parameters.logical(slot, i), gradients.logical(slot, i), detail::slot_name(slot), i);
    for (std::size_t i = 0; i < x.size(); i += stride(x.size())) compare(x[i], dx[i], "input", i);
    // What the loss learns itself; value() makes those gradients anew, so they are noted down first.
    std::vector<double> learned;
    std::size_t number = 0;
    run(tape.output_gradient(), 1.0 / static_cast<double>(rows));
    state.each_learned([&](const std::string&, double&, double gradient) { learned.push_back(gradient); });
    state.each_learned([&](const std::string& name, double& place, double) {
        if (number % stride(learned.size()) == 0) compare(place, learned[number], name, number);
        ++number;
    });
    return report;
}

}  // namespace tenon
