// SPDX-License-Identifier: BSL-1.0
// How a term of features names the layers that it compares, and the layers that it puts between.
#pragma once

#include <tenon/layers/conv.hpp>
#include <tenon/layers/dense.hpp>
#include <tenon/network/network.hpp>

namespace tenon::inline TENON_ISA::distillation {

// The values behind a layer, named by its place in the network's list, counted from 0 …
template <std::size_t Place>
struct At {};

// … or by its type: Of<Dense<64>>; Of<ReLU, 1> is the second ReLU. What lies inside a block (Sequential, Residual) has no name.
template <class Layer, std::size_t... Nth>
struct Of {
    static_assert(sizeof...(Nth) <= 1, "tenon: a tap names a layer as Of<Layer>, or the n-th as Of<Layer, n>.");
};

// Layers that learn along with the student and turn its features into the teacher's shape: Adapter<Flatten, Dense<64>>.
template <class... Layers>
struct Adapter {};

// None where the shapes are the same, and where only the widths (the last extents) differ one linear layer: Dense for
// vectors, Conv1D and Conv2D with a kernel of 1 for sequences and images.
struct Automatic {};

namespace detail {

inline constexpr std::size_t nowhere = static_cast<std::size_t>(-1), ambiguous = static_cast<std::size_t>(-2);

template <class Tap, class C>
struct Place {
    static constexpr std::size_t value = nowhere;
};
template <std::size_t I, class C>
struct Place<At<I>, C> {
    static constexpr std::size_t value = I < C::count ? I : nowhere;
};
template <class L, std::size_t... Nth, AnyShape In, class... Ls>
struct Place<Of<L, Nth...>, Chain<In, Ls...>> {
    static constexpr std::size_t value = [] {
        constexpr bool is[] = {std::is_same_v<L, Ls>..., false};
        std::size_t found = nowhere, count = 0;
        const std::size_t wanted = (std::size_t{0} + ... + Nth);
        for (std::size_t i = 0; i < sizeof...(Ls); ++i)
            if (is[i] && count++ == wanted) found = i;
        return sizeof...(Nth) == 0 && count > 1 ? ambiguous : found;
    }();
};

// The layers of a network, for the message.
template <class C>
struct LayersOf;
template <AnyShape In, class... Ls>
struct LayersOf<Chain<In, Ls...>> {
    template <class... Named>
    struct Among {};
    using type = Among<Ls...>;
};

// A side's shape or layers, named in the compiler's message.
template <class What>
struct TeacherHas {};
template <class What>
struct StudentHas {};

template <class Tap, class Side, class C>
struct TapExists {
    static constexpr std::size_t place = Place<Tap, C>::value;
    static constexpr bool value = place != nowhere && place != ambiguous;
    static_assert(place != nowhere,
                  "tenon: a tap names a layer that the network does not have (a final layer that the loss computes "
                  "itself is none).");
    static_assert(place != ambiguous,
                  "tenon: a tap names a type that several layers of the network have: say which, as Of<Layer, 0>.");
};

// The shape behind a tap that exists.
template <class Tap, class C>
using shape_at = typename C::template bound<Place<Tap, C>::value>::output;

template <class S>
struct InputOf;
template <std::size_t... E>
struct InputOf<Shape<E...>> {
    using type = Input<E...>;
};

template <class A, class S, class F>
struct AdapterFor;
template <class... Ls, class S, class F>
struct AdapterFor<Adapter<Ls...>, S, F> {
    using type = Network<typename InputOf<S>::type, Ls...>;
};
struct NoAdapter;
template <class S, class F>
struct AdapterFor<Automatic, S, F> {
    static constexpr bool same_places = [] {
        if (S::rank != F::rank) return false;
        for (std::size_t i = 0; i + 1 < S::rank && i + 1 < F::rank; ++i)
            if (S::extents[i] != F::extents[i]) return false;
        return true;
    }();
    static constexpr auto chosen = [] {
        using In = typename InputOf<S>::type;
        if constexpr (std::is_same_v<S, F>)
            return std::type_identity<void>{};
        else if constexpr (same_places && S::rank == 1)
            return std::type_identity<Network<In, Dense<F::last>>>{};
        else if constexpr (same_places && S::rank == 2)
            return std::type_identity<Network<In, Conv1D<F::last, Kernel<1>>>>{};
        else if constexpr (same_places && S::rank == 3)
            return std::type_identity<Network<In, Conv2D<F::last, Kernel<1>>>>{};
        else
            return std::type_identity<NoAdapter>{};
    }();
    using type = typename std::remove_const_t<decltype(chosen)>::type;
};

// Both sides' shapes, named in the compiler's message.
template <class S>
struct StudentGives {};
template <class F>
struct TeacherGives {};

template <class A, class Student, class Teacher>
struct AdapterFits;
template <class A, class S, class F>
struct AdapterFits<A, StudentGives<S>, TeacherGives<F>> {
    using network = typename AdapterFor<A, S, F>::type;
    static constexpr bool exists = !std::is_same_v<network, NoAdapter>;
    static constexpr bool value = [] {
        if constexpr (!exists || std::is_same_v<network, void>)
            return exists;
        else
            return network::valid && std::is_same_v<typename network::output_shape, F>;
    }();
    // A network that failed to bind has said so.
    static constexpr bool reported = [] {
        if constexpr (!exists || std::is_same_v<network, void>)
            return false;
        else
            return !network::valid;
    }();
    static_assert(exists,
                  "tenon: these features need an adapter: name the layers that turn the student's into the teacher's "
                  "shape, as Adapter<Flatten, Dense<64>>.");
    static_assert(value || !exists || reported, "tenon: an Adapter must end with the shape of the teacher's features.");
};

}  // namespace detail

}  // namespace tenon::inline TENON_ISA::distillation
