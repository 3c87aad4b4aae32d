// SPDX-License-Identifier: BSL-1.0
// Random numbers with the same bits on every platform: a counter-based generator, so that what a draw returns depends on
// (seed, stream, counter) alone and never on a thread or on the order of other draws.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>
#include <cstdint>

namespace tenon::inline TENON_ISA {

// A seed with a name, so that Model{Seed{42}} cannot be read as a size.
struct Seed {
    std::uint64_t value = 0;
};

// splitmix64's finaliser (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"): a bijection of
// 64 bits that passes BigCrush on consecutive inputs spaced by the golden gamma.
constexpr std::uint64_t mix_bits(std::uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

class Random {
public:
    constexpr explicit Random(Seed seed, std::uint64_t stream = 0)
        : state_{mix_bits(seed.value + golden_gamma) ^ mix_bits(stream * 0xd1342543de82ef95u + 1)}
    {}

    // 64 independent bits; the counter-th draw can be had directly by bits_at.
    constexpr std::uint64_t bits() { return bits_at(counter_++); }
    constexpr std::uint64_t bits_at(std::uint64_t counter) const
    {
        return mix_bits(state_ + (counter + 1) * golden_gamma);
    }

    // Uniform in [0, 1), a multiple of 2^-53.
    constexpr double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

    // Uniform in {0, …, bound - 1} without bias (rejection; Lemire 2019 needs 128-bit products that Cortex-M lacks).
    constexpr std::uint64_t below(std::uint64_t bound)
    {
        const std::uint64_t limit = bound * (~std::uint64_t{0} / bound);
        std::uint64_t draw = bits();
        while (draw >= limit) draw = bits();
        return draw % bound;
    }

    // Standard normal as a sum-free inverse-free method with basic arithmetic only, so that every platform gives the
    // same bits: Marsaglia's polar method needs log, which differs between libraries; the ratio of uniforms
    // (Kinderman & Monahan 1977, with Leva's 1992 quadratic bounds and his exact final test) needs it in 1.2 % of draws,
    // where a short series in plain arithmetic serves.
    constexpr double normal()
    {
        for (;;) {
            const double u = 1.0 - uniform();  // (0, 1]
            const double v = 1.7156 * (uniform() - 0.5);
            const double x = u - 0.449871;
            const double y = (v < 0 ? -v : v) + 0.386595;
            const double q = x * x + y * (0.196 * y - 0.25472 * x);
            if (q < 0.27597) return v / u;
            if (q > 0.27846) continue;
            if (v * v <= -4.0 * natural_log(u) * u * u) return v / u;
        }
    }

    // Fisher–Yates over `count` indices, from the end.
    template <class Index>
    constexpr void shuffle(Index* first, std::size_t count)
    {
        for (std::size_t i = count; i > 1; --i) {
            const auto j = static_cast<std::size_t>(below(i));
            const Index kept = first[i - 1];
            first[i - 1] = first[j];
            first[j] = kept;
        }
    }

private:
    static constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15u;

    // log(u) for u in (0, 1]: halvings to [sqrt(1/2), sqrt(2)), then 2 atanh((u-1)/(u+1)) by its series.
    static constexpr double natural_log(double u)
    {
        int halvings = 0;
        while (u < 0.70710678118654752) {
            u *= 2;
            ++halvings;
        }
        const double z = (u - 1) / (u + 1), z2 = z * z;
        double power = z, sum = 0;
        for (int n = 1; n <= 21; n += 2) {
            sum += power / n;
            power *= z2;
        }
        return 2 * sum - halvings * 0.69314718055994531;
    }

    std::uint64_t state_;
    std::uint64_t counter_ = 0;
};

}  // namespace tenon
