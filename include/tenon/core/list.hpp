// SPDX-License-Identifier: BSL-1.0
// List: a pack of types as one type, with constant-time access by index.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>
#include <utility>

namespace tenon::inline TENON_ISA {

namespace detail {

template <std::size_t I, class T>
struct Indexed {
    using type = T;
};

template <class Indices, class... Ts>
struct IndexedPack;
template <std::size_t... I, class... Ts>
struct IndexedPack<std::index_sequence<I...>, Ts...> : Indexed<I, Ts>... {};

template <std::size_t I, class T>
Indexed<I, T> select_indexed(const Indexed<I, T>*);

template <class... Ts>
using indexed_pack = IndexedPack<std::make_index_sequence<sizeof...(Ts)>, Ts...>;

}  // namespace detail

// The I-th type of a pack: one overload resolution, no recursion.
template <std::size_t I, class... Ts>
using element = typename decltype(detail::select_indexed<I>(static_cast<detail::indexed_pack<Ts...>*>(nullptr)))::type;

template <class... Ts>
struct List {
    static constexpr std::size_t size = sizeof...(Ts);
    template <std::size_t I>
    using at = element<I, Ts...>;
};

}  // namespace tenon
