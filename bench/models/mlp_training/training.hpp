// SPDX-License-Identifier: BSL-1.0
// mlp_training: samples per second of whole training steps of the Keras MLP 784-128-10: forward, cross-entropy on
// logits, backward, Adam.
//
// A contestant is a template `Contestant<Case>` with a constructor from `const Weights&` and
// `double step(const float* x, const std::int32_t* labels)`: x (batch, 784) row-major, returns the mean loss before the
// update. It is checked against a float64 trainer: the losses of the first steps agree, so the updates between agree.
#pragma once

#include "../../support/contest.hpp"
#include "../mlp.hpp"

#include <memory>

namespace contest {

template <class... Cases>
struct CaseList {};

template <std::size_t Batch>
using TrainingCase = Mlp<Activation::relu, Batch, 784, 128, 10>;
using TrainingCases = CaseList<TrainingCase<32>, TrainingCase<128>>;

// Adam (Kingma & Ba 2015, Algorithm 1) with its defaults.
struct AdamOptions {
    static constexpr double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

// Images as Fashion-MNIST has them: half of the pixels zero, the others in (0, 1]. Labels are random, so that the
// gradients stay of one size however long the contest lasts.
template <class Case>
struct TrainingProblem {
    static constexpr std::size_t batches = 8, checked_steps = 4;
    Weights weights{Case::widths};
    Buffer x = Buffer(batches * Case::rows * Case::inputs);
    std::vector<std::int32_t> labels = std::vector<std::int32_t>(batches * Case::rows);
    std::vector<double> losses;  // of the first steps, from the float64 trainer

    TrainingProblem()
    {
        Uniform random(3);
        for (float& value : x) value = std::max(0.0f, random());
        for (std::int32_t& label : labels) label = static_cast<std::int32_t>((random() + 1.0f) * 5.0f);
        train_reference();
    }

    const float* batch(std::size_t step) const { return x.data() + step % batches * Case::rows * Case::inputs; }
    const std::int32_t* batch_labels(std::size_t step) const { return labels.data() + step % batches * Case::rows; }

private:
    using Matrices = std::vector<std::vector<double>>;

    void train_reference()
    {
        std::vector<Matrices> parameters{to_double(weights.kernel), to_double(weights.bias)};
        std::vector<Matrices> m = parameters, v = parameters;
        for (auto* moments : {&m, &v})
            for (Matrices& group : *moments)
                for (auto& values : group) std::fill(values.begin(), values.end(), 0.0);

        for (std::size_t step = 0; step < checked_steps; ++step) {
            const std::vector<Matrices> gradients = reference_gradients(parameters, step);
            const double t = static_cast<double>(step + 1);
            for (std::size_t group = 0; group < 2; ++group)
                for (std::size_t l = 0; l < Case::layers; ++l)
                    for (std::size_t i = 0; i < gradients[group][l].size(); ++i) {
                        const double g = gradients[group][l][i];
                        double &m1 = m[group][l][i], &v1 = v[group][l][i];
                        m1 = AdamOptions::beta1 * m1 + (1 - AdamOptions::beta1) * g;
                        v1 = AdamOptions::beta2 * v1 + (1 - AdamOptions::beta2) * g * g;
                        parameters[group][l][i] -=
                            AdamOptions::learning_rate * m1 / (1 - std::pow(AdamOptions::beta1, t)) /
                            (std::sqrt(v1 / (1 - std::pow(AdamOptions::beta2, t))) + AdamOptions::epsilon);
                    }
        }
    }

    // Appends the loss of this step; returns d loss / d kernel and d loss / d bias of every layer.
    std::vector<Matrices> reference_gradients(const std::vector<Matrices>& parameters, std::size_t step)
    {
        const std::vector<double> input(batch(step), batch(step) + Case::rows * Case::inputs);
        const Matrices values = reference_forward<Case>(parameters[0], parameters[1], input, Case::rows);
        std::vector<double> dy(Case::rows * Case::outputs);
        double loss = 0;
        for (std::size_t r = 0; r < Case::rows; ++r) {
            const double* const logits = values.back().data() + r * Case::outputs;
            const double largest = *std::max_element(logits, logits + Case::outputs);
            const auto label = static_cast<std::size_t>(batch_labels(step)[r]);
            double sum = 0;
            for (std::size_t j = 0; j < Case::outputs; ++j) sum += std::exp(logits[j] - largest);
            for (std::size_t j = 0; j < Case::outputs; ++j)
                dy[r * Case::outputs + j] = (std::exp(logits[j] - largest) / sum - (j == label ? 1.0 : 0.0)) /
                                            static_cast<double>(Case::rows);
            loss += (std::log(sum) + largest - logits[label]) / static_cast<double>(Case::rows);
        }
        losses.push_back(loss);

        std::vector<Matrices> gradients{Matrices(Case::layers), Matrices(Case::layers)};
        for (std::size_t l = Case::layers; l-- > 0;) {
            const std::size_t in = Case::widths[l], out = Case::widths[l + 1];
            gradients[0][l].assign(in * out, 0.0);
            gradients[1][l].assign(out, 0.0);
            std::vector<double> dx(Case::rows * in);
            for (std::size_t r = 0; r < Case::rows; ++r) {
                const double* const row = dy.data() + r * out;
                for (std::size_t j = 0; j < out; ++j) gradients[1][l][j] += row[j];
                for (std::size_t i = 0; i < in; ++i) {
                    const double x_i = values[l][r * in + i];
                    double sum = 0;
                    for (std::size_t j = 0; j < out; ++j) {
                        gradients[0][l][i * out + j] += x_i * row[j];
                        sum += row[j] * parameters[0][l][i * out + j];
                    }
                    dx[r * in + i] = l > 0 && x_i > 0 ? sum : 0.0;
                }
            }
            dy = std::move(dx);
        }
        return gradients;
    }
};

// Every slice starts from the initial weights: trained for minutes, Adam's moments of dead units would become denormal
// and the contest would measure that.
template <template <class> class Contestant, class Case>
void time_training(benchmark::State& state)
{
    static const TrainingProblem<Case> problem;
    const auto contestant = std::make_unique<Contestant<Case>>(problem.weights);
    std::size_t step = 0;
    std::vector<float> losses;
    for (; step < problem.checked_steps; ++step)
        losses.push_back(static_cast<float>(contestant->step(problem.batch(step), problem.batch_labels(step))));
    if (!check(state, losses.data(), problem.losses.data(), losses.size())) return;

    for ([[maybe_unused]] auto _ : state) {
        double loss = contestant->step(problem.batch(step), problem.batch_labels(step));
        const double* result = &loss;
        forget(result);
        ++step;
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(Case::rows));
}

template <template <class> class Contestant, class... Cases>
bool enlist_training(const char* name, Role role, CaseList<Cases...>)
{
    return (add({"mlp_training/" + Cases::name(), name, role, Show::samples}, time_training<Contestant, Cases>) && ...);
}

}  // namespace contest
