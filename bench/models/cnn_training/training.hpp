// SPDX-License-Identifier: BSL-1.0
// cnn_training: images per second of whole training steps of the Keras CNN: forward, cross-entropy on logits, backward,
// Adam.
//
// A contestant is a template `Contestant<Case>` with a constructor from `const Graph&, const GraphWeights&` and
// `double step(const float* x, const std::int32_t* labels)`: x (rows, 28, 28, 1), returns the mean loss before the update.
// It is checked against a float64 trainer: the losses of the first steps agree, so the updates between agree.
#pragma once

#include "../../support/contest.hpp"
#include "../graph.hpp"

#include <memory>

namespace contest {

template <std::size_t Rows>
struct TrainingCase {
    static constexpr std::size_t rows = Rows;
    static std::string name() { return std::string(Cnn::name()) + "/rows:" + std::to_string(Rows); }
};

template <class... Cases>
struct CaseList {};
using TrainingCases = CaseList<TrainingCase<32>, TrainingCase<128>>;

// Adam (Kingma & Ba 2015, Algorithm 1) with its defaults.
struct AdamOptions {
    static constexpr double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

// Images as Fashion-MNIST has them: half of the pixels zero, the others in (0, 1]. Labels are random, so that the
// gradients stay of one size however long the contest lasts.
template <class Case>
struct TrainingProblem {
    static constexpr std::size_t batches = 8, checked_steps = 3;
    Graph graph = Cnn::graph();
    GraphWeights weights{graph};
    std::size_t inputs = graph.input.size();
    Buffer x = Buffer(batches * Case::rows * inputs);
    std::vector<std::int32_t> labels = std::vector<std::int32_t>(batches * Case::rows);
    std::vector<double> losses;  // of the first steps, from the float64 trainer

    TrainingProblem()
    {
        Uniform random(3);
        for (float& value : x) value = std::max(0.0f, random());
        for (std::int32_t& label : labels) label = static_cast<std::int32_t>((random() + 1.0f) * 5.0f);
        train_reference();
    }

    const float* batch(std::size_t step) const { return x.data() + step % batches * Case::rows * inputs; }
    const std::int32_t* batch_labels(std::size_t step) const { return labels.data() + step % batches * Case::rows; }

private:
    using Group = std::vector<Doubles>;

    static std::vector<Group> zeros_like(std::vector<Group> groups)
    {
        for (Group& group : groups)
            for (Doubles& values : group) std::fill(values.begin(), values.end(), 0.0);
        return groups;
    }

    void train_reference()
    {
        std::vector<Group> parameters{to_doubles(weights.kernel), to_doubles(weights.bias)};
        std::vector<Group> m = zeros_like(parameters), v = m;
        for (std::size_t step = 0; step < checked_steps; ++step) {
            std::vector<Group> gradients = zeros_like(parameters);
            double loss = 0;
            for (std::size_t r = 0; r < Case::rows; ++r) loss += add_gradients(parameters, gradients, step, r);
            losses.push_back(loss / static_cast<double>(Case::rows));
            const double t = static_cast<double>(step + 1);
            for (std::size_t group = 0; group < 2; ++group)
                for (std::size_t n = 0; n < graph.nodes.size(); ++n)
                    for (std::size_t i = 0; i < gradients[group][n].size(); ++i) {
                        const double g = gradients[group][n][i];
                        double &m1 = m[group][n][i], &v1 = v[group][n][i];
                        m1 = AdamOptions::beta1 * m1 + (1 - AdamOptions::beta1) * g;
                        v1 = AdamOptions::beta2 * v1 + (1 - AdamOptions::beta2) * g * g;
                        parameters[group][n][i] -=
                            AdamOptions::learning_rate * m1 / (1 - std::pow(AdamOptions::beta1, t)) /
                            (std::sqrt(v1 / (1 - std::pow(AdamOptions::beta2, t))) + AdamOptions::epsilon);
                    }
        }
    }

    // Adds d loss / d kernel and d loss / d bias of one image, the loss being the mean over the batch; returns its loss.
    double add_gradients(const std::vector<Group>& parameters, std::vector<Group>& gradients, std::size_t step,
                         std::size_t row) const
    {
        const float* image = batch(step) + row * inputs;
        const std::vector<Doubles> values = reference_values(graph, parameters[0], parameters[1],
                                                             Doubles(image, image + inputs));
        const Doubles& logits = values.back();
        const auto label = static_cast<std::size_t>(batch_labels(step)[row]);
        const double largest = *std::max_element(logits.begin(), logits.end());
        double sum = 0;
        for (const double logit : logits) sum += std::exp(logit - largest);
        Doubles dy(logits.size());
        for (std::size_t j = 0; j < dy.size(); ++j)
            dy[j] = (std::exp(logits[j] - largest) / sum - (j == label ? 1.0 : 0.0)) / static_cast<double>(Case::rows);

        for (std::size_t n = graph.nodes.size(); n-- > 0;) {
            const Node& node = graph.nodes[n];
            const Doubles &in = values[n], &y = values[n + 1], &kernel = parameters[0][n];
            const std::size_t f_count = node.out.channels;
            Doubles dx(in.size(), 0.0);
            if (node.kind == Kind::max_pool) {
                std::vector<bool> given(y.size(), false);  // to the first of equals
                for_each_tap(node, [&](std::size_t x_at, std::size_t, std::size_t y_at) {
                    for (std::size_t c = 0; c < f_count; ++c)
                        if (!given[y_at + c] && in[x_at + c] == y[y_at + c]) {
                            given[y_at + c] = true;
                            dx[x_at + c] += dy[y_at + c];
                        }
                });
                dy = std::move(dx);
                continue;
            }
            for (std::size_t i = 0; i < y.size(); ++i) {
                if (node.relu && y[i] <= 0) dy[i] = 0;
                gradients[1][n][i % f_count] += dy[i];
            }
            const auto multiply = [&](std::size_t i, std::size_t k, std::size_t o) {
                double sum_f = 0;
                for (std::size_t f = 0; f < f_count; ++f) {
                    gradients[0][n][k * f_count + f] += in[i] * dy[o + f];
                    sum_f += dy[o + f] * kernel[k * f_count + f];
                }
                dx[i] += sum_f;
            };
            if (node.kind == Kind::dense)
                for (std::size_t i = 0; i < in.size(); ++i) multiply(i, i, 0);
            else
                for_each_tap(node, [&](std::size_t x_at, std::size_t w_at, std::size_t y_at) {
                    for (std::size_t c = 0; c < node.in.channels; ++c) multiply(x_at + c, w_at + c, y_at);
                });
            dy = std::move(dx);
        }
        return std::log(sum) + largest - logits[label];
    }
};

// Every slice starts from the initial weights: trained for minutes, Adam's moments of dead units would become denormal
// and the contest would measure that.
template <template <class> class Contestant, class Case>
void time_training(benchmark::State& state)
{
    static const TrainingProblem<Case> problem;
    const auto contestant = std::make_unique<Contestant<Case>>(problem.graph, problem.weights);
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
    return (add({"cnn_training/" + Cases::name(), name, role, Show::samples}, time_training<Contestant, Cases>) && ...);
}

}  // namespace contest
