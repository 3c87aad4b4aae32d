// SPDX-License-Identifier: BSL-1.0
// Where each parameter of a chain lies in the one flat block: constant offsets, counted in scalars, every slot on a
// cache line (without SIMD: packed). Weights, gradients and optimiser state share the layout. Running statistics
// (BatchNorm's moving mean and variance) lie in a block of their own behind the learned values, laid out by the same
// rules, where no optimiser comes.
#pragma once

#include <tenon/network/chain.hpp>

namespace tenon::inline TENON_ISA {

// What a block holds: learned values, or running statistics.
enum class Role : unsigned char { learned, statistics };

// The slots of a bound layer in one of the two blocks.
template <class B, Role R>
inline constexpr auto role_slots = [] {
    if constexpr (R == Role::learned)
        return bound_slots<B>;
    else if constexpr (requires { B::rule::statistics; })
        return B::rule::statistics;
    else
        return Slots<>{};
}();
template <class B, Role R>
using role_slots_type = std::remove_const_t<decltype(role_slots<B, R>)>;

// Scalars of storage of a chain, padding included.
template <class T, class C, Role R = Role::learned>
constexpr std::size_t chain_storage();

// Scalars of storage of one bound layer, padding included.
template <class T, class B, Role R = Role::learned>
constexpr std::size_t layer_storage()
{
    if constexpr (HasBranches<B>) {
        return []<class... Cs>(List<Cs...>) {
            return (std::size_t{0} + ... + chain_storage<T, Cs, R>());
        }(typename B::rule::branches{});
    } else {
        return []<class... Ss>(Slots<Ss...>) {
            return (std::size_t{0} + ... + detail::aligned<T>(Ss::layout::template size<T, typename Ss::shape>));
        }(role_slots<B, R>);
    }
}

// Offset of a layer's I-th slot from the layer's own start.
template <class T, class B, std::size_t I, Role R = Role::learned>
constexpr std::size_t slot_offset()
{
    std::size_t offset = 0;
    detail::for_each_index<0, I>([&]<std::size_t J>() {
        using S = typename role_slots_type<B, R>::template slot<J>;
        offset += detail::aligned<T>(S::layout::template size<T, typename S::shape>);
    });
    return offset;
}

namespace detail {

template <std::size_t N>
struct OffsetTable {
    std::size_t at[N + 1];
};

}  // namespace detail

// Start of each layer of a chain, and the end.
template <class T, class C, Role R = Role::learned>
inline constexpr auto chain_offsets = [] {
    detail::OffsetTable<C::count> table{};
    C::for_each(
        [&]<std::size_t I>() { table.at[I + 1] = table.at[I] + layer_storage<T, typename C::template bound<I>, R>(); });
    return table;
}();

template <class T, class C, Role R>
constexpr std::size_t chain_storage()
{
    return chain_offsets<T, C, R>.at[C::count];
}

// Offset of a block's I-th branch from the block's own start.
template <class T, class B, std::size_t I, Role R = Role::learned>
constexpr std::size_t branch_offset()
{
    std::size_t offset = 0;
    detail::for_each_index<0, I>(
        [&]<std::size_t J>() { offset += chain_storage<T, typename B::rule::branches::template at<J>, R>(); });
    return offset;
}

// The two blocks of a chain, or of a layer within: learned values, running statistics. T may be const.
// Where there are no statistics their pointer is null: no arithmetic on it is left for constant evaluation to refuse.
template <class T>
struct ParameterBlocks {
    T* learned;
    T* statistics;
};

// One layer's parameters inside the flat blocks: what a pass receives. T may be const.
template <class B, class T>
struct ParameterView {
    using bound = B;
    using stored = std::remove_const_t<T>;
    using scalar = computed_t<stored>;  // it decides the layout

    T* base;
    T* statistics = nullptr;

    // The I-th statistics slot's storage.
    template <std::size_t I>
    constexpr T* statistic() const
    {
        return statistics + slot_offset<scalar, B, I, Role::statistics>();
    }

    // The I-th slot's storage, in the slot's layout.
    template <std::size_t I>
    constexpr T* get() const
    {
        return base + slot_offset<scalar, B, I>();
    }

    // The start of a block's I-th branch.
    template <std::size_t I>
    constexpr ParameterBlocks<T> branch() const
    {
        if constexpr (chain_storage<scalar, typename B::rule::branches::template at<I>, Role::statistics>() == 0)
            return {base + branch_offset<scalar, B, I>(), nullptr};
        else
            return {base + branch_offset<scalar, B, I>(), statistics + branch_offset<scalar, B, I, Role::statistics>()};
    }
};

// The view of a chain's I-th layer.
template <class C, std::size_t I, class T>
constexpr ParameterView<typename C::template bound<I>, T> layer_view(ParameterBlocks<T> blocks)
{
    using scalar = computed_t<std::remove_const_t<T>>;
    if constexpr (layer_storage<scalar, typename C::template bound<I>, Role::statistics>() == 0)
        return {blocks.learned + chain_offsets<scalar, C>.at[I], nullptr};
    else
        return {blocks.learned + chain_offsets<scalar, C>.at[I],
                blocks.statistics + chain_offsets<scalar, C, Role::statistics>.at[I]};
}

// Number of values of one role, without padding.
template <class B, Role R>
constexpr std::size_t layer_value_count();

// The same of a chain.
template <class C, Role R>
constexpr std::size_t chain_value_count()
{
    std::size_t count = 0;
    C::for_each([&]<std::size_t I>() { count += layer_value_count<typename C::template bound<I>, R>(); });
    return count;
}

template <class B, Role R>
constexpr std::size_t layer_value_count()
{
    if constexpr (HasBranches<B>) {
        return []<class... Cs>(List<Cs...>) {
            return (std::size_t{0} + ... + chain_value_count<Cs, R>());
        }(typename B::rule::branches{});
    } else {
        return []<class... Ss>(Slots<Ss...>) { return (std::size_t{0} + ... + Ss::shape::size); }(role_slots<B, R>);
    }
}

// Learned values and statistics together, as Keras counts parameters.
template <class B>
constexpr std::size_t layer_parameter_count()
{
    return layer_value_count<B, Role::learned>() + layer_value_count<B, Role::statistics>();
}
template <class C>
constexpr std::size_t chain_parameter_count()
{
    return chain_value_count<C, Role::learned>() + chain_value_count<C, Role::statistics>();
}

// Multiply-adds of one row.
template <class C>
constexpr std::size_t chain_macs()
{
    std::size_t macs = 0;
    C::for_each([&]<std::size_t I>() { macs += macs_of<typename C::template bound<I>>(); });
    return macs;
}

}  // namespace tenon
