// SPDX-License-Identifier: BSL-1.0
// Numbers of 16 bits against their definition, all of them; and models that store their parameters so: the bits of the float
// model with the same values, the promised error against the one they were rounded from, files.
#include <tenon/inference.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/model/int8.hpp>
#include <tenon/model/stored.hpp>
#include <tenon/network/summary.hpp>

#include "support/files.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace tenon;

namespace {

// What a pattern means, by the definition: sign, exponent and mantissa with `fraction` bits.
double meaning(std::uint32_t bits, int exponent_bits, int fraction)
{
    const std::uint32_t mantissa = bits & ((1u << fraction) - 1);
    const std::uint32_t exponent = bits >> fraction & ((1u << exponent_bits) - 1);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const double sign = bits >> 15 != 0 ? -1.0 : 1.0;
    if (exponent + 1 == 1u << exponent_bits)
        return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - fraction);
    return sign * std::ldexp((1u << fraction) + mantissa, static_cast<int>(exponent) - bias - fraction);
}

template <class H>
H pattern(std::uint32_t bits)
{
    H half{};
    half.bits = static_cast<std::uint16_t>(bits);
    return half;
}

bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

// Every pattern is what it means and comes back from it; what lies between two neighbours goes to the nearer, from the middle
// to the even one.
template <class H>
void check_all(int exponent_bits, int fraction)
{
    std::size_t wrong = 0;
    const std::uint32_t infinite = ((1u << exponent_bits) - 1) << fraction;
    for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
        const float value = pattern<H>(bits);
        const double meant = meaning(bits, exponent_bits, fraction);
        if (meant != meant) {
            wrong += value == value;
            wrong += (H(value).bits | 1u << (fraction - 1)) != (bits | 1u << (fraction - 1));  // made quiet
            continue;
        }
        wrong += !same(value, static_cast<float>(meant)) || H(value).bits != bits;
        if ((bits & 0x7fffu) >= infinite) continue;
        const std::uint32_t up = bits + 1;  // the next larger in size, infinity as if it were a number
        double next = meaning(up, exponent_bits, fraction);
        if ((up & 0x7fffu) == infinite) next = 2.0 * meant - meaning(bits - 1, exponent_bits, fraction);
        const double middle = meant + (next - meant) / 2.0;
        const auto tie = static_cast<float>(middle);
        if (static_cast<double>(tie) != middle) continue;  // below the floats' own subnormals
        const float before = std::nextafter(tie, 0.0f),
                    after = std::nextafter(tie, std::copysign(std::numeric_limits<float>::infinity(), tie));
        wrong += H(tie).bits != (bits % 2 == 0 ? bits : up);
        wrong += before != tie && std::abs(static_cast<double>(before)) >= std::abs(meant) && H(before).bits != bits;
        wrong += std::isfinite(after) && H(after).bits != up;
    }
    CHECK(wrong == 0);
}

template <class H, std::size_t W>
void check_packs()
{
    if constexpr (simd::has_width<float, W>) {
        std::size_t wrong = 0;
        for (std::uint32_t first = 0; first < 0x10000u; first += W) {
            H halves[W];
            for (std::size_t i = 0; i < W; ++i) halves[i] = pattern<H>(static_cast<std::uint32_t>(first + i));
            float lanes[W];
            simd::load_widened<simd::Pack<float, W>>(halves).store(lanes);
            for (std::size_t i = 0; i < W; ++i) {
                // A processor without the instruction may leave a NaN as it is.
                const float expected = halves[i];
                wrong += expected == expected ? !same(lanes[i], expected) : lanes[i] == lanes[i];
            }
        }
        CHECK(wrong == 0);
    }
}

static_assert(Fp16(65519.0f).bits == 0x7bff && Fp16(65520.0f).bits == 0x7c00 && Fp16(0x1p-25f).bits == 0 &&
              Fp16(0x1.8p-25f).bits == 1 && static_cast<float>(Fp16(-0x1p-24f)) == -0x1p-24f);
static_assert(Bf16(1.00390625f).bits == 0x3f80 && Bf16(1.01171875f).bits == 0x3f82);

using Mlp = Network<Input<37>, Dense<70>, ReLU, Dense<64>, Tanh, Dense<3, NoBias>>;
using Images = Network<Input<12, 12, 3>, Conv2D<8, Kernel<3>, Padding<Same>>, ReLU, MaxPool2D<2>, BatchNorm,
                       Residual<Conv2D<8, Kernel<3>, Padding<Same>>, ReLU>, DepthwiseConv2D<Kernel<3>>, LayerNorm,
                       Concat<Sequential<Conv2D<5, Kernel<1>>, Tanh>, Conv2D<4, Kernel<3>, Padding<Same>>>,
                       Add<Conv2D<6, Kernel<1>>, Conv2D<6, Kernel<3>, Padding<Same>, Groups<3>>>, PReLU,
                       Conv2DTranspose<2, Kernel<2>, Stride<2>>, Flatten, Dense<9>, Softmax>;

template <class Net>
std::vector<float> samples(std::size_t rows)
{
    Random random{Seed{5}};
    std::vector<float> x(rows * Net::input_shape::size);
    for (float& value : x) value = static_cast<float>(random.normal());
    return x;
}

template <class Net, class P, std::size_t R>
std::vector<float> answers(const Model<Net, P>& model, const std::vector<float>& x)
{
    const auto session = std::make_unique<Session<Net, Rows<R>, P>>(model.parameters());
    std::vector<float> y(x.size() / Net::input_shape::size * Net::output_shape::size);
    session->run(x, y);
    return y;
}

template <class P, class Net>
void check_model()
{
    Model<Net> given{Seed{3}};
    for (const SlotInfo& slot : given.parameters().slots())
        for (std::size_t i = 0; i < slot.size; ++i)
            given.parameters().logical(slot, i) += 0.01f * static_cast<float>(i % 7);
    const Model<Net, P> half = store_as<P>(given);
    const Model<Net> rounded = store_as<Float32>(half);
    const std::vector<float> x = samples<Net>(7);
    CHECK(answers<Net, P, 1>(half, x) == answers<Net, Float32, 1>(rounded, x));
    CHECK(answers<Net, P, 5>(half, x) == answers<Net, Float32, 5>(rounded, x));
    const TensorView<const float, typename Net::input_shape> first{x.data()};
    const auto y = half.predict(first), expected = rounded.predict(first);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == expected[i]);
    CHECK(Net::template parameter_bytes<P> * 2 == Net::template parameter_bytes<Float32>);
    CHECK(half.parameters().fingerprint() == store_as<P>(rounded).parameters().fingerprint());
}

}  // namespace

TEST_CASE("binary16: every pattern, and every middle between two") { check_all<Fp16>(5, 10); }
TEST_CASE("bfloat16: every pattern, and every middle between two") { check_all<Bf16>(8, 7); }

TEST_CASE("registers hold what the definition says")
{
    check_packs<Fp16, 1>();
    check_packs<Fp16, 4>();
    check_packs<Fp16, 8>();
    check_packs<Fp16, 16>();
    check_packs<Bf16, 1>();
    check_packs<Bf16, 4>();
    check_packs<Bf16, 8>();
    check_packs<Bf16, 16>();
}

TEST_CASE("a model of 16 bits has the bits of the float model with the same values")
{
    check_model<Float16, Mlp>();
    check_model<BFloat16, Mlp>();
    check_model<Float16, Images>();
    check_model<BFloat16, Images>();
}

TEST_CASE_TEMPLATE("a dense layer is off by half a unit of 16 bits of each product at most", P, Float16, BFloat16)
{
    using Net = Network<Input<200>, Dense<33>>;
    const Model<Net> given{Seed{8}};
    const Model<Net, P> half = store_as<P>(given);
    const std::vector<float> x = samples<Net>(20);
    const std::vector<float> y = answers<Net, P, 4>(half, x);
    const double unit = std::is_same_v<P, Float16> ? 0x1p-11 : 0x1p-8;
    double largest = 0.0;
    for (std::size_t r = 0; r < 20; ++r)
        for (std::size_t j = 0; j < 33; ++j) {
            double sum = given.parameters().template layer<0>().bias(j), size = std::abs(sum);
            for (std::size_t k = 0; k < 200; ++k) {
                const double product = static_cast<double>(x[r * 200 + k]) *
                                       static_cast<double>(given.parameters().template layer<0>().kernel(k, j));
                sum += product;
                size += std::abs(product);
            }
            const double error = std::abs(static_cast<double>(y[r * 33 + j]) - sum) / size;
            largest = error > largest ? error : largest;
        }
    CHECK(largest < unit + 200 * 0x1p-24);
    CHECK(largest > unit / 100);  // it is rounded at all
}

TEST_CASE("constant weights of 16 bits, at compile time and on the heap")
{
    using Net = Network<Input<2>, Dense<3>, ReLU, Dense<2>>;
    static constexpr float values[] = {0.1f, -0.2f, 0.3f, 0.4f, 0.5f, -0.6f, 0.01f, 0.02f, 0.03f,
                                       1.0f, 2.0f,  3.0f, 4.0f, 5.0f, 6.0f,  -1.0f, -2.0f};
    static constexpr auto frozen = freeze<Net, Float16>(values);
    constexpr Tensor<float, Shape<2>> x{{1.0f, -2.0f}};
    constexpr auto y = predict<Net>(frozen, x);
    static_assert(y[0] != 0.0f);
    const Model<Net, Float16> model{frozen};
    const auto z = model.predict(x);
    for (std::size_t i = 0; i < 2; ++i) CHECK(z[i] == doctest::Approx(static_cast<double>(y[i])).epsilon(1e-6));
    static_assert(cost<Net, Float16>::flash * 2 == cost<Net>::flash);
    CHECK(summary<Net, Float16>().find("Weights: ") != std::string::npos);
}

TEST_CASE("too large for 16 bits: the sentence names the place")
{
    using Net = Network<Input<2>, Dense<3>>;
    Model<Net> model{Seed{1}};
    model.parameters().layer<0>().bias(1) = 70000.0f;
    const auto stored = try_store_as<Float16>(model);
    REQUIRE(!stored);
    CHECK(stored.error().starts_with("store_as: dense_1/bias, value 1: expected at most 65504 in size, found 70000"));
    CHECK(try_store_as<BFloat16>(model));
    model.parameters().layer<0>().bias(1) = std::numeric_limits<float>::max();
    const auto wide = try_store_as<BFloat16>(model);
    REQUIRE(!wide);
    CHECK(wide.error().starts_with("store_as: dense_1/bias, value 1: expected at most 3.39e38 in size, found 34028"));
}

TEST_CASE("files: F16 and BF16, read as they are and into floats")
{
    const Model<Mlp> given{Seed{4}};
    const support::Folder folder;
    const auto check = [&]<class P>(P, const char* name, const char* dtype) {
        const Model<Mlp, P> half = store_as<P>(given);
        const std::string path = folder / name;
        save(half, path);
        io::SafetensorsFile file{path};
        CHECK(io::name_of(file.header()[0].dtype) == dtype);
        Model<Mlp, P> again{uninitialized};
        load(again, path);
        CHECK(again.parameters().fingerprint() == half.parameters().fingerprint());
        Model<Mlp> wide{uninitialized};
        load(wide, path);
        CHECK(wide.parameters().fingerprint() == store_as<Float32>(half).parameters().fingerprint());
        Model<Mlp, Float64> wider{uninitialized};
        const auto refused = try_load(wider, path);
        REQUIRE(!refused);
        CHECK(refused.error().find(std::string("expected F64 (37, 70), found ") + dtype) != std::string::npos);
    };
    check(Float16{}, "half.safetensors", "F16");
    check(BFloat16{}, "brain.safetensors", "BF16");
    save(given, folder / "float.safetensors");
    Model<Mlp, Float16> half{uninitialized};
    CHECK(!try_load(half, folder / "float.safetensors"));
}
