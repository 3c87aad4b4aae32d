// SPDX-License-Identifier: BSL-1.0
// Folded weights predict what the written network predicts, in the zoo's networks and through every block.
#include <tenon/inference.hpp>
#include <tenon/model/model.hpp>
#include <tenon/zoo/mlperf_tiny.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

using namespace tenon;

namespace {

// Scales, shifts, means and variances as training leaves them: none of them 0 or 1.
template <class Parameters>
void shake_norms(Parameters& parameters, std::uint64_t seed)
{
    using T = typename Parameters::scalar;
    Random random{Seed{seed}};
    for (const SlotInfo& slot : parameters.slots()) {
        const std::string name = slot.slot;
        for (std::size_t i = 0; i < slot.size; ++i) {
            if (name == "gamma" || name == "moving_variance")
                parameters.logical(slot, i) = static_cast<T>(0.3 + 1.5 * random.uniform());
            else if (name != "kernel")
                parameters.logical(slot, i) = static_cast<T>(0.5 * random.normal());
        }
    }
}

// The largest difference of any output over some rows, relative to the largest
// output.
template <class Net, class P>
double difference(const Model<Net, P>& model, std::size_t rows)
{
    using T = typename P::scalar;
    const auto folded_model = std::make_unique<Model<folded<Net>, P>>(fold_batch_norm(model));
    const auto run = [rows]<class Some>(const Model<Some, P>& some) {
        Random random{Seed{21}};
        std::vector<T> x(rows * Net::input_shape::size), y(rows * Net::output_shape::size);
        for (T& value : x) value = static_cast<T>(random.normal());
        AlignedBuffer<T> workspace{Some::template workspace_bytes<P, 2> / sizeof(T) + 16};
        for (std::size_t r = 0; r < rows; r += 2)
            infer<Some, 2>(rows - r < 2 ? 1 : 2, some.parameters().data(), x.data() + r * Net::input_shape::size,
                           y.data() + r * Net::output_shape::size, workspace.data());
        return y;
    };
    const std::vector<T> written = run(model), made = run(*folded_model);
    double worst = 0.0, largest = 0.0;
    for (std::size_t i = 0; i < written.size(); ++i) {
        const double error = std::fabs(static_cast<double>(written[i]) - static_cast<double>(made[i]));
        if (!(error <= worst)) worst = error;
        largest = std::fmax(largest, std::fabs(static_cast<double>(written[i])));
    }
    return worst / largest;
}

template <class Net>
void agree()
{
    static_assert(folded<Net>::parameter_count < Net::parameter_count);
    const char* which = __PRETTY_FUNCTION__;
    CAPTURE(which);
    {
        const auto model = std::make_unique<Model<Net, Float64>>(Seed{3});
        shake_norms(model->parameters(), 4);
        CHECK(difference(*model, 3) < 1e-13);
    }
    const auto model = std::make_unique<Model<Net>>(Seed{3});
    shake_norms(model->parameters(), 4);
    const std::uint64_t before = model->parameters().fingerprint();
    CHECK(difference(*model, 3) < 2e-5);
    CHECK(model->parameters().fingerprint() == before);  // the given weights stay
}

}  // namespace

TEST_CASE("the zoo") { agree<zoo::ResNet8>(); }
TEST_CASE("the zoo: depthwise convolutions")
{
    agree<zoo::DsCnn>();
    agree<zoo::MobileNetV1Quarter>();
}
TEST_CASE("the zoo: dense layers") { agree<zoo::Autoencoder>(); }

TEST_CASE("every layer that takes a BatchNorm in, at sizes that fill no vector")
{
    agree<Network<Input<7>, Dense<5, NoBias>, BatchNorm, Tanh, Dense<19>, BatchNorm, BatchNorm>>();
    agree<Network<Input<7, 6, 3>, Conv2D<5, Kernel<3>, Stride<2>, NoBias>, BatchNorm, ReLU, MaxPool2D<2>>>();
    agree<Network<Input<6, 6, 4>, Conv2D<6, Kernel<3>, Groups<2>>, BatchNorm, ReLU>>();
    agree<Network<Input<6, 6, 4>, Conv2D<34, Kernel<3>, Groups<2>, NoBias>, BatchNorm>>();
    agree<Network<Input<6, 7, 17>, DepthwiseConv2D<Kernel<2, 3>, NoBias>, BatchNorm, DepthwiseConv2D<Kernel<3>>,
                  BatchNorm>>();
    agree<Network<Input<11, 3>, Conv1D<4, Kernel<3>, Dilation<2>>, BatchNorm, SiLU>>();
    agree<Network<Input<3, 4, 5>, Conv2DTranspose<3, Kernel<3, 2>, Stride<2>>, BatchNorm, ReLU,
                  Conv2DTranspose<17, Kernel<1>, NoBias>, BatchNorm>>();
    agree<Network<Input<1, 1, 1>, Conv2D<1, Kernel<1>>, BatchNorm>>();
}

TEST_CASE("through blocks, with statistics that stay before, between and behind")
{
    using Bn = BatchNormWith<VarianceEpsilon<1, 50>>;
    agree<Network<Input<6>, Bn, Dense<5>, Bn, Tanh, Bn, Dense<3>, Dropout<Rate<1, 2>>, Bn>>();
    agree<Network<Input<6>, Residual<Dense<6>, Bn, Tanh, Bn>, Bn,
                  Concat<Sequential<Dense<3>, Bn>, Bn, Sequential<Bn, Dense<2, NoBias>, Bn>>, Bn,
                  Repeat<2, Sequential<Dense<11>, Bn, Tanh, Bn>>, Add<Sequential<Dense<4>, Bn>, Dense<4>>, Bn>>();
    agree<Network<Input<6, 6, 3>, SeparableConv2D<5, Kernel<3>>, Bn, ReLU, Sequential<Sequential<Conv2D<4, Kernel<2>>>>,
                  Sequential<Bn, ReLU, Conv2D<3, Kernel<2>>>, Sequential<Bn>, Flatten, Bn>>();
}

TEST_CASE("parameters and frozen weights are folded alike")
{
    using Net = Network<Input<5>, Dense<3, NoBias>, BatchNorm, ReLU, Dense<2>>;
    Model<Net> model{Seed{5}};
    shake_norms(model.parameters(), 6);
    FrozenWeights<Net> frozen{};
    for (std::size_t i = 0; i < frozen.size(); ++i) frozen.values[i] = model.parameters().data()[i];
    const Parameters<folded<Net>> parameters = fold_batch_norm(model.parameters());
    const FrozenWeights<folded<Net>> constants = fold_batch_norm(frozen);
    const Model<folded<Net>> whole = fold_batch_norm(model);
    REQUIRE(parameters.size() == constants.size());
    for (std::size_t i = 0; i < constants.size(); ++i) {
        CHECK(parameters.data()[i] == constants.values[i]);
        CHECK(whole.parameters().data()[i] == constants.values[i]);
    }
}

TEST_CASE("what is folded is what the formula says, and padding stays zero")
{
    using Net = Network<Input<2, 2, 2>, Conv2D<3, Kernel<1, 2>>, BatchNormWith<VarianceEpsilon<1, 4>>>;
    Model<Net, Float64> model{Seed{5}};
    shake_norms(model.parameters(), 6);
    const Model<folded<Net>, Float64> made = fold_batch_norm(model);
    const auto& slots = model.parameters().slots();  // kernel, bias, gamma, beta, moving_mean, moving_variance
    const auto given = [&](std::size_t s, std::size_t i) { return model.parameters().logical(slots[s], i); };
    double sum = 0.0;
    for (std::size_t f = 0; f < 3; ++f) {
        const double factor = given(2, f) / std::sqrt(given(5, f) + 0.25);
        for (std::size_t k = 0; k < 4; ++k) {
            const double want = given(0, 3 * k + f) * factor;
            CHECK(made.parameters().logical(made.parameters().slots()[0], 3 * k + f) ==
                  doctest::Approx(want).epsilon(1e-14));
            sum += std::fabs(made.parameters().logical(made.parameters().slots()[0], 3 * k + f));
        }
        const double want = (given(1, f) - given(4, f)) * factor + given(3, f);
        CHECK(made.parameters().logical(made.parameters().slots()[1], f) == doctest::Approx(want).epsilon(1e-14));
        sum += std::fabs(made.parameters().logical(made.parameters().slots()[1], f));
    }
    for (std::size_t i = 0; i < made.parameters().size(); ++i) sum -= std::fabs(made.parameters().data()[i]);
    CHECK(std::fabs(sum) < 1e-12);
}
