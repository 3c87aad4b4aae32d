// SPDX-License-Identifier: BSL-1.0
// The trainer updates each weight as its gradient is made, inside the kernels where they allow it. Here the same step in
// the plain order (all gradients first, then the optimiser over the whole block) and the two agree.
#include <tenon/layers/layers.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/optimizers/adam.hpp>
#include <tenon/optimizers/rmsprop.hpp>
#include <tenon/optimizers/sgd.hpp>
#include <tenon/training/trainer.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

using namespace tenon;

namespace {

// A layer with running statistics, which no optimiser may touch: y = scale · x, and the mean of x kept.
struct Watched {
    static constexpr const char* name = "watched";
    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<In>("scale", init::ones));
        static constexpr auto statistics = tenon::slots(slot<In>("mean", init::constant(0.5)));
    };
};

template <class In, class T, class Context>
void forward(Bound<Watched, In>, std::size_t rows, auto parameters, const T* x, T* y, const Context& context)
{
    const T* scale = parameters.template get<0>();
    for (std::size_t i = 0; i < rows * In::size; ++i) y[i] = scale[i % In::size] * x[i];
    if constexpr (requires { context.statistics; })
        if (context.statistics != nullptr)
            for (std::size_t i = 0; i < rows * In::size; ++i)
                context.statistics[i % In::size] += T(0.01) * (x[i] - context.statistics[i % In::size]);
}

template <class In, class T>
void backward(Bound<Watched, In>, std::size_t rows, auto parameters, auto gradients, const T* x, const T*, const T* dy,
              T* dx)
{
    const T* scale = parameters.template get<0>();
    for (std::size_t i = 0; i < rows * In::size; ++i) {
        gradients.template get<0>()[i % In::size] += dy[i] * x[i];
        if (dx != nullptr) dx[i] = scale[i % In::size] * dy[i];
    }
}

// The plain order.
template <class Net, class P, class Loss, class Optimizer>
struct Plain {
    using T = typename P::scalar;
    using C = training_chain<Loss, typename Net::chain>;
    static constexpr std::size_t learned = Parameters<Net, P>::learned;

    Parameters<Net, P> weights;
    Loss loss;
    Optimizer optimizer;
    std::uint64_t t = 0;
    std::array<AlignedBuffer<T>, 4> moments{AlignedBuffer<T>{learned}, AlignedBuffer<T>{learned},
                                            AlignedBuffer<T>{learned}, AlignedBuffer<T>{learned}};

    template <class Target>
    double step(std::size_t rows, const T* x, const Target* targets, double factor)
    {
        Tape<C, T> tape{rows};
        Parameters<Net, P> gradients;
        TrainingContext<T> context = tape.context(Seed{0x5eed}, ++t);
        context.statistics = blocks_of<C>(weights.data()).statistics;
        const T* current = weights.data();
        train_forward(rows, current, x, tape, context);
        const double total = loss_sum<typename C::output>(loss, rows, static_cast<const T*>(tape.output()), targets,
                                                          tape.output_gradient(),
                                                          static_cast<T>(1.0 / static_cast<double>(rows)));
        context.statistics = nullptr;
        train_backward(rows, current, StoreGradients<T>{gradients.data()}, x, tape, context);
        UpdateBlocks<T, Optimizer::moments> blocks{weights.data(), {}};
        for (std::size_t i = 0; i < Optimizer::moments; ++i) blocks.moments[i] = moments[i].data();
        apply_update(optimizer_step<T>(optimizer, t, factor), learned, blocks, static_cast<const T*>(gradients.data()));
        return total / static_cast<double>(rows);
    }
};

template <class Net, class P, class Loss, class Optimizer>
void compare(const Loss& loss, const Optimizer& optimizer)
{
    using T = typename P::scalar;
    const char* which = __PRETTY_FUNCTION__;
    CAPTURE(which);
    constexpr std::size_t in = Net::input_shape::size, out = training_chain<Loss, typename Net::chain>::output::size;
    Model<Net, P> model{Seed{9}};
    Plain<Net, P, Loss, Optimizer> plain{model.parameters(), loss, optimizer};
    Trainer<Net, P, Loss, Optimizer> trainer{model, loss, optimizer};
    Random random{Seed{10}};
    for (const std::size_t rows : {std::size_t(7), std::size_t(1), std::size_t(33), std::size_t(7)}) {
        std::vector<T> x(rows * in), targets(rows * out);
        for (T& value : x) value = static_cast<T>(random.normal());
        for (T& value : targets) value = static_cast<T>(random.uniform());
        const double factor = 0.5 + random.uniform();
        const double first = trainer.step(rows, x.data(), targets.data(), nullptr, factor);
        const double second = plain.step(rows, x.data(), targets.data(), factor);
        CHECK(std::fabs(first - second) <= 1e-6 * std::fabs(second));
    }
    // Differences of a few roundings grow a little from step to step.
    const double tolerance = sizeof(T) == sizeof(float) ? 2e-6 : 1e-14;
    double worst = 0;
    for (std::size_t i = 0; i < Parameters<Net, P>::storage; ++i)
        worst = std::fmax(worst,
                          std::fabs(static_cast<double>(model.parameters().data()[i] - plain.weights.data()[i])));
    CHECK(worst <= tolerance);
    // Padding is where it was, and so every value of it zero.
    std::vector<bool> used(Parameters<Net, P>::storage, false);
    for (const SlotInfo& slot : model.parameters().slots())
        for (std::size_t i = 0; i < slot.size; ++i) used[slot.offset + slot.index(i)] = true;
    for (std::size_t i = 0; i < used.size(); ++i)
        if (!used[i]) CHECK(model.parameters().data()[i] == T(0));
}

using Mlp = Network<Input<11>, Dense<33>, ReLU, Dense<17>, Tanh, Dense<5>, Softmax>;
using Mixed =
    Network<Input<6>, Dense<7, NoBias>, PReLU, LayerNorm, Residual<Dense<9>, GELU, Dropout<Rate<1, 4>>, Dense<7>>,
            Watched, Concat<Dense<2>, Sequential<Watched, Dense<3>, ELU>>, Dense<3>>;

template <class P>
void compare_all()
{
    compare<Mlp, P>(CrossEntropy{}, Adam{.learning_rate = 0.01});
    compare<Mlp, P>(CrossEntropy{.label_smoothing = 0.1}, SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true});
    compare<Mixed, P>(MeanSquaredError{}, AdamW{.learning_rate = 0.01, .weight_decay = 0.1});
    compare<Mixed, P>(MeanSquaredError{}, RMSProp{.learning_rate = 0.01, .momentum = 0.5, .centered = true});
}

}  // namespace

TEST_CASE("fused and plain updates agree in float") { compare_all<Float32>(); }
TEST_CASE("fused and plain updates agree in double") { compare_all<Float64>(); }

TEST_CASE("running statistics move with the data, and no optimiser moves them")
{
    using Net = Network<Input<3>, Watched, Dense<2>>;
    Model<Net> model{Seed{1}};
    Trainer trainer{model, MeanSquaredError{}, AdamW{.learning_rate = 0.0, .weight_decay = 0.5}};
    const SlotInfo& mean = model.parameters().slots()[1];
    REQUIRE(mean.role == Role::statistics);
    CHECK(model.parameters().logical(mean, 0) == 0.5f);
    const std::vector<float> x{1, 2, 3}, y{0, 0};
    float expected[3] = {0.5f, 0.5f, 0.5f};
    for (int i = 0; i < 10; ++i) {
        trainer.step(1, x.data(), y.data());
        for (std::size_t j = 0; j < 3; ++j) expected[j] += 0.01f * (x[j] - expected[j]);
    }
    for (std::size_t j = 0; j < 3; ++j)
        CHECK(model.parameters().logical(mean, j) == doctest::Approx(static_cast<double>(expected[j])).epsilon(1e-6));
    // A rate and a decay of nothing left the learned values alone; evaluating leaves the statistics alone.
    const std::uint64_t before = model.parameters().fingerprint();
    model.predict(Tensor<float, Shape<3>>{1, 2, 3});
    CHECK(model.parameters().fingerprint() == before);
    CHECK(model.parameters().logical(model.parameters().slots()[0], 1) == 1.0f);
}
