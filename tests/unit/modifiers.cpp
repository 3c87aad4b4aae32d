// SPDX-License-Identifier: BSL-1.0
// Modifiers of a training step, each against what its formula makes of the plain step's gradients, and rows' weights.
#include <tenon/optimizers/lamb.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

using namespace tenon;

namespace {

using Net = Network<Input<6>, Dense<17>, LayerNorm, ReLU, Dropout<Rate<1, 4>>, Dense<9>, PReLU, Dense<5>, Softmax>;
using Conv = Network<Input<9, 9, 2>, Conv2D<7, Kernel<3>>, ReLU, MaxPool2D<2>,
                     Residual<Conv2D<7, Kernel<3>, Padding<Same>>, BatchNorm>, DepthwiseConv2D<Kernel<2>>,
                     Concat<Flatten, Sequential<Flatten, Dense<4>>>, Dense<5>>;

template <class N, class P = Float64>
struct Batch {
    using T = typename P::scalar;
    std::size_t rows;
    std::vector<T> x;
    std::vector<std::int32_t> labels;

    explicit Batch(std::size_t count, std::uint64_t seed = 5)
        : rows{count}, x(count * N::input_shape::size), labels(count)
    {
        Random random{Seed{seed}};
        for (T& value : x) value = static_cast<T>(random.normal());
        for (auto& label : labels) label = static_cast<std::int32_t>(random.below(N::output_shape::size));
    }
    const T* row(std::size_t i) const { return x.data() + i * N::input_shape::size; }
};

template <class N, class P>
std::vector<double> logical(const Parameters<N, P>& parameters, const SlotInfo& slot)
{
    std::vector<double> values(slot.size);
    for (std::size_t i = 0; i < slot.size; ++i) values[i] = static_cast<double>(parameters.logical(slot, i));
    return values;
}

// The gradient of a step, slot by slot: what SGD with a rate of 1 takes off. Padding must stay zero.
template <class N, class... Modifiers>
std::vector<std::vector<double>> taken_off(Modifiers... modifiers)
{
    Model<N, Float64> model{Seed{3}};
    const Parameters<N, Float64> before = model.parameters();
    Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 1}, modifiers...};
    const Batch<N> batch{23};
    trainer.step(batch.rows, batch.x.data(), batch.labels.data());
    std::vector<std::vector<double>> result;
    double all = 0, used = 0;
    for (const SlotInfo& slot : before.slots()) {
        result.push_back(logical(before, slot));
        const std::vector<double> after = logical(model.parameters(), slot);
        for (std::size_t i = 0; i < after.size(); ++i) {
            used += std::abs(after[i]);
            result.back()[i] -= after[i];
        }
    }
    for (std::size_t i = 0; i < model.parameters().size(); ++i) all += std::abs(model.parameters().data()[i]);
    CHECK(all == doctest::Approx(used).epsilon(1e-13));
    return result;
}

template <class N>
double norm_of(const std::vector<std::vector<double>>& values, bool (*counts)(const SlotInfo&))
{
    double sum = 0;
    std::size_t s = 0;
    for (const SlotInfo& slot : Parameters<N, Float64>::slots()) {
        for (const double value : values[s])
            if (slot.role == Role::learned && counts(slot)) sum += value * value;
        ++s;
    }
    return std::sqrt(sum);
}

bool any(const SlotInfo&) { return true; }

// expected(slot, weight, gradient) is what must have been taken off each value.
template <class N, class Expected, class... Modifiers>
void check_step(Expected expected, Modifiers... modifiers)
{
    const auto plain = taken_off<N>(), with = taken_off<N>(modifiers...);
    const Parameters<N, Float64> weights = Model<N, Float64>{Seed{3}}.parameters();
    std::size_t s = 0, changed = 0;
    for (const SlotInfo& slot : weights.slots()) {
        const std::string name = detail::slot_name(slot);
        CAPTURE(name);
        for (std::size_t i = 0; i < slot.size && slot.role == Role::learned; ++i) {
            CHECK(with[s][i] == doctest::Approx(expected(slot, weights.logical(slot, i), plain[s][i])).epsilon(1e-9));
            changed += with[s][i] != plain[s][i];
        }
        ++s;
    }
    CHECK(changed > 0);
}

// "dense_1/", "dense_" or "/kernel"
bool in(const SlotInfo& slot, std::string_view part)
{
    const std::string name = detail::slot_name(slot);
    return part[0] == '/' ? name.ends_with(part) : name.starts_with(part);
}

template <class N, class... Modifiers>
std::string refused(Modifiers... modifiers)
{
    Model<N> model{Seed{1}};
    try {
        Trainer trainer{model, CrossEntropy{}, Adam{}, modifiers...};
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

struct Halve {
    static constexpr bool stores_gradients = true;
    int* calls;
    void reduce(double* gradients, std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) gradients[i] *= 0.5;
        ++*calls;
    }
};

using Points = data::TensorDataset<Shape<6>, data::Label>;
Points points(std::size_t count = 83)
{
    Batch<Net, Float32> batch{count};
    return {batch.x, batch.labels, 5};
}
FitOptions<Points> quiet(int epochs, int batch)
{
    return {.epochs = epochs, .batch_size = batch, .progress = Progress::silent};
}

}  // namespace

TEST_CASE("modifiers that need no gradients leave the fused step; those that do, give its bits")
{
    using Plain = Trainer<Net, Float32, CrossEntropy, Adam>;
    static_assert(!Plain::stores_gradients);
    static_assert(!Trainer<Net, Float32, CrossEntropy, Adam, ClipValue, AverageWeights>::stores_gradients);
    static_assert(Trainer<Net, Float32, CrossEntropy, Adam, ClipNorm>::stores_gradients);
    static_assert(Trainer<Net, Float32, CrossEntropy, LAMB>::stores_gradients);
    const auto same_bits = []<class N>(const Network<Input<1>, N>*, auto optimizer) {
        const auto trained = [&](auto... modifiers) {
            Model<N> model{Seed{3}};
            Trainer trainer{model, CrossEntropy{}, optimizer, modifiers...};
            const Batch<N, Float32> batch{61};
            for (const std::size_t rows : {61u, 1u, 20u, 61u})
                trainer.step(rows, batch.x.data(), batch.labels.data(), nullptr, 0.7);
            return model.parameters().fingerprint();
        };
        const std::uint64_t fused = trained();
        CHECK(trained(Accumulate{1}) == fused);
        CHECK(trained(ClipNorm{1e9}) == fused);
        CHECK(trained(learning_rate_of("dense", 1.0)) == fused);
        CHECK(trained(ClipValue{1e9}) == fused);
        CHECK(trained(ClipValue{1e9}, Accumulate{1}, AverageWeights{}) == fused);
        CHECK(trained(ClipNorm{1e-3}) != fused);
        CHECK(trained(ClipValue{1e-5}) != fused);
    };
    const auto for_net = [&]<class N>(N*) {
        same_bits(static_cast<const Network<Input<1>, N>*>(nullptr), AdamW{.learning_rate = 0.01});
        same_bits(static_cast<const Network<Input<1>, N>*>(nullptr), SGD{.learning_rate = 0.1, .momentum = 0.9});
    };
    for_net(static_cast<Net*>(nullptr));
    for_net(static_cast<Conv*>(nullptr));
}

TEST_CASE("gradients of several batches are the gradient of one")
{
    // BatchNorm aside, which looks at a batch.
    using N = Network<Input<9, 9, 2>, Conv2D<7, Kernel<3>>, ReLU, MaxPool2D<2>, Dropout<Rate<1, 3>>,
                      Residual<Conv2D<7, Kernel<3>, Padding<Same>>, PReLU>, DepthwiseConv2D<Kernel<2>>, LayerNorm,
                      Flatten, Dense<5>>;
    const auto compare = []<class M>(M*, auto optimizer) {
        Model<M, Float64> whole{Seed{3}}, parts{Seed{3}};
        Trainer one{whole, CrossEntropy{}, optimizer};
        Trainer many{parts, CrossEntropy{}, optimizer, Accumulate{4}};
        const Batch<M> batch{29};
        for (int step = 0; step < 3; ++step) {
            std::size_t right = 0, correct = 0;
            const double loss = one.step(29, batch.x.data(), batch.labels.data(), &right);
            double sum = 0;
            for (std::size_t first = 0; first < 29; first += 8) {
                const std::size_t rows = std::min<std::size_t>(8, 29 - first);
                sum += static_cast<double>(rows) *
                       many.accumulate(rows, batch.row(first), batch.labels.data() + first, 29, &correct);
            }
            many.update();
            CHECK(sum / 29 == doctest::Approx(loss).epsilon(1e-12));
            CHECK(right == correct);
        }
        CHECK(one.steps() == many.steps());
        double worst = 0;
        for (std::size_t i = 0; i < whole.parameters().size(); ++i)
            worst = std::max(worst, std::abs(whole.parameters().data()[i] - parts.parameters().data()[i]));
        CHECK(worst < 1e-13);
        CHECK(worst > 0);
    };
    compare(static_cast<Net*>(nullptr), SGD{.learning_rate = 0.1});
    compare(static_cast<Net*>(nullptr), Adam{});
    compare(static_cast<N*>(nullptr), SGD{.learning_rate = 0.1, .momentum = 0.9});
}

TEST_CASE("fit with accumulation: steps, schedule and losses of the large batch, the last step smaller")
{
    const Points data = points();
    auto large = quiet(3, 32);
    std::vector<std::uint64_t> asked;
    large.schedule = [&](std::uint64_t step) {
        asked.push_back(step);
        return 1.0 / (1.0 + static_cast<double>(step));
    };
    Model<Net> whole{Seed{3}}, parts{Seed{3}};
    Trainer one{whole, CrossEntropy{}, SGD{.learning_rate = 0.1}};
    const History first = one.fit(data, large);
    CHECK(asked.size() == 9);  // 32, 32 and 19 rows
    auto small = large;
    small.batch_size = 8;
    Trainer many{parts, CrossEntropy{}, SGD{.learning_rate = 0.1}, Accumulate{4}};
    std::vector<std::size_t> rows;
    struct Steps {
        std::vector<std::size_t>& rows;
        void step(const StepInfo& info) { rows.push_back(info.rows); }
    };
    const History second = many.fit(data, small, Steps{rows});
    CHECK(asked.size() == 18);
    CHECK(rows == std::vector<std::size_t>{32, 32, 19, 32, 32, 19, 32, 32, 19});
    CHECK(many.steps() == 9);
    for (std::size_t e = 0; e < 3; ++e) {
        CHECK(second[e].training.loss == doctest::Approx(first[e].training.loss).epsilon(1e-6));
        CHECK(second[e].training.accuracy == first[e].training.accuracy);
    }
    for (std::size_t i = 0; i < whole.parameters().size(); ++i)
        CHECK(std::abs(whole.parameters().data()[i] - parts.parameters().data()[i]) < 1e-6f);
}

TEST_CASE("clipping by the norm of all gradients")
{
    for (const double share : {0.1, 0.9}) {
        const double norm = norm_of<Net>(taken_off<Net>(), any), limit = share * norm;
        check_step<Net>([&](const SlotInfo&, double, double g) { return share * g; }, ClipNorm{limit});
        Model<Net, Float64> model{Seed{3}};
        Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 1}, ClipNorm{limit}};
        const Batch<Net> batch{23};
        trainer.step(batch.rows, batch.x.data(), batch.labels.data());
        CHECK(trainer.gradient_norm() == doctest::Approx(norm).epsilon(1e-12));
    }
    // Below the limit nothing happens.
    CHECK(taken_off<Net>(ClipNorm{1e9}) == taken_off<Net>());
    // Frozen slots do not count; penalties do.
    const auto learning = [](const SlotInfo& slot) { return !in(slot, "dense_1/"); };
    const double norm = norm_of<Conv>(taken_off<Conv>(), learning);
    check_step<Conv>([&](const SlotInfo& slot, double, double g) { return learning(slot) ? 0.5 * g : 0.0; },
                     freeze("dense_1"), ClipNorm{0.5 * norm});
    const double with_penalty = norm_of<Net>(taken_off<Net>(L2{0.1}), any);
    check_step<Net>(
        [&](const SlotInfo& slot, double w, double g) { return 0.25 * (g + (in(slot, "/kernel") ? 0.2 * w : 0.0)); },
        ClipNorm{0.25 * with_penalty}, L2{0.1});
}

TEST_CASE("clipping by value, in the fused step and the stored one")
{
    const auto clipped = [](const SlotInfo&, double, double g) { return std::min(std::max(g, -0.01), 0.01); };
    check_step<Net>(clipped, ClipValue{0.01});
    check_step<Net>(clipped, ClipValue{0.01}, Accumulate{1});
    check_step<Conv>(clipped, ClipValue{0.01});
}

TEST_CASE("penalties move kernels, and nothing else")
{
    const auto penalties = [](double l1, double l2) {
        return [=](const SlotInfo& slot, double w, double g) {
            return in(slot, "/kernel") ? g + l1 * (w > 0 ? 1 : w < 0 ? -1 : 0) + 2 * l2 * w : g;
        };
    };
    check_step<Net>(penalties(0.03, 0), L1{0.03});
    check_step<Net>(penalties(0, 0.05), L2{0.05});
    check_step<Conv>(penalties(0.03, 0.05), L1{0.03}, L2{0.05});
    // The gradient of the penalty, by differences.
    const double h = 1e-6, w = 0.37, l1 = 0.2, l2 = 0.3;
    const auto penalty = [&](double v) { return l1 * std::abs(v) + l2 * v * v; };
    CHECK(penalties(l1, l2)(Parameters<Net, Float64>::slots()[0], w, 0.0) ==
          doctest::Approx((penalty(w + h) - penalty(w - h)) / (2 * h)).epsilon(1e-8));
}

TEST_CASE("layers frozen, and learning rates of their own: by name, by kind, by type")
{
    const auto scaled = [](const char* name, double factor) {
        return [=](const SlotInfo& slot, double, double g) { return in(slot, name) ? factor * g : g; };
    };
    check_step<Net>(scaled("dense_2/", 0.25), learning_rate_of("dense_2", 0.25));
    check_step<Net>(scaled("dense_", 3.0), learning_rate_of("dense", 3.0));
    check_step<Net>(scaled("dense_1/", 0.5), learning_rate_of<Dense<17>>(0.5));
    check_step<Net>(scaled("dense_1/", 0.1), learning_rate_of("dense_1", 0.5), learning_rate_of<Dense<17>>(0.2));
    check_step<Net>(scaled("dense_3/", 0), freeze("dense_3"));
    check_step<Net>(scaled("dense_1/", 0), freeze("dense_1"));
    check_step<Net>(scaled("dense_", 0), freeze("dense"));
    check_step<Net>(scaled("layer_norm_1/", 0), freeze<LayerNorm>());
    // From the input on, to a layer within a block: what is left gets the gradients that it gets otherwise.
    check_step<Conv>(scaled("conv2d_1/", 0), freeze("conv2d_1"));
    check_step<Conv>(scaled("conv2d_", 0), freeze("conv2d"), learning_rate_of("depthwise_conv2d_1", 1.0));
    check_step<Conv>([](const SlotInfo& slot, double, double g) { return in(slot, "dense_2") ? g : 0.0; },
                     freeze("conv2d"), freeze<BatchNorm>(), freeze("depthwise_conv2d"), freeze("dense_1"));
    check_step<Conv>([](const SlotInfo& slot, double, double g) { return in(slot, "dense_") ? g : 0.0; },
                     freeze("conv2d"), freeze("batch_normalization_1"), freeze<DepthwiseConv2D<Kernel<2>>>());
    check_step<Conv>([](const SlotInfo& slot, double, double g) { return in(slot, "batch_normalization") ? g : 0.0; },
                     freeze("conv2d"), freeze("dense"), freeze("depthwise_conv2d"));
    check_step<Net>([](const SlotInfo&, double, double) { return 0.0; }, freeze("dense"), freeze("layer_norm"),
                    freeze("prelu"));
    // Weight decay does not reach a frozen layer either.
    Model<Net> model{Seed{3}};
    const Parameters<Net> before = model.parameters();
    Trainer trainer{model, CrossEntropy{}, AdamW{.weight_decay = 0.5}, freeze("dense_2")};
    const Batch<Net, Float32> batch{23};
    trainer.step(23, batch.x.data(), batch.labels.data());
    for (const SlotInfo& slot : before.slots())
        CHECK((logical(before, slot) == logical(model.parameters(), slot)) == in(slot, "dense_2/"));
}

TEST_CASE("the running average of the weights")
{
    for (const bool bias_correction : {true, false})
        for (const double decay : {0.0, 0.9, 0.999}) {
            CAPTURE(bias_correction);
            CAPTURE(decay);
            Model<Conv, Float64> model{Seed{3}};
            Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.01}, freeze("conv2d_1"),
                            AverageWeights{decay, bias_correction}};
            Model<Conv, Float64> fused_model{Seed{3}};
            Trainer fused{fused_model, CrossEntropy{}, Adam{.learning_rate = 0.01},
                          AverageWeights{decay, bias_correction}};
            CHECK(fused.average().parameters().fingerprint() == fused_model.parameters().fingerprint());
            const Batch<Conv> batch{11};
            const std::size_t size = model.parameters().size();
            std::vector<double> sum(size), fused_sum(size);
            double total = 0;
            for (int t = 1; t <= 30; ++t) {
                trainer.step(batch.rows, batch.x.data(), batch.labels.data());
                fused.step(batch.rows, batch.x.data(), batch.labels.data());
                const double gain = t == 1 ? 1 : 1 - decay;
                for (std::size_t i = 0; i < size; ++i) {
                    const auto follow = [&](double& average, double w) {
                        average = bias_correction ? decay * average + w : average + gain * (w - average);
                    };
                    follow(sum[i], model.parameters().data()[i]);
                    follow(fused_sum[i], fused_model.parameters().data()[i]);
                }
                total = bias_correction ? decay * total + 1 : 1;
            }
            const Model<Conv, Float64> average = trainer.average(), other = fused.average();
            for (const SlotInfo& slot : average.parameters().slots())
                for (std::size_t i = 0; i < slot.size; ++i) {
                    const std::size_t at = slot.offset + slot.index(i);
                    const bool kept = slot.role == Role::statistics;
                    CHECK(
                        average.parameters().data()[at] ==
                        doctest::Approx(kept || in(slot, "conv2d_1/") ? model.parameters().data()[at] : sum[at] / total)
                            .epsilon(1e-11));
                    CHECK(other.parameters().data()[at] ==
                          doctest::Approx(kept ? fused_model.parameters().data()[at] : fused_sum[at] / total)
                              .epsilon(1e-11));
                }
        }
    // For evaluation: it is a model.
    Model<Net> model{Seed{3}};
    Trainer trainer{model, CrossEntropy{}, Adam{}, AverageWeights{.decay = 0.9}};
    const Points data = points();
    double last = 0;
    trainer.fit(data, quiet(2, 8),
                [&](const Epoch&) { last = evaluate(trainer.average(), data, CrossEntropy{}).loss; });
    CHECK(last == evaluate(trainer.average(), data, CrossEntropy{}).loss);
    CHECK(last != evaluate(model, data, CrossEntropy{}).loss);
}

TEST_CASE("LAMB: each slot by itself, of any size, against a plain loop in double")
{
    const LAMB lamb{.learning_rate = 0.02, .weight_decay = 0.1};
    Model<Conv, Float64> model{Seed{3}}, gradients_from{Seed{3}};
    Trainer trainer{model, CrossEntropy{}, lamb};
    const Batch<Conv> batch{11};
    const std::size_t size = model.parameters().size();
    std::vector<double> w(model.parameters().data(), model.parameters().data() + size), m(size), v(size);
    for (int t = 1; t <= 5; ++t) {
        trainer.step(batch.rows, batch.x.data(), batch.labels.data());
        // The gradient at w: what SGD takes off.
        std::copy(w.begin(), w.end(), gradients_from.parameters().data());
        Trainer sgd{gradients_from, CrossEntropy{}, SGD{.learning_rate = 1}};
        sgd.step(batch.rows, batch.x.data(), batch.labels.data());
        for (const SlotInfo& slot : model.parameters().slots()) {
            if (slot.role == Role::statistics) {
                for (std::size_t i = 0; i < slot.size; ++i)
                    w[slot.offset + slot.index(i)] = gradients_from.parameters().logical(slot, i);
                continue;
            }
            std::vector<double> u(slot.size);
            double norm_w = 0, norm_u = 0;
            for (std::size_t i = 0; i < slot.size; ++i) {
                const std::size_t at = slot.offset + slot.index(i);
                const double g = w[at] - gradients_from.parameters().data()[at];
                m[at] = 0.9 * m[at] + 0.1 * g;
                v[at] = 0.999 * v[at] + 0.001 * g * g;
                u[i] = m[at] / (1 - std::pow(0.9, t)) / (std::sqrt(v[at] / (1 - std::pow(0.999, t))) + 1e-6) +
                       0.1 * w[at];
                norm_w += w[at] * w[at];
                norm_u += u[i] * u[i];
            }
            const double ratio = norm_w > 0 && norm_u > 0 ? std::sqrt(norm_w / norm_u) : 1;
            for (std::size_t i = 0; i < slot.size; ++i) w[slot.offset + slot.index(i)] -= 0.02 * ratio * u[i];
        }
    }
    double worst = 0;
    for (std::size_t i = 0; i < size; ++i) worst = std::max(worst, std::abs(w[i] - model.parameters().data()[i]));
    CHECK(worst < 1e-9);
    // Modifiers go around it.
    Model<Net, Float64> averaged{Seed{3}};
    Trainer around{averaged, CrossEntropy{}, lamb, ClipValue{0.1}, AverageWeights{.decay = 0}};
    const Batch<Net> rows{23};
    around.step(rows.rows, rows.x.data(), rows.labels.data());
    CHECK(around.average().parameters().fingerprint() == averaged.parameters().fingerprint());
    CHECK(averaged.parameters().fingerprint() != Model<Net, Float64>{Seed{3}}.parameters().fingerprint());
}

TEST_CASE("a modifier of a user's own sees all gradients, once a step")
{
    int calls = 0;
    check_step<Net>([](const SlotInfo&, double, double g) { return 0.5 * g; }, Halve{&calls});
    CHECK(calls == 1);
}

TEST_CASE("weights of rows and of classes")
{
    const Points data = points();
    const auto trained = [&](FitOptions<Points> how, double rate, double* loss = nullptr) {
        how.shuffle = false;
        Model<Net> model{Seed{3}};
        Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = rate}};
        const History history = trainer.fit(data, how);
        if (loss != nullptr) *loss = history[0].training.loss;
        return model.parameters();
    };
    const auto close = [](const Parameters<Net>& a, const Parameters<Net>& b) {
        double worst = 0;
        for (std::size_t i = 0; i < a.size(); ++i)
            worst = std::max(worst, std::abs(static_cast<double>(a.data()[i] - b.data()[i])));
        return worst < 1e-6;
    };
    // All rows three times: three times the rate, and the loss.
    double loss = 0, tripled_loss = 0;
    const std::vector<float> three(83, 3.0f), one(83, 1.0f);
    auto how = quiet(1, 83);
    const Parameters<Net> plain = trained(how, 0.3, &loss);
    how.sample_weights = three;
    CHECK(close(trained(how, 0.1, &tripled_loss), plain));
    CHECK(tripled_loss == doctest::Approx(3 * loss).epsilon(1e-6));
    how.sample_weights = one;
    CHECK(close(trained(how, 0.3), plain));
    // Weights by class are the rows' weights by their labels; both multiply.
    std::vector<float> by_label(83);
    for (std::size_t i = 0; i < 83; ++i)
        by_label[i] = std::array{0.5f, 2.0f, 0.0f, 1.0f, 4.0f}[static_cast<std::size_t>(data.label(i))];
    how = quiet(2, 8);
    how.sample_weights = by_label;
    const std::uint64_t rows = trained(how, 0.1).fingerprint();
    how.sample_weights = {};
    how.class_weights = {0.5, 2.0, 0.0, 1.0, 4.0};
    CHECK(trained(how, 0.1).fingerprint() == rows);
    how.sample_weights = three;
    const Parameters<Net> both = trained(how, 0.1);
    how.sample_weights = {};
    CHECK(close(trained(how, 0.3), both));
    // A row without weight might as well be another.
    std::vector<float> inputs(83 * 6);
    std::vector<std::int32_t> labels(83);
    std::vector<std::uint32_t> all(83);
    for (std::uint32_t i = 0; i < 83; ++i) all[i] = i;
    data.gather(all, inputs.data(), labels.data());
    for (std::size_t i = 0; i < 83; ++i)
        if (labels[i] == 2) inputs[6 * i] += 7;
    how = quiet(2, 8);
    how.class_weights = {1, 1, 0, 1, 1};
    how.shuffle = false;
    Model<Net> model{Seed{3}};
    Trainer trainer{model, CrossEntropy{}, SGD{.learning_rate = 0.1}};
    trainer.fit(Points{inputs, labels, 5}, how);
    CHECK(trained(how, 0.1).fingerprint() == model.parameters().fingerprint());
    // Validation does not weigh.
    how.validation = &data;
    const History history = trainer.fit(data, how);
    CHECK(history.back().validation.loss == evaluate(model, data, CrossEntropy{}).loss);

    how = quiet(1, 8);
    how.sample_weights = std::span{three}.first(80);
    CHECK_THROWS_WITH_AS(trainer.fit(data, how),
                         "tenon: fit: expected one sample weight for each of the 83 rows, found 80", Error);
    how = quiet(1, 8);
    how.class_weights = {1, 1, 1};
    how.shuffle = false;
    std::size_t first = 0;
    while (data.label(first) < 3) ++first;
    CHECK_THROWS_WITH_AS(trainer.fit(data, how),
                         ("tenon: fit: class_weights has 3 weights, and row " + std::to_string(first) +
                          " has the label " + std::to_string(data.label(first)))
                             .c_str(),
                         Error);
    const data::TensorDataset<Shape<6>, Shape<5>> numbers{std::vector<float>(12), std::vector<float>(10)};
    CHECK_THROWS_WITH_AS(trainer.fit(numbers, {.class_weights = {1}}),
                         "tenon: fit: class_weights need labels, and the dataset's targets are numbers", Error);
}

TEST_CASE("modifiers that make no sense are refused with a sentence")
{
    CHECK(refused<Net>(Accumulate{0}) == "tenon: Accumulate: batches is 0, expected 1 or more");
    CHECK(refused<Net>(ClipNorm{0}).find("tenon: ClipNorm: the limit is 0") == 0);
    CHECK(refused<Net>(ClipValue{-1}).find("tenon: ClipValue: the limit is -1") == 0);
    CHECK(refused<Net>(AverageWeights{.decay = 1}).find("tenon: AverageWeights: decay is 1") == 0);
    CHECK(refused<Net>(freeze("dens")) ==
          "tenon: the network has no layer 'dens' with parameters; it has dense_1, "
          "layer_norm_1, dense_2, prelu_1, dense_3");
    CHECK(refused<Net>(freeze("dense_4")).find("no layer 'dense_4'") != std::string::npos);
    CHECK(refused<Net>(freeze<Dense<18>>()).find("no layer 'Dense'") != std::string::npos);
    CHECK_THROWS_WITH_AS(learning_rate_of("dense", -0.5),
                         doctest::Contains("tenon: learning_rate_of: the factor is -0.5"), Error);
    CHECK(refused<Net>(freeze("prelu"), ClipNorm{1}, L1{0.1}).empty());
}
