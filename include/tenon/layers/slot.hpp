// SPDX-License-Identifier: BSL-1.0
// Slots: the parameters a layer asks for. A slot has a logical shape (Keras's order), a name, an initialiser and a layout,
// which says where each logical value lies in the memory that the kernel reads.
#pragma once

#include <tenon/core/list.hpp>
#include <tenon/core/shape.hpp>
#include <tenon/layers/initializer.hpp>
#include <tenon/simd/panels.hpp>

namespace tenon::inline TENON_ISA {

namespace layout {

// Logical order is storage order.
struct RowMajor {
    template <class T, AnyShape S>
    static constexpr std::size_t size = S::size;
    template <class T, AnyShape S>
    static constexpr std::size_t index(std::size_t logical)
    {
        return logical;
    }
};

// Shape<K, N>: column panels of the SIMD tile's width, zero-padded (simd/panels.hpp).
struct Panels {
    template <class T, AnyShape S>
    static constexpr std::size_t size = simd::Panels<T, S::extent(0), S::extent(1)>::size;
    template <class T, AnyShape S>
    static constexpr std::size_t index(std::size_t logical)
    {
        constexpr std::size_t columns = S::extent(1);
        return simd::Panels<T, S::extent(0), columns>::index(logical / columns, logical % columns);
    }
};

// Shape<N>: the bias of a panel kernel, padded to the panels' columns.
struct PanelBias {
    template <class T, AnyShape S>
    static constexpr std::size_t size = simd::Panels<T, 1, S::extent(0)>::columns;
    template <class T, AnyShape S>
    static constexpr std::size_t index(std::size_t logical)
    {
        return logical;
    }
};

}  // namespace layout

// One parameter of a layer.
template <AnyShape S, class Layout = layout::RowMajor>
struct Slot {
    using shape = S;
    using layout = Layout;

    const char* name;
    Initializer initializer;
};

// slot<Shape<64>>("scale", init::ones): how a rule declares one.
template <AnyShape S, class Layout = layout::RowMajor>
constexpr Slot<S, Layout> slot(const char* name, Initializer initializer)
{
    return {name, initializer};
}

// The slots of one layer: types by index, names and initialisers as an array.
template <class... Ss>
struct Slots {
    // What a slot says besides its type.
    struct Entry {
        const char* name = nullptr;
        Initializer initializer{};
    };

    static constexpr std::size_t size = sizeof...(Ss);
    template <std::size_t I>
    using slot = element<I, Ss...>;

    Entry entries[sizeof...(Ss) + 1];
};

// slots(slot<…>(…), …): a rule's `static constexpr auto slots`.
template <class... Ss>
constexpr Slots<Ss...> slots(Ss... each)
{
    return {{{each.name, each.initializer}..., {}}};
}

}  // namespace tenon
