// SPDX-License-Identifier: BSL-1.0
// Muon against a plain loop in double, which knows by name which slots are matrices and iterates as the authors do. (PyTorch has
// a Muon from 2.9 on, of the same formulas; none was at hand to write golden numbers with.)
#include <tenon/kernels/reference/orthogonalize.hpp>
#include <tenon/optimizers/muon.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace tenon;

namespace {

// y = x · kernel, with the kernel as a matrix of Keras's order and no panels.
template <std::size_t Units>
struct Plain {
    static constexpr const char* name = "plain";
    template <class In>
    struct rule {
        using output = Shape<Units>;
        static constexpr auto slots = tenon::slots(slot<Shape<In::size, Units>>("kernel", init::glorot_uniform));
    };
};

template <std::size_t Units, class In, class T, class Context>
void forward(Bound<Plain<Units>, In>, std::size_t rows, auto parameters, const T* x, T* y, const Context&)
{
    const T* w = parameters.template get<0>();
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t n = 0; n < Units; ++n) {
            y[r * Units + n] = T(0);
            for (std::size_t k = 0; k < In::size; ++k) y[r * Units + n] += x[r * In::size + k] * w[k * Units + n];
        }
}

template <std::size_t Units, class In, class T>
void backward(Bound<Plain<Units>, In>, std::size_t rows, auto parameters, auto gradients, const T* x, const T*,
              const T* dy, T* dx)
{
    const T* w = parameters.template get<0>();
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t k = 0; k < In::size; ++k) {
            T sum = T(0);
            for (std::size_t n = 0; n < Units; ++n) {
                gradients.template get<0>()[k * Units + n] += x[r * In::size + k] * dy[r * Units + n];
                sum += dy[r * Units + n] * w[k * Units + n];
            }
            if (dx != nullptr) dx[r * In::size + k] = sum;
        }
}

using Mlp = Network<Input<7>, Dense<70>, LayerNorm, ReLU, Plain<20>, Dense<6>, PReLU, Dense<38>, Tanh,
                    Residual<Dense<38, NoBias>, Tanh>, Dense<5>, Softmax>;
const std::set<std::string> mlp_matrices{"dense_1/kernel", "plain_1/kernel", "dense_2/kernel", "dense_3/kernel",
                                         "dense_4/kernel"};
// Which slots of a network are matrices: '+' for each that is.
template <class N>
constexpr bool takes(std::string_view expected)
{
    for (std::size_t i = 0; i < expected.size(); ++i)
        if ((detail::matrix_table<N, float>.entries[i].scratch > 0) != (expected[i] == '+')) return false;
    return expected.size() == slot_table<N, float>.size();
}
// A single input or output makes no matrix.
static_assert(takes<Network<Input<4>, Dense<8>, Dense<1>, Dense<8>, Dense<5>>>("+-------"));
static_assert(takes<Network<Input<4>, Dense<8, NoBias>, BatchNorm, LayerNorm, Dense<8>, PReLU>>("+---------"));
// Where the last layer with kernels is a block, each branch's last one makes the output.
static_assert(takes<Network<Input<4>, Dense<8>, Concat<Dense<3>, Sequential<Dense<7>, ReLU, Dense<2>>>>>("+---+---"));
static_assert(takes<Network<Input<4>, Dense<8>, Residual<Dense<6>, Dense<8>>, ReLU>>("+-+---"));
static_assert(
    takes<Network<Input<6, 6, 2>, Conv2D<4, Kernel<3>>, DepthwiseConv2D<Kernel<2>>, Conv2D<4, Kernel<2>, Groups<4>>,
                  Conv2D<8, Kernel<1>>, Conv2D<5, Kernel<1>>, GlobalAveragePool2D>>("+-----+---"));

template <class Net>
struct Batch {
    std::size_t rows;
    std::vector<double> x;
    std::vector<std::int32_t> labels;

    explicit Batch(std::size_t count) : rows{count}, x(count * Net::input_shape::size), labels(count)
    {
        Random random{Seed{5}};
        for (double& value : x) value = random.normal();
        for (auto& label : labels) label = static_cast<std::int32_t>(random.below(5));
    }
};

// Shows the gradients of a step.
struct Watch {
    static constexpr bool stores_gradients = true;
    std::vector<double>* seen;
    void reduce(const double* gradients, std::size_t count) { seen->assign(gradients, gradients + count); }
};

struct Case {
    Muon muon;
    double clip = std::numeric_limits<double>::infinity();
    double first_rate = 1;  // of the first layer, times the others'
    std::size_t batches = 1;
};

// Trains five steps with a schedule, and the plain loop beside it.
void follow(const Case& how)
{
    using Net = Mlp;
    const std::set<std::string>& matrices = mlp_matrices;
    const Muon& muon = how.muon;
    Model<Net, Float64> model{Seed{3}};
    std::vector<double> gradients;
    Trainer trainer{model,
                    CrossEntropy{},
                    muon,
                    Accumulate{static_cast<int>(how.batches)},
                    ClipNorm{how.clip},
                    ClipValue{1e9},
                    learning_rate_of("dense_1", how.first_rate),
                    AverageWeights{.decay = 0},
                    Watch{&gradients}};
    static_assert(decltype(trainer)::stores_gradients);
    const Batch<Net> batch{12};
    const auto& slots = model.parameters().slots();
    std::vector<std::vector<double>> w, m, v;
    for (const SlotInfo& slot : slots) {
        w.emplace_back(slot.size), m.emplace_back(slot.size), v.emplace_back(slot.size);
        for (std::size_t i = 0; i < slot.size; ++i) w.back()[i] = model.parameters().logical(slot, i);
    }
    std::size_t found = 0;
    for (int t = 1; t <= 5; ++t) {
        const double factor = 1.0 / t;
        const std::size_t part = batch.rows / how.batches;
        for (std::size_t first = 0; first < batch.rows; first += part)
            trainer.accumulate(part, batch.x.data() + first * Net::input_shape::size, batch.labels.data() + first,
                               batch.rows);
        trainer.update(factor);
        double squares = 0;
        for (std::size_t s = 0; s < slots.size(); ++s)
            for (std::size_t i = 0; i < slots[s].size && slots[s].role == Role::learned; ++i)
                if (s >= 2 || how.first_rate != 0)
                    squares += std::pow(gradients[slots[s].offset + slots[s].index(i)], 2);
        const double clip = std::min(1.0, how.clip / std::sqrt(squares));
        for (std::size_t s = 0; s < slots.size(); ++s) {
            const SlotInfo& slot = slots[s];
            const double rate = factor * (s < 2 ? how.first_rate : 1);
            if (slot.role != Role::learned || rate == 0) continue;
            std::vector<double> g(slot.size);
            for (std::size_t i = 0; i < slot.size; ++i) g[i] = clip * gradients[slot.offset + slot.index(i)];
            if (!matrices.contains(detail::slot_name(slot))) {
                for (std::size_t i = 0; i < slot.size; ++i) {
                    m[s][i] = muon.beta_1 * m[s][i] + (1 - muon.beta_1) * g[i];
                    v[s][i] = muon.beta_2 * v[s][i] + (1 - muon.beta_2) * g[i] * g[i];
                    const double change = m[s][i] / (1 - std::pow(muon.beta_1, t)) /
                                          (std::sqrt(v[s][i] / (1 - std::pow(muon.beta_2, t))) + muon.epsilon.value);
                    w[s][i] -= rate * muon.adam_learning_rate * (change + muon.weight_decay * w[s][i]);
                }
                continue;
            }
            ++found;
            const std::size_t N = slot.extents[slot.rank - 1], K = slot.size / N;
            std::vector<double> x(K * N), y(K * N);
            for (std::size_t i = 0; i < x.size(); ++i) {
                m[s][i] = muon.momentum * m[s][i] + (1 - muon.momentum) * g[i];
                x[i] = muon.momentum * m[s][i] + (1 - muon.momentum) * g[i];
            }
            kernels::reference::orthogonalize(K, N, x.data(), y.data());
            const double shape = std::sqrt(std::max(1.0, static_cast<double>(N) / static_cast<double>(K)));
            for (std::size_t i = 0; i < x.size(); ++i)
                w[s][i] -= rate * muon.learning_rate * (shape * y[i] + muon.weight_decay * w[s][i]);
        }
    }
    CHECK(found == 5 * (matrices.size() - (how.first_rate == 0)));
    double all = 0, used = 0;
    for (std::size_t s = 0; s < slots.size(); ++s) {
        const std::string name = detail::slot_name(slots[s]);
        CAPTURE(name);
        double worst = 0;
        for (std::size_t i = 0; i < slots[s].size; ++i) {
            const double weight = model.parameters().logical(slots[s], i);
            if (slots[s].role == Role::learned) worst = std::max(worst, std::abs(w[s][i] - weight));
            used += std::abs(weight);
        }
        CHECK(worst < 1e-9);
    }
    for (std::size_t i = 0; i < model.parameters().size(); ++i) all += std::abs(model.parameters().data()[i]);
    CHECK(all == doctest::Approx(used).epsilon(1e-13));  // padding is zero
    // The average of the last weights alone.
    const Model<Net, Float64> average = trainer.average();
    double apart = 0;
    for (std::size_t i = 0; i < model.parameters().size(); ++i)
        apart = std::max(apart, std::abs(average.parameters().data()[i] - model.parameters().data()[i]));
    CHECK(apart < 1e-14);
}

constexpr Epsilon pytorchs{1e-8, Epsilon::Convention::pytorch};

}  // namespace

TEST_CASE("a perceptron, with modifiers and a schedule")
{
    follow({{.epsilon = pytorchs}});
    const Muon other{.learning_rate = 0.1,
                     .momentum = 0.8,
                     .weight_decay = 0.2,
                     .adam_learning_rate = 0.01,
                     .beta_1 = 0.8,
                     .beta_2 = 0.95,
                     .epsilon = pytorchs};
    follow({other, 0.3, 0.3, 3});
    follow({.muon = other, .first_rate = 0});
}

TEST_CASE("kernels of convolutions: groups by themselves, transposed ones as they are stored")
{
    using Cnn = Network<Input<9, 9, 4>, Conv2D<10, Kernel<3>, Groups<2>>, BatchNorm, DepthwiseConv2D<Kernel<2>>, ReLU,
                        Conv2DTranspose<3, Kernel<3>, Stride<2>>, Conv2D<32, Kernel<2>>, Flatten, Dense<5>>;
    detail::MuonMatrices<Cnn, float> matrices;
    Random random{Seed{8}};
    std::vector<std::string> found;
    const auto& slots = Parameters<Cnn>::slots();
    for (std::size_t s = 0; s < slots.size(); ++s) {
        if (!matrices.takes(s)) continue;
        const SlotInfo& slot = slots[s];
        const std::string name = detail::slot_name(slot);
        CAPTURE(name);
        found.push_back(name);
        std::vector<double> values(slot.size);
        std::vector<float> directions(slot.storage);
        for (std::size_t i = 0; i < slot.size; ++i)
            values[i] = directions[slot.index(i)] = static_cast<float>(random.normal());
        const float* turned = matrices.turned(Team{}, s, directions.data());
        const std::size_t groups = s == 0 ? 2 : 1, all = slot.extents[slot.rank - 1], N = all / groups;
        const std::size_t K = slot.size / all;
        double worst = 0, stored = 0, used = 0;
        for (std::size_t group = 0; group < groups; ++group) {
            std::vector<double> x(K * N), y(K * N);
            const auto at = [&](std::size_t i) { return i / N * all + group * N + i % N; };
            for (std::size_t i = 0; i < x.size(); ++i) x[i] = values[at(i)];
            kernels::reference::orthogonalize(K, N, x.data(), y.data());
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double value = turned[slot.index(at(i))];
                worst = std::max(worst, std::abs(value - y[i]));
                used += std::abs(value);
            }
        }
        for (std::size_t i = 0; i < slot.storage; ++i) stored += std::abs(static_cast<double>(turned[i]));
        CHECK(worst < 1e-4);
        CHECK(stored == doctest::Approx(used).epsilon(1e-12));  // padding is zero
        CHECK(matrices.ratio(s) == doctest::Approx(std::sqrt(std::max(1.0, double(N) / double(K)))).epsilon(1e-6));
    }
    CHECK(found == std::vector<std::string>{"conv2d_1/kernel", "conv2d_transpose_1/kernel", "conv2d_2/kernel"});
}
