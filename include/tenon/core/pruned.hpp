// SPDX-License-Identifier: BSL-1.0
// The mark of a pruned weight: negative zero. It counts as zero in every sum, no optimiser makes one out of a weight that
// learns (a difference of equal numbers is +0), biases that start at +0 do not bear it, and it goes wherever weights go:
// into files, checkpoints and copies. So the weights are their own mask.
#pragma once

#include <tenon/core/diagnostics.hpp>
#include <tenon/core/precision.hpp>

#include <bit>
#include <cstdint>
#include <type_traits>

namespace tenon::inline TENON_ISA {

// T: float or double.
template <class T>
inline constexpr T pruned_weight = static_cast<T>(-0.0);

// Whether a weight was pruned: it is negative zero.
template <class T>
constexpr bool is_pruned(T weight)
{
    // By its bits: a comparison calls both zeros equal.
    using Bits = std::conditional_t<sizeof(T) == sizeof(float), std::uint32_t, std::uint64_t>;
    return std::bit_cast<Bits>(weight) == Bits{1} << (8 * sizeof(T) - 1);
}

// Weights are pruned, narrowed and skipped in the precision that is computed in; storing them in 16 bits comes afterwards.
template <class P>
concept Prunable = std::is_floating_point_v<typename P::scalar> && std::is_same_v < stored_t<P>,
typename P::scalar > ;

// Asserts it.
template <class P>
struct CheckPrunable {
    static constexpr bool value = Prunable<P>;
    static_assert(
        Prunable<P>,
        "tenon: weights are pruned, narrowed and skipped in float or double: do it to the Model<Net>, and then "
        "store_as<Float16> or quantize what is left.");
};

}  // namespace tenon
