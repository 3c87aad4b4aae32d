// SPDX-License-Identifier: BSL-1.0
// FrozenWeights: a network's parameters as a constant, laid out for the kernels by the compiler. They live in flash, need
// no start-up code, and the network can be evaluated at compile time.
#pragma once

#include <tenon/network/slot_table.hpp>
#include <tenon/passes/inference.hpp>

namespace tenon::inline TENON_ISA {

template <class Net, class P = Float32>
struct FrozenWeights {
    using network = Net;
    using precision = P;
    using scalar = typename P::scalar;
    using stored = stored_t<P>;

    static constexpr std::size_t storage = Net::template parameter_bytes<P> / sizeof(stored);

    alignas(simd::width<scalar> == 1 ? alignof(stored) : 64) stored values[storage == 0 ? 1 : storage];

    constexpr const stored* data() const { return values; }
    static constexpr std::size_t size() { return storage; }
};

// Weights of another topology are refused by type: the message names both networks.
template <class Given, class Wanted>
struct WeightsBelongTo {
    static constexpr bool value = std::is_same_v<Given, Wanted>;
    static_assert(std::is_same_v<Given, Wanted>,
                  "tenon: these weights belong to another topology than the network that is to use them.");
};

// From an array in logical (Keras) order: kernel (in, out), then bias, layer by layer; exactly Net::parameter_count values.
template <class Net, class P = Float32, class T, std::size_t Count>
constexpr FrozenWeights<Net, P> freeze(const T (&logical)[Count])
{
    static_assert(Count == Net::parameter_count,
                  "tenon: freeze takes exactly as many values as the network has parameters.");
    FrozenWeights<Net, P> frozen{};
    if constexpr (Count == Net::parameter_count) {
        std::size_t next = 0;
        for (const SlotInfo& slot : slot_table<Net, typename P::scalar>)
            for (std::size_t i = 0; i < slot.size; ++i)
                frozen.values[slot.offset + slot.index(i)] = static_cast<stored_t<P>>(
                    static_cast<typename P::scalar>(logical[next++]));
    }
    return frozen;
}

}  // namespace tenon
