// SPDX-License-Identifier: BSL-1.0
// Parameters: all values of a network in one flat block, in the kernels' layout: the learned ones, then the running
// statistics. Gradients, moments and averages have the layout of the learned part, so an optimiser is a single loop.
#pragma once

#include <tenon/core/storage.hpp>
#include <tenon/network/slot_table.hpp>

namespace tenon::inline TENON_ISA {

// The logical view of one layer: kernel(i, j), bias(j), or any slot by its number.
template <class B, class T>
class LayerParameters {
    static constexpr std::size_t slot_named(const char* name)
    {
        for (std::size_t i = 0; i < slots_type<B>::size; ++i)
            if (detail::same_name(detail::literal(bound_slots<B>.entries[i].name), detail::literal(name))) return i;
        return slots_type<B>::size;
    }

public:
    explicit LayerParameters(T* base) : view_{base} {}

    // The value at (i, j, …) of the I-th slot, in logical (Keras) order.
    template <std::size_t I, class... Index>
    T& value(Index... index) const requires(I < slots_type<B>::size)
    {
        using S = typename slots_type<B>::template slot<I>;
        using scalar = computed_t<std::remove_const_t<T>>;
        const std::size_t flat = detail::flat_index<typename S::shape>(index...);
        return view_.template get<I>()[S::layout::template index<scalar, typename S::shape>(flat)];
    }

    // kernel: (in, units) for Dense. Layers without such a slot have no such function.
    template <class... Index>
    T& kernel(Index... index) const requires(slot_named("kernel") < slots_type<B>::size)
    {
        return value<slot_named("kernel")>(index...);
    }
    template <class... Index>
    T& bias(Index... index) const requires(slot_named("bias") < slots_type<B>::size)
    {
        return value<slot_named("bias")>(index...);
    }

private:
    ParameterView<B, T> view_;
};

template <class Net, class P = Float32>
class Parameters {
public:
    using network = Net;
    using precision = P;
    using scalar = typename P::scalar;
    using stored = stored_t<P>;

    // Scalars of the learned part, padding included: what an optimiser sees.
    static constexpr std::size_t learned = chain_storage<scalar, typename Net::chain>();
    // Scalars of the whole block.
    static constexpr std::size_t storage = learned + chain_storage<scalar, typename Net::chain, Role::statistics>();

    // All zero.
    Parameters() : block_{storage} {}

    stored* data() { return block_.data(); }
    const stored* data() const { return block_.data(); }
    static constexpr std::size_t size() { return storage; }

    // The I-th layer of the network's list.
    template <std::size_t I>
    auto layer()
    {
        return LayerParameters<typename Net::chain::template bound<I>, stored>{
            data() + chain_offsets<scalar, typename Net::chain>.at[I]};
    }
    template <std::size_t I>
    auto layer() const
    {
        return LayerParameters<typename Net::chain::template bound<I>, const stored>{
            data() + chain_offsets<scalar, typename Net::chain>.at[I]};
    }

    // One logical value of a slot of slot_table<Net, scalar>.
    stored& logical(const SlotInfo& slot, std::size_t i) { return block_[slot.offset + slot.index(i)]; }
    const stored& logical(const SlotInfo& slot, std::size_t i) const { return block_[slot.offset + slot.index(i)]; }

    static constexpr const auto& slots() { return slot_table<Net, scalar>; }

    // A hash of the topology and of the bits of every logical value: equal for equal weights, whatever the instruction set.
    std::uint64_t fingerprint() const
    {
        std::uint64_t hash = Net::hash;
        for (const SlotInfo& slot : slots())
            for (std::size_t i = 0; i < slot.size; ++i) {
                const stored value = logical(slot, i);
                unsigned char bytes[sizeof(stored)];
                std::memcpy(bytes, &value, sizeof(stored));
                std::uint64_t bits = 0;
                for (std::size_t b = 0; b < sizeof(stored); ++b) bits = bits << 8 | bytes[b];
                hash = mix_bits(hash ^ (bits + 0x9e3779b97f4a7c15u));
            }
        return hash;
    }

private:
    AlignedBuffer<stored> block_;
};

}  // namespace tenon
