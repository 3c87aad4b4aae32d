// SPDX-License-Identifier: BSL-1.0
// The table of a network's parameters: name, logical shape, place and layout of each slot. Everything that moves parameters
// across a border (initialisation, files, firmware headers) is a loop over this table.
#pragma once

#include <tenon/network/network.hpp>

namespace tenon::inline TENON_ISA {

// One slot of a network. Names number the layers of each kind from 1, as dense_1/kernel.
struct SlotInfo {
    detail::NamePart layer;
    std::size_t ordinal;
    const char* slot;
    std::size_t rank;
    const std::size_t* extents;
    std::size_t size;     // logical values
    std::size_t offset;   // first scalar of the slot's storage in the block
    std::size_t storage;  // scalars, padding included
    Initializer initializer;
    Role role;
    std::size_t (*index)(std::size_t logical);  // storage index of a logical (row-major) index, from the offset
};

namespace detail {

// f.operator()<B>(learned, statistics) for each layer of a chain that is not a block, depth first, with its places in the
// two blocks.
template <class T, class C, class F>
constexpr void walk_layers(F& f, std::size_t learned, std::size_t statistics)
{
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        const std::size_t own = learned + chain_offsets<T, C>.at[I];
        const std::size_t own_statistics = statistics + chain_offsets<T, C, Role::statistics>.at[I];
        if constexpr (HasBranches<B>) {
            for_each_index<0, B::rule::branches::size>([&]<std::size_t J>() {
                walk_layers<T, typename B::rule::branches::template at<J>>(
                    f, own + branch_offset<T, B, J>(), own_statistics + branch_offset<T, B, J, Role::statistics>());
            });
        } else {
            f.template operator()<B>(own, own_statistics);
        }
    });
}

template <class T, class C>
constexpr std::size_t count_slots()
{
    std::size_t count = 0;
    auto visit = [&]<class B>(std::size_t, std::size_t) {
        count += role_slots_type<B, Role::learned>::size + role_slots_type<B, Role::statistics>::size;
    };
    walk_layers<T, C>(visit, 0, 0);
    return count;
}

constexpr bool same_name(NamePart a, NamePart b)
{
    if (a.size != b.size) return false;
    for (std::size_t i = 0; i < a.size; ++i)
        if (a.data[i] != b.data[i]) return false;
    return true;
}

template <std::size_t N>
struct SlotTable {
    SlotInfo entries[N + 1];
    static constexpr std::size_t size() { return N; }
    constexpr const SlotInfo* begin() const { return entries; }
    constexpr const SlotInfo* end() const { return entries + N; }
    constexpr const SlotInfo& operator[](std::size_t i) const { return entries[i]; }
};

}  // namespace detail

// All slots of a network, in the order in which data passes their layers.
template <class Net, class T>
inline constexpr auto slot_table = [] {
    using C = typename Net::chain;
    detail::SlotTable<detail::count_slots<T, C>()> table{};
    std::size_t next = 0;
    auto visit = [&]<class B>(std::size_t learned, std::size_t statistics) {
        if constexpr (role_slots_type<B, Role::learned>::size + role_slots_type<B, Role::statistics>::size > 0) {
            const detail::NamePart layer = detail::layer_name<typename B::layer>();
            std::size_t ordinal = 1;
            for (std::size_t i = next; i > 0; --i)
                if (detail::same_name(table.entries[i - 1].layer, layer)) {
                    ordinal = table.entries[i - 1].ordinal + 1;
                    break;
                }
            const auto add = [&]<Role R>(std::integral_constant<Role, R>, std::size_t offset) {
                using All = role_slots_type<B, R>;
                detail::for_each_index<0, All::size>([&]<std::size_t I>() {
                    using S = typename All::template slot<I>;
                    using Extents = typename S::shape;
                    table.entries[next++] = SlotInfo{
                        layer,
                        ordinal,
                        role_slots<B, R>.entries[I].name,
                        Extents::rank,
                        Extents::extents,
                        Extents::size,
                        offset + slot_offset<T, B, I, R>(),
                        S::layout::template size<T, Extents>,
                        role_slots<B, R>.entries[I].initializer,
                        R,
                        &S::layout::template index<T, Extents>,
                    };
                });
            };
            add(std::integral_constant<Role, Role::learned>{}, learned);
            add(std::integral_constant<Role, Role::statistics>{}, statistics);
        }
    };
    detail::walk_layers<T, C>(visit, 0, chain_storage<T, C>());
    return table;
}();

}  // namespace tenon
