// SPDX-License-Identifier: BSL-1.0
// The generator: the same bits everywhere (pinned), draws by counter, moments and bounds of what is made of them.
#include <tenon/core/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

using namespace tenon;

TEST_CASE("the same bits on every platform")
{
    Random random{Seed{42}};
    CHECK(random.bits() == 0x3ba920dc853904fau);
    CHECK(random.bits() == 0xcf83e9d969b12d41u);
    CHECK((Random{Seed{42}, 1}.bits()) == 0xf9601f35701a9793u);
    CHECK((Random{Seed{0}}.bits()) == 0x346dbc0b5711d830u);
    CHECK((Random{Seed{~std::uint64_t{0}}, ~std::uint64_t{0}}.bits()) == 0x53a1997a70e2c6b6u);
    CHECK(Random{Seed{7}}.uniform() == 0x1.e6e91c3ba0d88p-1);
    CHECK(Random{Seed{7}}.normal() == 0x1.3f469da480dcfp+1);
    // The first number of splitmix64 from seed 0, as its reference implementation gives it.
    CHECK(mix_bits(0x9e3779b97f4a7c15u) == 0xe220a8397b1dcdafu);
    // The same while compiling.
    static_assert(Random{Seed{42}}.bits() == Random{Seed{42}}.bits_at(0));
    constexpr double normal = Random{Seed{7}}.normal();
    CHECK(normal == Random{Seed{7}}.normal());
}

TEST_CASE("draws by counter")
{
    Random random{Seed{3}, 5};
    const Random fixed = random;
    for (std::uint64_t i = 0; i < 100; ++i) CHECK(random.bits() == fixed.bits_at(i));
}

TEST_CASE("seeds and streams are independent")
{
    // Close seeds, close streams, and seed and stream exchanged: no draw in common, and bits that agree as often as not.
    std::vector<std::uint64_t> draws;
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        for (std::uint64_t stream = 0; stream < 20; ++stream)
            for (std::uint64_t i = 0; i < 20; ++i) draws.push_back(Random{Seed{seed}, stream}.bits_at(i));
    std::vector<int> ones(64);
    for (const std::uint64_t draw : draws)
        for (std::size_t b = 0; b < 64; ++b) ones[b] += static_cast<int>(draw >> b & 1);
    for (const int count : ones) CHECK(std::abs(count - 4000) < 5 * 45);  // 5 standard deviations of 8000 coins
    std::sort(draws.begin(), draws.end());
    CHECK(std::adjacent_find(draws.begin(), draws.end()) == draws.end());
}

TEST_CASE("uniform")
{
    Random random{Seed{1}};
    double sum = 0, square = 0, least = 1, most = 0;
    constexpr int n = 200000;
    for (int i = 0; i < n; ++i) {
        const double u = random.uniform();
        least = std::min(least, u), most = std::max(most, u);
        sum += u, square += u * u;
        CHECK_MESSAGE(u * 0x1p53 == std::floor(u * 0x1p53), u);
    }
    CHECK(least >= 0.0);
    CHECK(most < 1.0);
    CHECK(least < 1e-4);
    CHECK(most > 1 - 1e-4);
    CHECK(std::fabs(sum / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
    CHECK(std::fabs(square / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
}

TEST_CASE("normal: moments, tails, and Kolmogorov's distance from the distribution")
{
    Random random{Seed{2}};
    constexpr std::size_t n = 200000;
    std::vector<double> draws(n);
    for (double& draw : draws) draw = random.normal();
    const auto moment = [&](int power) {
        double sum = 0;
        for (const double draw : draws) sum += std::pow(draw, power);
        return sum / static_cast<double>(n);
    };
    const double root = std::sqrt(static_cast<double>(n));
    CHECK(std::fabs(moment(1)) < 5 * 1.0 / root);
    CHECK(std::fabs(moment(2) - 1) < 5 * std::sqrt(2.0) / root);
    CHECK(std::fabs(moment(3)) < 5 * std::sqrt(15.0) / root);
    CHECK(std::fabs(moment(4) - 3) < 5 * std::sqrt(96.0) / root);
    std::sort(draws.begin(), draws.end());
    CHECK(draws.front() < -3.9);
    CHECK(draws.back() > 3.9);
    double distance = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double below = 0.5 * std::erfc(-draws[i] / std::sqrt(2.0));
        distance = std::max(distance, std::fabs(below - static_cast<double>(i) / static_cast<double>(n)));
    }
    CHECK(distance < 1.95 / root);  // exceeded once in a thousand
}

TEST_CASE("below: in range, every value, without bias")
{
    Random random{Seed{3}};
    for (const std::uint64_t bound : {1u, 2u, 3u, 7u, 10u}) {
        std::vector<int> counts(bound);
        constexpr int n = 70000;
        for (int i = 0; i < n; ++i) ++counts.at(random.below(bound));
        const double expected = n / static_cast<double>(bound);
        for (const int count : counts) CHECK(std::fabs(count - expected) < 5 * std::sqrt(expected) + 1e-9);
    }
    // Three quarters of all numbers: without rejection the lowest third would come as often as the other two together.
    const std::uint64_t large = std::uint64_t{3} << 62;
    int lowest = 0;
    for (int i = 0; i < 3000; ++i) {
        const std::uint64_t draw = random.below(large);
        CHECK(draw < large);
        lowest += draw < large / 3;
    }
    CHECK(std::abs(lowest - 1000) < 5 * 26);
    CHECK(random.below(std::uint64_t{1} << 63) < std::uint64_t{1} << 63);
    CHECK(random.below(~std::uint64_t{0}) < ~std::uint64_t{0});
}

TEST_CASE("shuffle: a permutation, every one as often as the others, the same for the same seed")
{
    std::vector<int> counts(24);
    for (std::uint64_t seed = 0; seed < 24000; ++seed) {
        int order[4] = {0, 1, 2, 3};
        Random{Seed{seed}}.shuffle(order, 4);
        std::size_t rank = 0;
        for (int i = 0; i < 4; ++i) {
            std::size_t smaller = 0;
            for (int j = i + 1; j < 4; ++j) smaller += order[j] < order[i];
            rank = rank * static_cast<std::size_t>(4 - i) + smaller;
        }
        ++counts[rank];
    }
    for (const int count : counts) CHECK(std::abs(count - 1000) < 5 * 32);

    std::vector<std::uint32_t> a(1000), b(1000), c(1000);
    std::iota(a.begin(), a.end(), 0u);
    c = b = a;
    Random{Seed{9}}.shuffle(a.data(), a.size());
    Random{Seed{9}}.shuffle(b.data(), b.size());
    Random{Seed{10}}.shuffle(c.data(), c.size());
    CHECK(a == b);
    CHECK(a != c);
    std::sort(a.begin(), a.end());
    for (std::uint32_t i = 0; i < 1000; ++i) CHECK(a[i] == i);
    Random{Seed{1}}.shuffle(static_cast<int*>(nullptr), 0);
    int one = 5;
    Random{Seed{1}}.shuffle(&one, 1);
    CHECK(one == 5);
}
