// SPDX-License-Identifier: BSL-1.0
// distillation_training: samples per second of whole training steps of a small perceptron that a larger one teaches: 0.1 ·
// cross-entropy + 0.9 · soft targets at T = 4 (Hinton et al. 2015), backward, Adam; batches of 64, the rows in their order.
//   tenon         the teacher runs for each batch
//   tenon_recorded    its outputs were recorded before the clock runs
//   tenon_plain       no teacher: cross-entropy alone
//   tenon_teacher     the teacher's forward pass alone
// An iteration is one epoch of 32 steps. A contestant is a template `Contestant<Problem>` with a constructor from `const
// Problem&` and `double epoch()`, which returns the mean loss of the epoch. The first epoch is checked against a float64 trainer.
#pragma once

#include "../../support/contest.hpp"
#include "../mlp.hpp"

#include <memory>

namespace contest {

// Hidden: the student's units.
template <std::size_t Hidden>
struct Distillation {
    static constexpr std::size_t rows = 64, batches = 32, inputs = 784, classes = 10;
    using Student = Mlp<Activation::relu, rows, inputs, Hidden, classes>;
    using Teacher = Mlp<Activation::relu, rows, inputs, 256, 128, classes>;
    static constexpr double hard = 0.1, soft = 0.9, temperature = 4;
    static constexpr double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

    Weights student{Student::widths}, teacher{Teacher::widths};
    Buffer x = Buffer(batches * rows * inputs);
    std::vector<std::int32_t> labels = std::vector<std::int32_t>(batches * rows);
    double taught_loss = 0, plain_loss = 0;  // means of the first epoch, from the float64 trainer

    static std::string name()
    {
        return "distillation_training/784-" + std::to_string(Hidden) + "-10_taught_by_784-256-128-10/rows:64";
    }

    Distillation()
    {
        Uniform random(3);
        for (float& value : x) value = std::max(0.0f, random());
        for (std::int32_t& label : labels) label = static_cast<std::int32_t>((random() + 1.0f) * 5.0f);
        for (Buffer& kernel : teacher.kernel)
            for (float& w : kernel) w *= 2;  // a teacher that is sure of something
        const auto outputs = [&](const Weights& weights, std::size_t batch) {
            return reference_forward<Teacher>(to_double(weights.kernel), to_double(weights.bias), batch_of(batch), rows)
                .back();
        };
        std::vector<std::vector<double>> wanted;
        for (std::size_t batch = 0; batch < batches; ++batch) wanted.push_back(outputs(teacher, batch));
        taught_loss = train(hard, soft, wanted);
        plain_loss = train(1, 0, wanted);
    }

    static const Distillation& instance()
    {
        static const Distillation problem;
        return problem;
    }

private:
    using Matrices = std::vector<std::vector<double>>;

    std::vector<double> batch_of(std::size_t batch) const
    {
        const float* first = x.data() + batch * rows * inputs;
        return {first, first + rows * inputs};
    }

    // p = softmax(z / T), and log Σ exp(z / T).
    static double softmax(const double* z, double t, double* p)
    {
        double most = z[0], sum = 0;
        for (std::size_t j = 1; j < classes; ++j) most = std::max(most, z[j]);
        for (std::size_t j = 0; j < classes; ++j) sum += p[j] = std::exp((z[j] - most) / t);
        for (std::size_t j = 0; j < classes; ++j) p[j] /= sum;
        return most / t + std::log(sum);
    }

    // The mean loss of one epoch.
    double train(double a, double b, const Matrices& wanted) const
    {
        Matrices kernel = to_double(student.kernel), bias = to_double(student.bias);
        Matrices moments[2][2];  // of kernels and biases
        for (int i = 0; i < 2; ++i) {
            moments[0][i] = kernel;
            moments[1][i] = bias;
            for (auto* group : {&moments[0][i], &moments[1][i]})
                for (auto& values : *group) std::fill(values.begin(), values.end(), 0.0);
        }
        double total = 0;
        for (std::size_t batch = 0; batch < batches; ++batch) {
            const Matrices values = reference_forward<Student>(kernel, bias, batch_of(batch), rows);
            std::vector<double> dy(rows * classes);
            for (std::size_t r = 0; r < rows; ++r) {
                const double* z = values.back().data() + r * classes;
                const double* t = wanted[batch].data() + r * classes;
                double p[classes], s[classes], q[classes];
                const auto label = static_cast<std::size_t>(labels[batch * rows + r]);
                double loss = a * (softmax(z, 1, p) - z[label]);
                const double own = softmax(z, temperature, s), other = softmax(t, temperature, q);
                for (std::size_t j = 0; j < classes; ++j) {
                    loss += b * temperature * temperature * q[j] * ((t[j] - z[j]) / temperature - other + own);
                    dy[r * classes + j] = (a * (p[j] - (j == label ? 1 : 0)) + b * temperature * (s[j] - q[j])) / rows;
                }
                total += loss;
            }
            const auto t = static_cast<double>(batch + 1);
            const auto move = [&](std::vector<double>& w, std::vector<double>& m, std::vector<double>& v,
                                  const std::vector<double>& g) {
                for (std::size_t i = 0; i < w.size(); ++i) {
                    m[i] = beta1 * m[i] + (1 - beta1) * g[i];
                    v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
                    w[i] -= learning_rate * m[i] / (1 - std::pow(beta1, t)) /
                            (std::sqrt(v[i] / (1 - std::pow(beta2, t))) + epsilon);
                }
            };
            for (std::size_t l = Student::layers; l-- > 0;) {
                const std::size_t in = Student::widths[l], out = Student::widths[l + 1];
                std::vector<double> dw(in * out), db(out), dx(rows * in);
                for (std::size_t r = 0; r < rows; ++r) {
                    for (std::size_t j = 0; j < out; ++j) db[j] += dy[r * out + j];
                    for (std::size_t i = 0; i < in; ++i) {
                        const double value = values[l][r * in + i];
                        for (std::size_t j = 0; j < out; ++j) {
                            dw[i * out + j] += value * dy[r * out + j];
                            dx[r * in + i] += dy[r * out + j] * kernel[l][i * out + j];
                        }
                        if (l > 0 && !(value > 0)) dx[r * in + i] = 0;
                    }
                }
                move(kernel[l], moments[0][0][l], moments[0][1][l], dw);
                move(bias[l], moments[1][0][l], moments[1][1][l], db);
                dy = std::move(dx);
            }
        }
        return total / static_cast<double>(batches * rows);
    }
};

// expected: the mean loss of the first epoch; null: not a training.
template <template <class> class Contestant, class Problem>
void time_distillation(benchmark::State& state, const double* expected)
{
    // Every slice starts from the initial weights (mlp_training says why).
    const auto contestant = std::make_unique<Contestant<Problem>>(Problem::instance());
    const auto first = static_cast<float>(contestant->epoch());
    if (expected != nullptr && !check(state, &first, expected, 1)) return;
    for ([[maybe_unused]] auto _ : state) {
        double loss = contestant->epoch();
        const double* result = &loss;
        forget(result);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(Problem::rows * Problem::batches));
}

enum class Checked { taught, plain, not_at_all };

template <template <class> class Contestant, class Problem>
bool enlist_problem(const char* name, Role role, Checked checked)
{
    return add({Problem::name(), name, role, Show::samples}, [checked](benchmark::State& state) {
        const Problem& problem = Problem::instance();
        time_distillation<Contestant, Problem>(state, checked == Checked::taught  ? &problem.taught_loss
                                                      : checked == Checked::plain ? &problem.plain_loss
                                                                                  : nullptr);
    });
}

template <template <class> class Contestant, std::size_t... Hidden>
bool enlist_distillation(const char* name, Role role, Checked checked)
{
    return (enlist_problem<Contestant, Distillation<Hidden>>(name, role, checked) && ...);
}

}  // namespace contest
