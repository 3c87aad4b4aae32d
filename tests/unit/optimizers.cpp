// SPDX-License-Identifier: BSL-1.0
// What holds for every optimiser: padding stays zero, ranges and packs do not matter, decayed moments never become denormal.
// tests/golden/optimizers.cpp compares the updates themselves.
#include <tenon/core/random.hpp>
#include <tenon/optimizers/adagrad.hpp>
#include <tenon/optimizers/adam.hpp>
#include <tenon/optimizers/apply.hpp>
#include <tenon/optimizers/average.hpp>
#include <tenon/optimizers/lion.hpp>
#include <tenon/optimizers/nadam.hpp>
#include <tenon/optimizers/rmsprop.hpp>
#include <tenon/optimizers/sgd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace tenon;

namespace {

// An optimiser from outside: w ← w - rate · sign(g), with no moments and no type named.
struct SignDescent {
    double rate = 0.5;
    static constexpr std::size_t moments = 0;

    struct Step {
        double rate;
        template <class V>
        void update(V& w, V g, V*) const
        {
            using T = typename V::value_type;
            w = w - select(g == V(T(0)), V(T(0)), copy_sign(V(static_cast<T>(rate)), g));
        }
    };
    Step step(std::uint64_t, double factor) const { return {rate * factor}; }
};

template <class T, class Optimizer>
struct State {
    static constexpr std::size_t moments = Optimizer::moments;
    std::size_t count;
    std::vector<T> w, m;

    State(std::size_t n, const std::vector<T>& weights) : count{n}, w{weights}, m(n * moments) {}

    UpdateBlocks<T, moments> blocks()
    {
        UpdateBlocks<T, moments> result{w.data(), {}};
        for (std::size_t i = 0; i < moments; ++i) result.moments[i] = m.data() + i * count;
        return result;
    }
};

template <class T>
std::vector<T> random_values(std::size_t count, std::uint64_t stream)
{
    Random random{Seed{7}, stream};
    std::vector<T> values(count);
    for (T& value : values) value = static_cast<T>(random.uniform() - 0.5);
    return values;
}

template <class Optimizer>
void padding_stays_zero(const Optimizer& optimizer)
{
    const std::size_t count = 37;
    State<float, Optimizer> state{count, std::vector<float>(count)};
    const std::vector<float> g(count);
    for (std::uint64_t t = 1; t <= 50; ++t)
        apply_update<Optimizer::moments>(optimizer_step<float>(optimizer, t), count, state.blocks(), g.data());
    for (const float w : state.w) CHECK(w == 0.0f);
    for (const float m : state.m) CHECK(m == 0.0f);
}

// The whole block at once, in ranges, through the sink, and one value at a time: the same bits.
template <class T, class Optimizer>
void splits_do_not_matter(const Optimizer& optimizer)
{
    using V = simd::Pack<T, simd::width<T>>;
    constexpr std::size_t moments = Optimizer::moments;
    const std::size_t count = 8 * V::size;
    const auto start = random_values<T>(count, 1);
    State<T, Optimizer> whole{count, start}, ranges{count, start}, sink{count, start};
    for (std::uint64_t t = 1; t <= 20; ++t) {
        const auto g = random_values<T>(count, 100 + t);
        const auto step = optimizer_step<T>(optimizer, t, 0.9);
        apply_update<moments>(step, count, whole.blocks(), g.data());
        const std::size_t middle = 3 * V::size + 1;
        apply_update<moments>(step, middle, ranges.blocks(), g.data());
        apply_update<moments>(step, count - middle, ranges.blocks().from(middle), g.data() + middle);
        const FusedUpdate fused{step, sink.blocks()};
        for (std::size_t i = 0; i < count; i += V::size) {
            fused.prefetch(i);
            fused.put(i, V::load(g.data() + i));
        }
    }
    CHECK(whole.w != start);
    CHECK(ranges.w == whole.w);
    CHECK(ranges.m == whole.m);
    CHECK(sink.w == whole.w);
    CHECK(sink.m == whole.m);
}

// Nothing outside [0, count) is touched, for every remainder of the pack.
template <class Optimizer>
void stays_inside(const Optimizer& optimizer)
{
    constexpr std::size_t moments = Optimizer::moments, margin = 32;
    for (std::size_t count = 0; count <= 40; ++count) {
        const std::vector<float> canaries(count + 2 * margin, 123.0f);
        State<float, Optimizer> state{count + 2 * margin, canaries};
        state.m.assign(state.m.size(), 123.0f);
        const std::vector<float> g(count, 1.0f);
        apply_update<moments>(optimizer_step<float>(optimizer, 1), count, state.blocks().from(margin), g.data());
        std::size_t changed = 0;
        for (std::size_t i = 0; i < state.w.size(); ++i) {
            const bool inside = i >= margin && i < margin + count;
            if (state.w[i] != 123.0f) ++changed;
            if (!inside) CHECK(state.w[i] == 123.0f);
            for (std::size_t j = 0; j < moments; ++j)
                if (!inside) CHECK(state.m[j * state.count + i] == 123.0f);
        }
        CHECK(changed == count);
    }
}

template <class Check>
void for_each_optimizer(Check check)
{
    check(SGD{});
    check(SGD{.momentum = 0.9, .nesterov = true, .weight_decay = 1e-2});
    check(Adam{});
    check(Adam{.epsilon = 0.0});
    check(Adam{.epsilon = pytorch_epsilon});
    check(AdamW{.weight_decay = 0.1});
    check(RMSProp{});
    check(RMSProp{.momentum = 0.9, .epsilon = 0.0, .centered = true});
    check(RMSProp{.momentum = 0.9, .epsilon = {0.0, Epsilon::Convention::pytorch}});
    check(Adagrad{});
    check(Adagrad{.initial_accumulator = 0, .epsilon = 0.0});
    check(Adagrad{.initial_accumulator = 0, .epsilon = {0.0, Epsilon::Convention::pytorch}});
    check(Adadelta{});
    check(NAdam{});
    check(NAdam{.epsilon = 0.0, .momentum_decay = 0.004});
    check(Lion{});
    check(Lion{.learning_rate = 1e-2, .weight_decay = 0.1});
    check(SignDescent{});
    check(AveragingOptimizer<SGD>{{}, 0.9, true});
    check(AveragingOptimizer<ClippedOptimizer<Adam>>{{{}, 0.1}, 0.9, false});
    check(ClippedOptimizer<SignDescent>{{}, 0.1});
}

}  // namespace

TEST_CASE("padding stays zero under every optimiser, for an epsilon of 0 as well")
{
    for_each_optimizer([](const auto& optimizer) { padding_stays_zero(optimizer); });
    padding_stays_zero(Adadelta{.epsilon = 0.0});  // which never starts elsewhere
}

TEST_CASE("an update gives the same bits however the block is split")
{
    for_each_optimizer([](const auto& optimizer) {
        splits_do_not_matter<float>(optimizer);
        splits_do_not_matter<double>(optimizer);
    });
}

TEST_CASE("an update touches its range only")
{
    for_each_optimizer([](const auto& optimizer) { stays_inside(optimizer); });
}

TEST_CASE("moments of a weight whose gradient has ended do not end as denormal numbers")
{
    const auto ends = [](const auto& optimizer, std::size_t decaying, float smallest = 1e-32f) {
        using Optimizer = std::remove_cvref_t<decltype(optimizer)>;
        State<float, Optimizer> state{1, {0.5f}};
        float g = 1e-3f;
        for (std::uint64_t t = 1; t <= 1500; ++t, g = 0.0f)
            apply_update<Optimizer::moments>(optimizer_step<float>(optimizer, t), 1, state.blocks(), &g);
        CHECK((state.m[decaying] == 0.0f || std::abs(state.m[decaying]) > smallest));
    };
    ends(SGD{.momentum = 0.9}, 0);
    ends(Adam{}, 0);
    ends(AdamW{}, 0);
    ends(RMSProp{}, 0, 1e-36f);
    ends(Adadelta{}, 0, 1e-36f);
    ends(Adadelta{}, 1, 1e-36f);
    ends(NAdam{}, 0);
    ends(Lion{}, 0);
    ends(RMSProp{.momentum = 0.9, .centered = true}, 1);
    ends(RMSProp{.momentum = 0.9, .centered = true}, 2);
}

TEST_CASE("an update that vanishing gradients drive stays finite")
{
    for (const double epsilon : {0.0, 1e-12, 1e-7}) {
        State<float, Adam> state{1, {0.5f}};
        const float g = 1e-30f;
        for (std::uint64_t t = 1; t <= 100; ++t)
            apply_update<2>(Adam{.epsilon = epsilon}.step<float>(t), 1, state.blocks(), &g);
        CHECK(std::abs(state.w[0] - 0.5f) < 0.2f);
    }
}

TEST_CASE("the learning rate's factor scales a step, and a user's optimiser is a plain struct")
{
    State<float, SGD> sgd{1, {1.0f}};
    const float g = 2.0f;
    apply_update<1>(SGD{.learning_rate = 0.5}.step<float>(1, 0.25), 1, sgd.blocks(), &g);
    CHECK(sgd.w[0] == 0.75f);

    State<double, SignDescent> own{3, {1.0, 1.0, 1.0}};
    const double gradients[] = {-3.0, 0.0, 7.0};
    apply_update<0>(optimizer_step<double>(SignDescent{}, 1, 0.5), 3, own.blocks(), gradients);
    CHECK(own.w == std::vector<double>{1.25, 1.0, 0.75});
}

TEST_CASE("powers are exact where they can be and accurate elsewhere")
{
    static_assert(detail::power(2.0, 10) == 1024.0);
    static_assert(detail::power(0.5, 0) == 1.0);
    CHECK(detail::power(0.999, 100000) == doctest::Approx(std::pow(0.999, 100000)).epsilon(1e-11));
}

TEST_CASE("NAdam's product of momenta is the whole product, however late the step")
{
    for (const double beta_1 : {0.5, 0.9, 0.99}) {
        double product = 1;
        for (std::uint64_t t = 1; t <= 3000; ++t) {
            const auto mu = [&](std::uint64_t i) {
                return beta_1 * (1 - 0.5 * std::pow(0.96, static_cast<double>(i) * 0.004));
            };
            product *= mu(t);
            const NAdam nadam{.learning_rate = 1, .beta_1 = beta_1, .beta_2 = 0.0, .momentum_decay = 0.004};
            const auto step = nadam.step<double>(t);
            if (t % 500 != 1) continue;
            CHECK(step.of_gradient == doctest::Approx((1 - mu(t)) / (1 - product)).epsilon(1e-11));
            CHECK(step.of_mean == doctest::Approx(mu(t + 1) / (1 - product * mu(t + 1))).epsilon(1e-11));
        }
    }
}
