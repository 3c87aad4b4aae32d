// SPDX-License-Identifier: BSL-1.0
// A topology's fingerprint and its layers' names: the same for every compiler and instruction set, so that a file can say
// which network it belongs to.
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/layers/fused.hpp>
#include <tenon/network/chain.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// A string inside a type's printed name.
struct NamePart {
    const char* data = nullptr;
    std::size_t size = 0;
};

constexpr bool is_identifier(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The unqualified name of a template or class, "Dense" for tenon::Dense<128>, read from the compiler's function name:
// the only part of it that all compilers print alike.
template <class T>
constexpr NamePart type_identifier()
{
    const char* text = __PRETTY_FUNCTION__;
    const char* p = text;
    // "… [with T = ns::Name<…>; …]" (GCC) or "… [T = ns::Name<…>]" (Clang).
    while (*p != '\0' && !(p[0] == 'T' && p[1] == ' ' && p[2] == '=' && p[3] == ' ')) ++p;
    if (*p == '\0') return {text, 0};
    p += 4;
    const char* begin = p;
    for (; *p != '\0' && *p != '<' && *p != ']' && *p != ';'; ++p)
        if (!is_identifier(*p)) begin = p + 1;
    return {begin, static_cast<std::size_t>(p - begin)};
}

constexpr NamePart literal(const char* text)
{
    std::size_t size = 0;
    while (text[size] != '\0') ++size;
    return {text, size};
}

// What a layer is called in tables and files: its own `name`, else its type's identifier.
template <class L>
constexpr NamePart layer_name()
{
    if constexpr (requires { L::name; })
        return literal(L::name);
    else
        return type_identifier<L>();
}

constexpr std::uint64_t hash_combine(std::uint64_t hash, std::uint64_t value)
{
    return mix_bits(hash ^ (value + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2)));
}

constexpr std::uint64_t hash_name(std::uint64_t hash, NamePart name)
{
    for (std::size_t i = 0; i < name.size; ++i) hash = hash_combine(hash, static_cast<unsigned char>(name.data[i]));
    return hash_combine(hash, name.size);
}

template <class S>
constexpr std::uint64_t hash_shape(std::uint64_t hash)
{
    for (std::size_t i = 0; i < S::rank; ++i) hash = hash_combine(hash, S::extents[i]);
    return hash_combine(hash, S::rank);
}

template <class... Ss>
constexpr std::uint64_t hash_slots(std::uint64_t hash, const Slots<Ss...>& slots)
{
    for_each_index<0, sizeof...(Ss)>([&]<std::size_t I>() {
        hash = hash_name(hash, literal(slots.entries[I].name));
        hash = hash_shape<typename Slots<Ss...>::template slot<I>::shape>(hash);
    });
    return hash;
}

template <class C>
constexpr std::uint64_t hash_chain(std::uint64_t hash)
{
    hash = hash_shape<typename C::input>(hash);
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        hash = hash_name(hash, layer_name<typename B::layer>());
        hash = hash_shape<typename B::output>(hash);
        // Options that change what a layer computes without changing a shape.
        if constexpr (requires { B::layer::signature; })
            hash = hash_combine(hash, B::layer::signature);
        else if constexpr (requires { B::rule::signature; })
            hash = hash_combine(hash, B::rule::signature);
        if constexpr (HasBranches<B>) {
            []<class... Cs>(List<Cs...>, std::uint64_t& h) {
                ((h = hash_chain<Cs>(hash_combine(h, 0x62u))), ...);
            }(typename B::rule::branches{}, hash);
        } else {
            hash = hash_slots(hash, bound_slots<B>);
            if constexpr (requires { B::rule::statistics; }) hash = hash_slots(hash, B::rule::statistics);
        }
    });
    return hash_combine(hash, C::count);
}

}  // namespace detail

// The same topology gives the same hash with every compiler, on every machine; other sizes, options, layer kinds or orders
// give another. Dropout counts by its place only: its rate does not change what the trained network computes.
template <class C>
inline constexpr std::uint64_t topology_hash = detail::hash_chain<C>(0x74656e6f6eu);

}  // namespace tenon
