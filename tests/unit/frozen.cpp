// SPDX-License-Identifier: BSL-1.0
// Frozen weights predict at run time what the compiler evaluated, and what a model with the same weights predicts.
#include <tenon/layers/layers.hpp>
#include <tenon/model/model.hpp>

#include <doctest/doctest.h>

#include <support/predictions.hpp>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

using namespace tenon;

namespace {

using Net = Network<Input<7>, Dense<18>, Tanh, LayerNorm, Residual<Dense<18, NoBias>, SiLU>, PReLU,
                    Concat<Dense<2>, Sequential<Dense<3>, Sigmoid>>, Dense<5>, Softmax>;

// Numbers that are no round ones, while compiling.
template <class N>
struct Values {
    float logical[N::parameter_count];
};
template <class N>
constexpr Values<N> drawn = [] {
    Values<N> values{};
    Random random{Seed{1}};
    for (float& value : values.logical) value = static_cast<float>(random.uniform() - 0.5);
    return values;
}();

constexpr auto weights = freeze<Net>(drawn<Net>.logical);
constexpr Tensor<float, Shape<7>> sample{0.5f, -1.25f, 2.0f, 0.0f, -0.75f, 1.0f, 3.0f};
constexpr auto compiled = predict<Net>(weights, sample);

}  // namespace

TEST_CASE("the compiler, the processor and a formula agree")
{
    const auto y = predict<Net>(weights, sample);
    const std::vector<double> formula = naive::predict<Net>(
        {std::begin(drawn<Net>.logical), std::end(drawn<Net>.logical)}, {sample.begin(), sample.end()});
    // One evaluates with other instructions than the other, and sums in another order.
    for (std::size_t i = 0; i < 5; ++i) CHECK(std::fabs(y[i] - compiled[i]) < 1e-6f);
    CHECK(predictions::difference(compiled.data(), formula) < 1e-6);
    CHECK(predictions::difference(y.data(), formula) < 1e-6);
}

TEST_CASE("a model made from frozen weights has the same ones")
{
    const Model<Net> model{weights};
    const std::vector<double> logical = naive::logical(model.parameters());
    REQUIRE(logical.size() == Net::parameter_count);
    for (std::size_t i = 0; i < logical.size(); ++i) CHECK(logical[i] == static_cast<double>(drawn<Net>.logical[i]));
    CHECK(model.predict(sample) == predict<Net>(weights, sample));
    Session<Net> session{weights};
    CHECK(session.run(sample) == model.predict(sample));
    CHECK(weights.size() == model.parameters().size());
}

TEST_CASE("frozen weights are aligned for the kernels")
{
    static constexpr auto local = freeze<Net>(drawn<Net>.logical);
    CHECK(reinterpret_cast<std::uintptr_t>(weights.data()) % alignof(decltype(weights)) == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(local.data()) % (simd::width<float> == 1 ? 4 : 64) == 0);
    CHECK(sizeof(weights) >= Net::parameter_bytes<Float32>);
}
