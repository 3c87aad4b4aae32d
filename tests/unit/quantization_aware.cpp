// SPDX-License-Identifier: BSL-1.0
// Quantisation-aware training: what it computes forwards and backwards against a naive twin, and that the int8 model made of
// it has its integers, scales and zero points.
#include <tenon/compression/quantization_aware.hpp>
#include <tenon/distillation.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/tenon.hpp>

#include "support/files.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <vector>

using namespace tenon;

namespace {

using Mlp = Network<Input<6>, Dense<21>, ReLU, Dense<4>>;
// Convolutions of one shape: what they compute is tested elsewhere, and compiling them takes long.
using Images =
    Network<Input<8, 8, 8>, Conv2D<8, Kernel<3>, Padding<Same>>, BatchNorm, ReLU, MaxPool2D<2>,
            DepthwiseConv2D<Kernel<3>, Padding<Same>>, Tanh, GlobalAveragePool2D,
            Repeat<2, Residual<Dense<8>, ReLU, Dense<8, NoBias>>>, ReLU, Concat<Dense<3>, Sequential<Dense<5>, SiLU>>,
            Add<Dense<8>, Sequential<Dense<8>, ReLU>>, ReLU, Dropout<Rate<1, 10>>, Dense<5>, Softmax>;

template <class Net>
std::vector<float> samples(std::size_t rows)
{
    Random random{Seed{5}};
    std::vector<float> x(rows * Net::input_shape::size);
    for (float& value : x) value = static_cast<float>(random.normal());
    return x;
}

template <class Net>
Model<QuantizationAware<Net>> aware_of(std::uint64_t seed = 1)
{
    const std::vector<float> x = samples<Net>(64);
    return quantization_aware(Model<Net>{Seed{seed}}, std::span<const float>(x));
}

Model<QuantizationAware<Images>> trained(int threads, int epochs)
{
    const std::vector<float> x = samples<Images>(150);
    std::vector<std::int32_t> labels(150);
    for (std::size_t i = 0; i < 150; ++i) labels[i] = static_cast<std::int32_t>(i % 5);
    const data::TensorDataset<Shape<8, 8, 8>, data::Label> dataset{x, labels, 5};
    Model<QuantizationAware<Images>> aware = aware_of<Images>();
    const History history = Trainer{aware, CrossEntropy{}, Adam{.learning_rate = 0.01}}.fit(
        dataset, {.epochs = epochs, .batch_size = 60, .threads = threads, .progress = Progress::silent});
    if (epochs >= 20) CHECK(history.back().training.loss < history.front().training.loss);
    return aware;
}

// A value on the grid of a range, by the definition; `passes`: whether its gradient does.
double on_grid(double x, const float* range, bool& passes)
{
    const Affine affine = affine_of_range(static_cast<double>(range[0]), static_cast<double>(range[1]));
    const double scale = static_cast<double>(affine.scale);
    const double low = scale * (-128 - affine.zero_point), high = scale * (127 - affine.zero_point);
    passes = x >= low && x <= high;
    return scale * std::nearbyint((x < low ? low : x > high ? high : x) / scale);
}

// The naive twin of one dense layer's weights: (inputs, outputs).
template <class Layer>
std::vector<double> fake(const Layer& layer, std::size_t inputs, std::size_t outputs)
{
    std::vector<double> result(inputs * outputs);
    for (std::size_t n = 0; n < outputs; ++n) {
        double largest = 0.0;
        for (std::size_t k = 0; k < inputs; ++k)
            largest = std::max(largest, std::abs(static_cast<double>(layer.kernel(k, n))));
        const double scale = static_cast<double>(static_cast<float>(largest / 127.0));
        for (std::size_t k = 0; k < inputs; ++k)
            result[k * outputs + n] = scale * std::nearbyint(static_cast<double>(layer.kernel(k, n)) / scale);
    }
    return result;
}

}  // namespace

TEST_CASE("the type: roundings behind every value that has a scale, behind its ReLU")
{
    using Q = QuantizationAware<Mlp>;
    static_assert(
        std::is_same_v<typename Q::chain::layers, List<FakeQuantizeInput, QuantizedWeights<Dense<21>>, ReLU,
                                                       FakeQuantize, QuantizedWeights<Dense<4>>, FakeQuantize>>);
    using Tables = QuantizationAware<Network<Input<6>, Dense<5>, Tanh, Softmax>>;
    static_assert(
        std::is_same_v<typename Tables::chain::layers,
                       List<FakeQuantizeInput, QuantizedWeights<Dense<5>>, FakeQuantize, Tanh, FakeQuantize, Softmax>>);
    // In training the ReLU, and the maximum behind a convolution, are the layer's own.
    using Pooled =
        QuantizationAware<Network<Input<8, 8, 1>, Conv2D<4, Kernel<3>>, ReLU, MaxPool2D<2>, Conv2D<2, Kernel<3>>>>;
    static_assert(std::is_same_v<
                  rewritten_chain<Purpose::training, typename Pooled::chain>::layers,
                  List<FakeQuantizeInput, QuantizedWeights<FusedPool<Fused<Conv2D<4, Kernel<3>>, ReLU>, MaxPool2D<2>>>,
                       FakeQuantize, QuantizedWeights<Conv2D<2, Kernel<3>>>, FakeQuantize>>);
    static_assert(Q::trainable_count == Mlp::parameter_count && Q::macs == Mlp::macs);
    static_assert(QuantizationAware<Images>::trainable_count == folded<Images>::parameter_count);
}

TEST_CASE("forward and backward of a perceptron are the naive twin's, gradients straight through the roundings")
{
    using Q = QuantizationAware<Mlp>;
    using C = typename Q::chain;
    constexpr std::size_t rows = 9;
    Model<Q> aware = aware_of<Mlp>();
    const std::vector<float> x = samples<Mlp>(rows);
    std::vector<double> d_out(rows * 4);
    Random random{Seed{8}};
    for (double& d : d_out) d = random.normal();

    const auto& parameters = aware.parameters();
    const auto first = parameters.template layer<1>();
    const auto second = parameters.template layer<4>();
    const auto range = [&](std::size_t slot) {
        // Statistics, in the order of the layers.
        std::size_t seen = 0;
        for (const SlotInfo& info : parameters.slots())
            if (info.role == Role::statistics && seen++ == slot) return parameters.data() + info.offset;
        return static_cast<const float*>(nullptr);
    };
    // Narrower ranges, so that some values are cut off.
    for (const std::size_t slot : {0u, 1u, 2u}) {
        auto* own = const_cast<float*>(range(slot));
        own[0] *= 0.4f;
        own[1] *= 0.4f;
    }

    Tape<C, float> tape{rows};
    AlignedBuffer<float> gradients{Parameters<Q>::learned};
    const TrainingContext<float> context = tape.context(Seed{1}, 0);
    train_forward(rows, static_cast<const float*>(parameters.data()), x.data(), tape, context);
    std::vector<float> y(tape.output(), tape.output() + rows * 4);
    for (std::size_t i = 0; i < d_out.size(); ++i) tape.output_gradient()[i] = static_cast<float>(d_out[i]);
    std::vector<float> dx(rows * 6);
    train_backward(rows, static_cast<const float*>(parameters.data()), StoreGradients<float>{gradients.data()},
                   x.data(), tape, context, dx.data());

    const std::vector<double> w1 = fake(first, 6, 21), w2 = fake(second, 21, 4);
    std::vector<double> dw1(6 * 21), dw2(21 * 4), db1(21), db2(4);
    std::size_t cut = 0;
    for (std::size_t r = 0; r < rows; ++r) {
        double a[6], h[21], z[21], out[4];
        bool pass_in[6], pass_h[21], pass_out[4];
        for (std::size_t k = 0; k < 6; ++k) a[k] = on_grid(static_cast<double>(x[r * 6 + k]), range(0), pass_in[k]);
        for (std::size_t j = 0; j < 21; ++j) {
            z[j] = static_cast<double>(first.bias(j));
            for (std::size_t k = 0; k < 6; ++k) z[j] += a[k] * w1[k * 21 + j];
            h[j] = on_grid(z[j] > 0.0 ? z[j] : 0.0, range(1), pass_h[j]);
            cut += !pass_h[j];
        }
        double dh[21] = {};
        for (std::size_t n = 0; n < 4; ++n) {
            double sum = static_cast<double>(second.bias(n));
            for (std::size_t j = 0; j < 21; ++j) sum += h[j] * w2[j * 4 + n];
            out[n] = on_grid(sum, range(2), pass_out[n]);
            cut += !pass_out[n];
            CHECK(static_cast<double>(y[r * 4 + n]) == doctest::Approx(out[n]).epsilon(1e-5));
            const double d = pass_out[n] ? d_out[r * 4 + n] : 0.0;
            db2[n] += d;
            for (std::size_t j = 0; j < 21; ++j) {
                dw2[j * 4 + n] += d * h[j];
                dh[j] += d * w2[j * 4 + n];
            }
        }
        double da[6] = {};
        for (std::size_t j = 0; j < 21; ++j) {
            const double d = pass_h[j] && z[j] > 0.0 ? dh[j] : 0.0;
            db1[j] += d;
            for (std::size_t k = 0; k < 6; ++k) {
                dw1[k * 21 + j] += d * a[k];
                da[k] += d * w1[k * 21 + j];
            }
        }
        for (std::size_t k = 0; k < 6; ++k)
            CHECK(static_cast<double>(dx[r * 6 + k]) == doctest::Approx(pass_in[k] ? da[k] : 0.0).epsilon(1e-4));
    }
    CHECK(cut > 1);  // the masks have been seen

    const LayerParameters<typename C::template bound<1>, float> g1{gradients.data() + chain_offsets<float, C>.at[1]};
    const LayerParameters<typename C::template bound<4>, float> g2{gradients.data() + chain_offsets<float, C>.at[4]};
    for (std::size_t j = 0; j < 21; ++j) {
        CHECK(static_cast<double>(g1.bias(j)) == doctest::Approx(db1[j]).epsilon(1e-4));
        for (std::size_t k = 0; k < 6; ++k)
            CHECK(static_cast<double>(g1.kernel(k, j)) == doctest::Approx(dw1[k * 21 + j]).epsilon(1e-4));
        for (std::size_t n = 0; n < 4; ++n)
            CHECK(static_cast<double>(g2.kernel(j, n)) == doctest::Approx(dw2[j * 4 + n]).epsilon(1e-4));
    }
}

TEST_CASE("ranges follow the batches: the first one whole, then a hundredth; the input's only widens; NaN passes")
{
    using Net = Network<Input<2>, FakeQuantizeInput, FakeQuantize>;
    using C = typename Net::chain;
    Model<Net> model{Seed{1}};
    const auto step = [&](std::vector<float> x) {
        Tape<C, float> tape{x.size() / 2};
        TrainingContext<float> context = tape.context(Seed{1}, 0);
        context.statistics = model.parameters().data() + Parameters<Net>::learned;
        train_forward(x.size() / 2, static_cast<const float*>(model.parameters().data()), x.data(), tape, context);
        return std::vector<float>(tape.output(), tape.output() + x.size());
    };
    const auto& slots = model.parameters().slots();
    const auto value = [&](std::size_t slot, std::size_t i) { return model.parameters().logical(slots[slot], i); };
    step({-1.0f, 3.0f});
    CHECK(value(0, 0) == -1.0f);
    CHECK(value(0, 1) == 3.0f);
    CHECK(value(1, 1) == doctest::Approx(3.0).epsilon(0.01));
    const float before = value(1, 1);
    const std::vector<float> y = step({std::numeric_limits<float>::quiet_NaN(), 0.0f, 0.5f, 1.0f});
    CHECK(y[0] != y[0]);
    CHECK(y[1] == 0.0f);  // always on the grid
    CHECK(value(0, 0) == -1.0f);
    CHECK(value(0, 1) == 3.0f);
    CHECK(value(1, 1) == doctest::Approx(static_cast<double>(before) * 0.99 + 0.01).epsilon(1e-3));
    step({7.0f, 0.0f});
    CHECK(value(0, 1) == 7.0f);
}

TEST_CASE("the int8 model has the integers of the fake weights and the scales of the ranges, bit by bit")
{
    const Model<QuantizationAware<Images>> aware = trained(1, 20);
    const std::vector<float> x = samples<Images>(96);
    const Model<folded<Images>, Int8> small = quantize(aware);
    const Int8Description& description = small.description();
    std::size_t linear = 0, ranges = 0;
    auto visit = [&]<class B>(std::size_t learned, std::size_t statistics) {
        if constexpr (detail::is_fake_quantize<typename B::layer>) {
            // Not in the order of values, so: one of them has this range's scale.
            const float* range = aware.parameters().data() + statistics;
            const Affine affine = affine_of_range(static_cast<double>(range[0]), static_cast<double>(range[1]));
            bool found = description.input == affine;
            for (const Affine& value : description.values) found = found || value == affine;
            CHECK(found);
            ++ranges;
        } else if constexpr (requires { typename B::rule::inner; }) {
            using Inner = typename B::rule::inner;
            using Kernel = typename slots_type<Inner>::template slot<0>;
            std::vector<float> weights(layer_storage<float, Inner>());
            detail::fake_weights<Inner>(static_cast<const float*>(aware.parameters().data()) + learned, weights.data());
            const Int8Layer& layer = description.layers[linear++];
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < Kernel::shape::size; ++i) {
                const float scale = layer.scale[i % layer.scale.size()];
                wrong += weights[Kernel::layout::template index<float, typename Kernel::shape>(i)] !=
                         scale * static_cast<float>(layer.kernel[i]);
            }
            CHECK(wrong == 0);
        }
    };
    using C = typename QuantizationAware<Images>::chain;
    detail::walk_layers<float, C>(visit, 0, Parameters<QuantizationAware<Images>>::learned);
    CHECK(linear == description.layers.size());
    CHECK(ranges == description.values.size() + 1);

    // Each rounding of a value may fall to the other side; none is off by more in the end.
    std::size_t same = 0;
    for (std::size_t r = 0; r < 96; ++r) {
        const TensorView<const float, Shape<8, 8, 8>> image{x.data() + 512 * r};
        const auto simulated = aware.predict(image), integer = small.predict(image);
        std::size_t a = 0, b = 0;
        for (std::size_t j = 0; j < 5; ++j) {
            CHECK(std::abs(simulated[j] - integer[j]) < 0.08f);
            a = simulated[j] > simulated[a] ? j : a;
            b = integer[j] > integer[b] ? j : b;
        }
        same += a == b;
    }
    CHECK(same >= 92);
}

TEST_CASE("one layer: the simulation and the integers differ by one step, and seldom")
{
    using Net = Network<Input<100>, Dense<64>, ReLU>;
    const Model<QuantizationAware<Net>> aware = aware_of<Net>();
    const Model<Net, Int8> small = quantize(aware);
    const std::vector<float> x = samples<Net>(200);
    std::size_t other = 0;
    for (std::size_t r = 0; r < 200; ++r) {
        const TensorView<const float, Shape<100>> row{x.data() + 100 * r};
        const auto simulated = aware.predict(row), integer = small.predict(row);
        for (std::size_t j = 0; j < 64; ++j) {
            const double steps = static_cast<double>(simulated[j] - integer[j]) /
                                 static_cast<double>(small.output().scale);
            CHECK(std::abs(steps) < 1.01);
            other += std::abs(steps) > 0.5;
        }
    }
    CHECK(other < 200 * 64 / 50);
}

TEST_CASE("any number of threads gives the same bits, and a file holds the ranges")
{
    const Model<QuantizationAware<Images>> one = trained(1, 2);
    CHECK(trained(3, 2).parameters().fingerprint() == one.parameters().fingerprint());
    CHECK(one.parameters().fingerprint() != aware_of<Images>().parameters().fingerprint());

    const support::Folder folder;
    save(one, folder / "aware.safetensors");
    Model<QuantizationAware<Images>> again{uninitialized};
    load(again, folder / "aware.safetensors");
    CHECK(again.parameters().fingerprint() == one.parameters().fingerprint());
    CHECK(quantize(again).description().values == quantize(one).description().values);
}

TEST_CASE("a student that learns on integers' grids")
{
    using Net = Network<Input<6>, Dense<8>, ReLU, Dense<3>, Softmax>;
    const Model<Network<Input<6>, Dense<20>, Tanh, Dense<3>, Softmax>> teacher{Seed{4}};
    Model<QuantizationAware<Net>> student = aware_of<Net>();
    const std::vector<float> x = samples<Net>(64);
    std::vector<std::int32_t> labels(64);
    for (std::size_t i = 0; i < 64; ++i) labels[i] = static_cast<std::int32_t>(i % 3);
    const data::TensorDataset<Shape<6>, data::Label> dataset{x, labels, 3};
    Trainer trainer{student, distillation::Objective{teacher, distillation::SoftTargets{}},
                    Adam{.learning_rate = 0.02}};
    const History history = trainer.fit(dataset, {.epochs = 30, .batch_size = 64, .progress = Progress::silent});
    CHECK(history.back().training.loss < 0.5 * history.front().training.loss);
    CHECK(quantize(student).description().layers.size() == 2);
}

TEST_CASE("no rows, no ranges")
{
    const auto aware = try_quantization_aware(Model<Mlp>{Seed{1}}, std::span<const float>{});
    REQUIRE(!aware);
    CHECK(aware.error() == "quantize: expected at least one row to calibrate with, found none");
}
