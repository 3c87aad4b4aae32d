// SPDX-License-Identifier: BSL-1.0
// freeze_bits: FrozenWeights from the bits of all values, as export_header writes them. A hundred thousand values compile in 0.2 s:
// they come as a string, which compilers read at once, and where the kernels' order is the logical one (processors without
// vectors) they are taken as they are.
#pragma once

#include <tenon/model/frozen.hpp>

#include <bit>

namespace tenon::inline TENON_ISA {

// The bits of N values of type char16_t or char32_t, and the end of the string that they were.
template <class Unit, std::size_t N>
struct FrozenBits {
    Unit at[N + 1];
};

namespace detail {

// Whether values lie in logical order, with registers of so many lanes.
template <class Layout, std::size_t Lanes>
inline constexpr bool keeps_order = std::is_same_v<Layout, layout::RowMajor> ||
                                    (Lanes == 1 && (std::is_same_v<Layout, layout::Panels> ||
                                                    std::is_same_v<Layout, layout::PanelBias> ||
                                                    std::is_same_v<Layout, layout::ConvKernel<1>> ||
                                                    std::is_same_v<Layout, layout::ConvBias<1>>));

// Whether all values of a chain, or of one layer, do.
template <class C, std::size_t Lanes>
constexpr bool chain_keeps_order();
template <class B, std::size_t Lanes>
constexpr bool layer_keeps_order()
{
    if constexpr (HasBranches<B>) {
        return []<class... Cs>(List<Cs...>) {
            return (chain_keeps_order<Cs, Lanes>() && ...);
        }(typename B::rule::branches{});
    } else {
        const auto all = []<class... Ss>(Slots<Ss...>) { return (keeps_order<typename Ss::layout, Lanes> && ...); };
        return all(role_slots<B, Role::learned>) && all(role_slots<B, Role::statistics>);
    }
}
template <class C, std::size_t Lanes>
constexpr bool chain_keeps_order()
{
    bool all = true;
    C::for_each([&]<std::size_t I>() { all = all && layer_keeps_order<typename C::template bound<I>, Lanes>(); });
    return all;
}

template <class Net, class P>
struct FrozenAndEnd {
    FrozenWeights<Net, P> weights;
    stored_t<P> end;
};

}  // namespace detail

// The values of bits, as what a table of them points to.
template <class T, std::size_t N>
struct FrozenValues {
    T at[N + 1];
};
template <class T, class Unit, std::size_t N>
constexpr FrozenValues<T, N> values_of(const FrozenBits<Unit, N>& bits)
{
    return std::bit_cast<FrozenValues<T, N>>(bits);
}

// bits: of all learned values slot by slot in logical (Keras) order, then of all running statistics.
template <class Net, class P, class Unit, std::size_t N>
constexpr FrozenWeights<Net, P> freeze_bits(const FrozenBits<Unit, N>& bits)
{
    using stored = stored_t<P>;
    using scalar = typename P::scalar;
    constexpr bool fits = N == Net::parameter_count && sizeof(Unit) == sizeof(stored);
    static_assert(fits,
                  "tenon: freeze_bits takes exactly as many values as the network has parameters, of their size.");
    if constexpr (!fits) {
        return FrozenWeights<Net, P>{};
    } else if constexpr (detail::chain_keeps_order<typename Net::chain, simd::width<scalar>>() &&
                         FrozenWeights<Net, P>::storage == N && sizeof(detail::FrozenAndEnd<Net, P>) == sizeof(bits))
    {
        return std::bit_cast<detail::FrozenAndEnd<Net, P>>(bits).weights;
    } else {
        FrozenWeights<Net, P> frozen{};
        std::size_t next = 0;
        for (const Role role : {Role::learned, Role::statistics})
            for (const SlotInfo& slot : slot_table<Net, scalar>) {
                if (slot.role != role) continue;
                // Compilers limit the steps of a loop, not of loops within loops.
                for (std::size_t begin = 0; begin < slot.size; begin += 4096)
                    for (std::size_t i = begin; i < slot.size && i < begin + 4096; ++i)
                        frozen.values[slot.offset + slot.index(i)] = std::bit_cast<stored>(bits.at[next++]);
            }
        return frozen;
    }
}

}  // namespace tenon
