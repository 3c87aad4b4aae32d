// SPDX-License-Identifier: BSL-1.0
// The integer kernels against their naive twins: every bit, over sizes, tails, strides, paddings, groups and zero points.
#include <tenon/core/random.hpp>
#include <tenon/kernels/int8_windows.hpp>
#include <tenon/kernels/reference/int8.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace tenon;

namespace {

namespace i8 = simd::int8;

// A layer with random integers, packed for the kernels and as the twins read it.
struct Problem {
    std::vector<std::int8_t> w, packed, shifts;
    std::vector<std::int32_t> bias, packed_bias, multiplier, shift, multipliers;
    Int8Linear layer{};
    kernels::reference::Int8Factors factors{};

    Problem(const i8::Layout& l, std::size_t groups, bool depthwise, std::size_t channels, std::size_t inputs,
            Random& random, bool kernel_zero, bool extremes)
    {
        const auto byte = [&] {
            if (extremes) return static_cast<std::int8_t>(random.below(2) == 0 ? -128 : 127);
            return static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
        };
        w.resize(inputs * channels);
        for (std::int8_t& value : w) value = byte();
        const std::size_t per_group = channels / groups, padded = depthwise ? channels : groups * l.channels();
        packed.assign(depthwise ? w.size() : groups * l.size(), 0);
        packed_bias.assign(padded, 0);
        multipliers.assign(padded, 0);
        shifts.assign(padded, 0);
        factors.input_zero = static_cast<std::int32_t>(random.below(256)) - 128;
        factors.kernel_zero = kernel_zero ? static_cast<std::int32_t>(random.below(256)) - 128 : 0;
        factors.output_zero = static_cast<std::int32_t>(random.below(256)) - 128;
        factors.lowest = random.below(2) == 0 ? -128 : factors.output_zero;
        factors.highest = random.below(2) == 0 ? 127 : factors.lowest + 20 < 127 ? factors.lowest + 20 : 127;
        const std::int32_t moved = factors.input_zero + i8::offset;
        for (std::size_t f = 0; f < channels; ++f) {
            bias.push_back(static_cast<std::int32_t>(random.below(20001)) - 10000);
            // Outputs over the whole range, and some shifts to the left.
            const double spread = 74.0 * 74.0 * std::sqrt(static_cast<double>(inputs) + 1.0);
            const FixedPoint factor = fixed_point(random.below(16) == 0 ? 1.5 + 3.0 * random.uniform()
                                                                        : (0.2 + random.uniform()) * 100.0 / spread);
            multiplier.push_back(factor.multiplier);
            shift.push_back(factor.shift);
            const std::size_t group = f / per_group, n = f % per_group;
            const std::size_t place = depthwise ? f : group * l.channels() + n;
            std::int32_t total = 0;
            for (std::size_t k = 0; k < inputs; ++k) {
                total += w[k * channels + f];
                if (depthwise)
                    packed[k * channels + f] = w[k * channels + f];
                else
                    packed[group * l.size() + l.index(k, n)] = w[k * channels + f];
            }
            packed_bias[place] = depthwise ? bias[f]
                                           : bias[f] - moved * total +
                                                 factors.kernel_zero * static_cast<std::int32_t>(inputs) * moved;
            multipliers[place] = factor.multiplier;
            shifts[place] = static_cast<std::int8_t>(factor.shift);
        }
        factors.multiplier = multiplier.data();
        factors.shift = shift.data();
        layer = {packed.data(),
                 packed_bias.data(),
                 multipliers.data(),
                 shifts.data(),
                 static_cast<std::int16_t>(factors.kernel_zero),
                 static_cast<std::int8_t>(factors.input_zero),
                 static_cast<std::int8_t>(factors.output_zero),
                 static_cast<std::int8_t>(factors.lowest),
                 static_cast<std::int8_t>(factors.highest)};
    }
};

std::vector<std::int8_t> activations(std::size_t n, Random& random)
{
    std::vector<std::int8_t> x(n);
    for (std::int8_t& value : x) value = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
    return x;
}

// Rows of memory as wide as a cache line.
struct Scratch {
    explicit Scratch(std::size_t bytes) : memory(bytes / 64 + 1) {}
    std::int8_t* data() { return reinterpret_cast<std::int8_t*>(memory.data()); }
    struct Line {
        alignas(64) std::int8_t bytes[64];
    };
    std::vector<Line> memory;
};

// The largest layout bias: the last panel must not write behind the outputs.
constexpr std::int8_t guard = 77;

void check_dense(std::size_t rows, std::size_t inputs, std::size_t units, Random& random, bool extremes = false)
{
    const Problem p(kernels::int8_dense_layout(inputs, units), 1, false, units, inputs, random, random.below(3) == 0,
                    extremes);
    std::vector<std::int8_t> x = activations(rows * inputs, random);
    if (extremes)
        for (std::int8_t& value : x) value = value < 0 ? -128 : 127;
    std::vector<std::int8_t> expected(rows * units + 16, guard), y(rows * units + 16, guard);
    kernels::reference::int8_dense(rows, inputs, units, x.data(), p.w.data(), p.bias.data(), p.factors,
                                   expected.data());
    Scratch scratch(kernels::int8_dense_scratch(rows, inputs));
    kernels::int8_dense(rows, inputs, units, x.data(), p.layer, y.data(), scratch.data());
    CAPTURE(rows);
    CAPTURE(inputs);
    CAPTURE(units);
    CHECK(y == expected);
}

ConvShape random_shape(Random& random, std::size_t groups)
{
    ConvShape s{};
    s.groups = groups;
    s.kernel_height = 1 + random.below(4);
    s.kernel_width = 1 + random.below(4);
    s.stride_height = 1 + random.below(3);
    s.stride_width = 1 + random.below(3);
    s.dilation_height = 1 + random.below(2);
    s.dilation_width = 1 + random.below(2);
    const std::size_t down = (s.kernel_height - 1) * s.dilation_height,
                      across = (s.kernel_width - 1) * s.dilation_width;
    s.top = random.below(down + 1);
    s.bottom = random.below(down + 1);
    s.left = random.below(across + 1);
    s.right = random.below(across + 1);
    s.height = down + 1 + random.below(9);
    s.width = across + 1 + random.below(18);
    s.channels = groups * (1 + random.below(9));
    s.filters = groups * (1 + random.below(70));
    s.out_height = (s.padded_height() - down - 1) / s.stride_height + 1;
    s.out_width = (s.padded_width() - across - 1) / s.stride_width + 1;
    return s;
}

}  // namespace

TEST_CASE("int8: dense over all small sizes")
{
    Random random{Seed{1}};
    for (std::size_t inputs = 1; inputs <= 65; ++inputs)
        for (const std::size_t units :
             {1u, 3u, 4u, 5u, 8u, 10u, 16u, 17u, 31u, 32u, 33u, 48u, 63u, 64u, 65u, 100u, 128u, 130u})
            check_dense(1 + random.below(14), inputs, units, random);
    for (std::size_t units = 1; units <= 65; ++units) check_dense(1 + random.below(14), 20, units, random);
}

TEST_CASE("int8: dense over all numbers of rows")
{
    Random random{Seed{2}};
    for (std::size_t rows = 1; rows <= 33; ++rows)
        for (const std::size_t units : {7u, 16u, 64u, 80u}) check_dense(rows, 37, units, random);
}

TEST_CASE("int8: the largest products do not saturate on the way")
{
    Random random{Seed{3}};
    for (const std::size_t inputs : {2u, 7u, 64u, 784u})
        for (int i = 0; i < 4; ++i) check_dense(3, inputs, 20, random, true);
}

TEST_CASE("int8: convolutions of random geometry")
{
    Random random{Seed{4}};
    for (int i = 0; i < 300; ++i) {
        const ConvShape s = random_shape(random, i % 3 == 0 ? 1 + random.below(4) : 1);
        const std::size_t rows = 1 + random.below(2);
        const Problem p(kernels::int8_conv_layout(s), s.groups, false, s.filters, s.window(), random,
                        random.below(3) == 0, false);
        const std::vector<std::int8_t> x = activations(rows * s.in_size(), random);
        std::vector<std::int8_t> expected(rows * s.out_size() + 16, guard), y(rows * s.out_size() + 16, guard);
        kernels::reference::int8_conv(rows, s, x.data(), p.w.data(), p.bias.data(), p.factors, expected.data());
        Scratch scratch(kernels::int8_conv_scratch(s));
        kernels::int8_conv<false>(rows, s, x.data(), p.layer, y.data(), scratch.data());
        CAPTURE(i);
        REQUIRE(y == expected);

        if (s.out_height < 2 || s.out_width < 2) continue;
        // The maximum of 2 × 2 blocks, taken of sums, is that of outputs.
        const std::size_t h = s.out_height / 2, w = s.out_width / 2;
        std::vector<std::int8_t> pooled(rows * h * w * s.filters + 16, guard), fused = pooled;
        kernels::int8_max_pool(rows, {s.out_height, s.out_width, s.filters, 2, 2, 2, 2, 0, 0, h, w}, expected.data(),
                               pooled.data());
        kernels::int8_conv<true>(rows, s, x.data(), p.layer, fused.data(), scratch.data());
        REQUIRE(fused == pooled);
    }
}

TEST_CASE("int8: depthwise convolutions of random geometry")
{
    Random random{Seed{5}};
    for (int i = 0; i < 100; ++i) {
        ConvShape s = random_shape(random, 1);
        s.channels = s.filters;
        const std::size_t window = s.kernel_height * s.kernel_width;
        const Problem p({window, 1, s.filters}, 1, true, s.filters, window, random, random.below(3) == 0, false);
        const std::vector<std::int8_t> x = activations(s.in_size(), random);
        std::vector<std::int8_t> expected(s.out_size() + 16, guard), y = expected;
        kernels::reference::int8_depthwise(1, s, x.data(), p.w.data(), p.bias.data(), p.factors, expected.data());
        kernels::int8_depthwise(1, s, x.data(), p.layer, y.data());
        REQUIRE(y == expected);
    }
}

TEST_CASE("int8: requantisation of any sum, in vectors as in the definition")
{
    Random random{Seed{6}};
    constexpr std::size_t n = i8::lanes;
    for (int i = 0; i < 200'000 / static_cast<int>(n); ++i) {
        std::int32_t sums[n], multiplier[n];
        std::int8_t shift[n], expected[n], y[n];
        const std::int32_t zero = static_cast<std::int32_t>(random.below(256)) - 128;
        for (std::size_t l = 0; l < n; ++l) {
            multiplier[l] = static_cast<std::int32_t>((std::uint64_t{1} << 30) + random.below(std::uint64_t{1} << 30));
            shift[l] = static_cast<std::int8_t>(static_cast<int>(random.below(35)) - 31);
            // Around the halves, where roundings differ, and anywhere.
            const int width = 1 + static_cast<int>(random.below(31));
            sums[l] = static_cast<std::int32_t>(static_cast<std::uint32_t>(random.bits()) >> (32 - width));
            if (random.below(2) == 0) sums[l] = -sums[l];
            if (random.below(4) == 0) multiplier[l] = 1 << 30;
            if (shift[l] > 0) sums[l] >>= shift[l] + 1;
            expected[l] = i8::requantize(sums[l], multiplier[l], shift[l], zero, -128, 127);
        }
        i8::store(i8::load(sums), 0, {multiplier, shift, zero, -128, 127}, y, n);
        for (std::size_t l = 0; l < n; ++l) {
            CAPTURE(sums[l]);
            CAPTURE(multiplier[l]);
            CAPTURE(static_cast<int>(shift[l]));
            REQUIRE(y[l] == expected[l]);
        }
    }
}

TEST_CASE("int8: floats become integers in vectors as one by one")
{
    Random random{Seed{8}};
    const Affine affine{0.125f, -7};
    std::vector<float> x(10'000);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<float>(60.0 * random.uniform() - 30.0);
        if (i % 3 == 0) x[i] = 0.0625f * std::round(16.0f * x[i]);               // halves
        if (i % 7 == 0) x[i] = std::nextafter(x[i], i % 2 == 0 ? 1e9f : -1e9f);  // and next to them
    }
    x[5] = std::nanf("");
    x[6] = INFINITY;
    x[7] = -INFINITY;
    x[8] = 3e38f;
    std::vector<std::int8_t> q(x.size(), guard);
    const std::size_t done = i8::quantize(x.size() - 3, x.data(), affine, q.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
        CAPTURE(x[i]);
        REQUIRE(q[i] == (i < done ? quantize_value(x[i], affine) : guard));
    }
}

TEST_CASE("int8: softmax is close to the real one, and its outputs are those of TensorFlow Lite's arithmetic")
{
    Random random{Seed{7}};
    const float scale = 0.07f;
    Int8Softmax softmax{fixed_point(static_cast<double>(scale) * 0x1p26), 0};
    softmax.least = -static_cast<std::int32_t>((std::int64_t{31} << 26) >> softmax.factor.shift);
    double worst = 0.0;
    for (int i = 0; i < 500; ++i) {
        const std::vector<std::int8_t> x = activations(10, random);
        std::int8_t y[10];
        kernels::int8_softmax(1, 10, x.data(), softmax, y);
        double sum = 0.0;
        for (const std::int8_t q : x) sum += std::exp(static_cast<double>(scale) * q);
        for (std::size_t c = 0; c < 10; ++c) {
            const double real = std::exp(static_cast<double>(scale) * x[c]) / sum;
            const double error = std::abs((y[c] + 128) / 256.0 - (real > 255.0 / 256.0 ? 255.0 / 256.0 : real));
            worst = error > worst ? error : worst;
        }
    }
    CHECK(worst < 0.55 / 256.0);  // half a step, and what the polynomial leaves
}

TEST_CASE("int8: average pools round halves away from zero")
{
    const std::int8_t x[] = {1, 2, -1, -2, 3, 4, -3, -4};
    std::int8_t y[4];
    kernels::int8_average_pool(1, {1, 8, 1, 1, 2, 1, 2, 0, 0, 1, 4}, x, y);
    CHECK(y[0] == 2);   // 1.5
    CHECK(y[1] == -2);  // -1.5
    CHECK(y[2] == 4);
    CHECK(y[3] == -4);
}
