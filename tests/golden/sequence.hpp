// SPDX-License-Identifier: BSL-1.0
// The inputs that the golden data was made from: the C++ half of generate.py's draws, labels_of and order_of.
#pragma once

#include <tenon/core/random.hpp>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace golden {

inline constexpr tenon::Seed seed{2025};

// scale · (multiples of 2^-23 in [-1, 1)); exact in float where scale is a power of two.
template <class T>
std::vector<T> draws(std::uint64_t stream, std::size_t count, double scale = 1.0)
{
    tenon::Random random{seed, stream};
    std::vector<T> values(count);
    for (T& value : values) value = static_cast<T>(scale * (static_cast<double>(random.bits() >> 40) / 0x1p23 - 1.0));
    return values;
}

inline std::vector<std::int32_t> labels(std::uint64_t stream, std::size_t rows, std::size_t classes)
{
    tenon::Random random{seed, stream};
    std::vector<std::int32_t> values(rows);
    for (auto& value : values) value = static_cast<std::int32_t>(random.below(classes));
    return values;
}

inline std::vector<std::uint32_t> order(std::uint64_t stream, std::size_t count)
{
    std::vector<std::uint32_t> values(count);
    std::iota(values.begin(), values.end(), 0u);
    tenon::Random{seed, stream}.shuffle(values.data(), count);
    return values;
}

}  // namespace golden
