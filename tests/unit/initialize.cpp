// SPDX-License-Identifier: BSL-1.0
// Initialisers: bounds, moments and fans as Keras states them, orthogonality, and the same weights everywhere.
#include <tenon/layers/layers.hpp>
#include <tenon/model/model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

using namespace tenon;

namespace mine {

// Slots of other ranks than Dense has, for the fans.
template <const Initializer& Kernel>
struct Filters {
    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots =
            tenon::slots(slot<Shape<3, 3, 40, 60>>("convolution", Kernel), slot<Shape<5, 20, 30>>("sequence", Kernel),
                         slot<Shape<900>>("vector", Kernel));
    };
};

inline constexpr Initializer fan_out{init::Kind::fan_out, init::Distribution::uniform, 3.0};
inline constexpr Initializer half = init::constant(0.5);
inline constexpr Initializer twice_orthogonal = init::orthogonal_gain(2.0);

}  // namespace mine

namespace {

struct Statistics {
    double least, most, mean, deviation;
    std::size_t count;
};

template <class Net>
std::vector<double> values_of(const Parameters<Net, Float64>& parameters, std::size_t slot)
{
    std::vector<double> values;
    for (std::size_t i = 0; i < parameters.slots()[slot].size; ++i)
        values.push_back(parameters.logical(parameters.slots()[slot], i));
    return values;
}

Statistics statistics(const std::vector<double>& values)
{
    const double n = static_cast<double>(values.size());
    double sum = 0, square = 0;
    for (const double value : values) sum += value, square += value * value;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    return {*least, *most, sum / n, std::sqrt(square / n - sum / n * (sum / n)), values.size()};
}

// Uniform on ±limit: it is nearly reached, never passed, and the moments are right to five standard errors.
void check_uniform(const Statistics& s, double limit)
{
    const double n = static_cast<double>(s.count), deviation = limit / std::sqrt(3.0);
    CHECK(s.least >= -limit);
    CHECK(s.most <= limit);
    CHECK(s.least < -limit * (1 - 20 / n));
    CHECK(s.most > limit * (1 - 20 / n));
    CHECK(std::fabs(s.mean) < 5 * deviation / std::sqrt(n));
    CHECK(std::fabs(s.deviation / deviation - 1) < 5 * std::sqrt(0.2 / n));
}

// Normal with the given deviation after it was cut off at two of its own.
void check_normal(const Statistics& s, double deviation)
{
    const double n = static_cast<double>(s.count), cut = 2 * deviation / 0.87962566103423978;
    CHECK(s.least >= -cut);
    CHECK(s.most <= cut);
    CHECK(s.least < -0.95 * cut);
    CHECK(s.most > 0.95 * cut);
    CHECK(std::fabs(s.mean) < 5 * deviation / std::sqrt(n));
    CHECK(std::fabs(s.deviation / deviation - 1) < 5 * std::sqrt(0.4 / n));
}

template <const Initializer& Kernel>
Statistics dense_statistics()
{
    const Model<Network<Input<200>, Dense<100, KernelInitializer<Kernel>>>, Float64> model{Seed{8}};
    const std::vector<double> bias = values_of(model.parameters(), 1);
    CHECK(std::all_of(bias.begin(), bias.end(), [](double b) { return b == 0.0; }));
    return statistics(values_of(model.parameters(), 0));
}

}  // namespace

TEST_CASE("variance scaling of a (200, 100) kernel")
{
    check_uniform(dense_statistics<init::glorot_uniform>(), std::sqrt(6.0 / 300));
    check_uniform(dense_statistics<init::he_uniform>(), std::sqrt(6.0 / 200));
    check_uniform(dense_statistics<init::lecun_uniform>(), std::sqrt(3.0 / 200));
    check_uniform(dense_statistics<mine::fan_out>(), std::sqrt(9.0 / 100));
    check_normal(dense_statistics<init::glorot_normal>(), std::sqrt(2.0 / 300));
    check_normal(dense_statistics<init::he_normal>(), std::sqrt(2.0 / 200));
    check_normal(dense_statistics<init::lecun_normal>(), std::sqrt(1.0 / 200));
}

TEST_CASE("fans of filters, sequences and vectors")
{
    const auto check = []<const Initializer& Kernel>(double convolution, double sequence, double vector) {
        const Model<Network<Input<4>, mine::Filters<Kernel>>, Float64> model{Seed{9}};
        check_uniform(statistics(values_of(model.parameters(), 0)), std::sqrt(convolution));
        check_uniform(statistics(values_of(model.parameters(), 1)), std::sqrt(sequence));
        check_uniform(statistics(values_of(model.parameters(), 2)), std::sqrt(vector));
    };
    check.operator()<init::he_uniform>(6.0 / (9 * 40), 6.0 / (5 * 20), 6.0 / 900);
    check.operator()<init::glorot_uniform>(6.0 / (9 * 100), 6.0 / (5 * 50), 6.0 / 1800);
    check.operator()<mine::fan_out>(9.0 / (9 * 60), 9.0 / (5 * 30), 9.0 / 900);
}

TEST_CASE("constants, and the defaults of every layer")
{
    using Net = Network<Input<5>, Dense<4, BiasInitializer<mine::half>, KernelInitializer<init::ones>>, PReLU, LayerNorm,
                        Dense<3>>;
    const Model<Net, Float64> model{Seed{1}};
    const double expected[] = {1.0, 0.5, 0.25, 1.0, 0.0};
    for (std::size_t slot = 0; slot < 5; ++slot)
        for (const double value : values_of(model.parameters(), slot)) CHECK(value == expected[slot]);
    check_uniform(statistics(values_of(Model<Network<Input<60>, Dense<50>>, Float64>{Seed{1}}.parameters(), 0)),
                  std::sqrt(6.0 / 110));  // glorot_uniform, as in Keras
}

TEST_CASE("orthogonal kernels: rows or columns, whichever are fewer")
{
    const auto check = []<std::size_t In, std::size_t Out, const Initializer& Kernel>(double gain) {
        const Model<Network<Input<In>, Dense<Out, KernelInitializer<Kernel>>>, Float64> model{Seed{5}};
        const auto kernel = model.parameters().template layer<0>();
        constexpr std::size_t count = In < Out ? In : Out, length = In < Out ? Out : In;
        for (std::size_t a = 0; a < count; ++a)
            for (std::size_t b = 0; b <= a; ++b) {
                double dot = 0;
                for (std::size_t k = 0; k < length; ++k)
                    dot += In < Out ? kernel.kernel(a, k) * kernel.kernel(b, k) : kernel.kernel(k, a) * kernel.kernel(k, b);
                CHECK(std::fabs(dot - (a == b ? gain * gain : 0.0)) < 1e-14 * 4);
            }
    };
    check.operator()<30, 12, init::orthogonal>(1);
    check.operator()<12, 30, init::orthogonal>(1);
    check.operator()<20, 20, init::orthogonal>(1);
    check.operator()<1, 7, init::orthogonal>(1);
    check.operator()<20, 9, mine::twice_orthogonal>(2);
    // Directions are drawn evenly: neither sign prevails.
    const Model<Network<Input<100>, Dense<100, KernelInitializer<init::orthogonal>>>, Float64> model{Seed{6}};
    const Statistics s = statistics(values_of(model.parameters(), 0));
    CHECK(std::fabs(s.mean) < 5 * 0.1 / 100);
}

namespace {

template <class... Layers>
std::uint64_t weights(std::uint64_t seed)
{
    return Model<Network<Input<20>, Layers...>>{Seed{seed}}.parameters().fingerprint();
}

}  // namespace

TEST_CASE("a seed gives the same weights on every compiler and instruction set, for ever")
{
    using Orthogonal = KernelInitializer<init::orthogonal>;
    CHECK((weights<Dense<30>, ReLU, Dense<10>>(42)) == 0xd335eb65ac62e09du);
    CHECK((weights<Dense<30, KernelInitializer<init::he_normal>>, ReLU, Dense<10, KernelInitializer<init::lecun_uniform>>>(
              42)) == 0x6dd4a721f42ccb8du);
    CHECK((Model<Network<Input<20>, Dense<30>, ReLU, Dense<10>>, Float64>{Seed{42}}.parameters().fingerprint()) ==
          0x634b7f7a2610891du);
    CHECK((Model<Network<Input<120>, Dense<90, Orthogonal>, ReLU, Dense<100, Orthogonal>>, Float64>{Seed{42}}
               .parameters()
               .fingerprint()) == 0x4f7fc9fd5526126fu);
}

TEST_CASE("seeds differ, slots differ, and precision only rounds")
{
    CHECK((weights<Dense<30>>(1)) == (weights<Dense<30>>(1)));
    CHECK((weights<Dense<30>>(1)) != (weights<Dense<30>>(2)));
    using Net = Network<Input<20>, Dense<20>, Dense<20>>;
    const Model<Net, Float64> fine{Seed{3}};
    const Model<Net> coarse{Seed{3}};
    CHECK(values_of(fine.parameters(), 0) != values_of(fine.parameters(), 2));
    for (std::size_t s = 0; s < 4; ++s)
        for (std::size_t i = 0; i < fine.parameters().slots()[s].size; ++i)
            CHECK(coarse.parameters().logical(coarse.parameters().slots()[s], i) ==
                  static_cast<float>(fine.parameters().logical(fine.parameters().slots()[s], i)));
}

TEST_CASE("padding stays zero")
{
    using Net = Network<Input<7>, Dense<13>, PReLU, Dense<3>>;
    const Model<Net> model{Seed{3}};
    const Parameters<Net>& parameters = model.parameters();
    std::vector<bool> logical(parameters.size(), false);
    for (const SlotInfo& slot : parameters.slots())
        for (std::size_t i = 0; i < slot.size; ++i) logical[slot.offset + slot.index(i)] = true;
    for (std::size_t i = 0; i < parameters.size(); ++i)
        if (!logical[i]) CHECK(parameters.data()[i] == 0.0f);
}

TEST_CASE("one slot can be filled anew")
{
    using Net = Network<Input<7>, Dense<13>>;
    Model<Net, Float64> model{uninitialized};
    const SlotInfo& bias = model.parameters().slots()[1];
    initialize_slot(model.parameters(), bias, init::constant(2.0), Seed{1}, 1);
    for (const double value : values_of(model.parameters(), 0)) CHECK(value == 0.0);
    for (const double value : values_of(model.parameters(), 1)) CHECK(value == 2.0);
}
