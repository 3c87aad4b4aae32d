// SPDX-License-Identifier: BSL-1.0
// Blocks: layers made of layers. Sequential, Repeat, Residual, Concat.
#pragma once

#include <tenon/network/memory_plan.hpp>
#include <tenon/network/parameter_layout.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// What every block answers about its branches.
template <class... Cs>
struct BranchesRule {
    using branches = List<Cs...>;
    static constexpr bool branches_valid = (Cs::valid && ...);
    static constexpr std::size_t macs = (std::size_t{0} + ... + chain_macs<Cs>());
    static constexpr PerRow branches_tape = (PerRow{} + ... + chain_tape<Cs>());
    static constexpr PerRow branches_training_workspace = [] {
        PerRow largest{};
        ((largest = max(largest, chain_training_workspace<Cs>())), ...);
        return largest;
    }();
    template <class T, std::size_t Rows>
    static constexpr std::size_t branches_workspace = [] {
        std::size_t largest = 0;
        ((largest = largest < chain_workspace<T, Cs, Rows>() ? chain_workspace<T, Cs, Rows>() : largest), ...);
        return largest;
    }();
};

template <AnyShape In, class... Layers>
struct SequenceRule : BranchesRule<Chain<In, Layers...>> {
    using base = BranchesRule<Chain<In, Layers...>>;
    using output = typename Chain<In, Layers...>::output;
    static constexpr PerRow tape = base::branches_tape;
    static constexpr PerRow training_workspace = base::branches_training_workspace;
    template <class T, std::size_t Rows>
    static constexpr std::size_t workspace = base::template branches_workspace<T, Rows>;
};

template <std::size_t, class L>
using repeated = L;

template <AnyShape In, class L, class Indices>
struct RepeatRule;
template <AnyShape In, class L, std::size_t... I>
struct RepeatRule<In, L, std::index_sequence<I...>> : SequenceRule<In, repeated<I, L>...> {};

}  // namespace detail

// The layers one after the other: y = Lₙ(… L₁(x)).
template <class... Layers>
struct Sequential {
    static constexpr const char* name = "sequential";

    template <class In>
    struct rule : detail::SequenceRule<In, Layers...> {};

    static_assert(sizeof...(Layers) > 0, "tenon: Sequential needs at least one layer.");
};

// The layer N times, each with its own parameters.
template <std::size_t N, class Layer>
struct Repeat {
    static constexpr const char* name = "repeat";

    template <class In>
    struct rule : detail::RepeatRule<In, Layer, std::make_index_sequence<N>> {};

    static_assert(N > 0, "tenon: Repeat<count, layer>: the count must be positive.");
};

// y = x + Lₙ(… L₁(x)) (He et al. 2016).
template <class... Layers>
struct Residual {
    static constexpr const char* name = "residual";

    template <class In>
    struct rule : detail::BranchesRule<Chain<In, Layers...>> {
        using base = detail::BranchesRule<Chain<In, Layers...>>;
        using branch_output = typename Chain<In, Layers...>::output;
        static constexpr bool fits = std::is_same_v<branch_output, In>;
        using output = std::conditional_t<fits, In, InvalidShape>;
        // Behind the branch's own tape: its output, before the addition.
        static constexpr PerRow tape = base::branches_tape + PerRow{In::size, 0};
        // The branch consumes its output gradient, which the shortcut needs as well.
        static constexpr PerRow training_workspace = PerRow{In::size, 0} + base::branches_training_workspace;
        template <class T, std::size_t Rows>
        static constexpr std::size_t workspace = base::template branches_workspace<T, Rows>;

        static_assert(!base::branches_valid || std::is_same_v<branch_output, In>,
                      "tenon: Residual adds its branch to its input: both need the same shape.");
    };

    static_assert(sizeof...(Layers) > 0, "tenon: Residual needs at least one layer.");
};

namespace detail {

// (h, w, a) and (h, w, b) → (h, w, a + b).
template <class S, std::size_t Last, class Indices = std::make_index_sequence<S::rank>>
struct WithLast;
template <std::size_t... E, std::size_t Last, std::size_t... I>
struct WithLast<Shape<E...>, Last, std::index_sequence<I...>> {
    using type = Shape<(I + 1 == sizeof...(E) ? Last : E)...>;
};

template <class First, class... Rest>
constexpr bool agree_but_last()
{
    [[maybe_unused]] constexpr auto same = []<class A, class B>(List<A, B>) {
        if (A::rank != B::rank || A::rank == 0) return false;
        for (std::size_t i = 0; i + 1 < A::rank && i + 1 < B::rank; ++i)
            if (A::extents[i] != B::extents[i]) return false;
        return true;
    };
    return First::rank > 0 && (same(List<First, Rest>{}) && ...);
}

// Which outputs are joined, for the message: Joined<Shape<26, 26, 8>, Shape<28, 28, 8>>.
template <class... Outputs>
struct Joined;
template <class First, class... Rest>
struct Joined<First, Rest...> {
    static constexpr bool agree = agree_but_last<First, Rest...>();
    using type = std::conditional_t<
        agree, typename WithLast<First, (First::last + ... + Rest::last)>::type, InvalidShape>;
    static_assert(agree, "tenon: Concat joins along channels: all other extents must agree.");
};

struct NotJoined {
    using type = InvalidShape;
};

// A branch of Concat is a chain of one layer.
template <AnyShape In, class Branch>
using branch_chain = Chain<In, Branch>;

}  // namespace detail

// The branches' outputs side by side along the last axis: y = [B₁(x), B₂(x), …] (Szegedy et al. 2015).
// Each argument is one branch: a layer, or Sequential<…> for several.
template <class... Branches>
struct Concat {
    static constexpr const char* name = "concat";

    template <class In>
    struct rule : detail::BranchesRule<detail::branch_chain<In, Branches>...> {
        using base = detail::BranchesRule<detail::branch_chain<In, Branches>...>;
        using joined = std::conditional_t<base::branches_valid && (sizeof...(Branches) > 0),
                                          detail::Joined<typename detail::branch_chain<In, Branches>::output...>,
                                          detail::NotJoined>;
        // clang-format off
        enum : bool { asked = requires { sizeof(joined); } };  // as in Joint
        // clang-format on
        using output = typename joined::type;

        static constexpr std::size_t widest = [] {
            std::size_t largest = 0;
            ((largest = largest < detail::branch_chain<In, Branches>::output::size
                            ? detail::branch_chain<In, Branches>::output::size
                            : largest),
             ...);
            return largest;
        }();
        static constexpr PerRow tape = base::branches_tape;
        // A branch's part of the output and its gradient, and its own input gradient before it is added to the others'.
        static constexpr PerRow training_workspace =
            PerRow{2 * widest + In::size, 0} + base::branches_training_workspace;
        template <class T, std::size_t Rows>
        static constexpr std::size_t workspace =
            detail::aligned<T>(Rows * widest) + base::template branches_workspace<T, Rows>;
    };

    static_assert(sizeof...(Branches) > 0, "tenon: Concat needs at least one branch.");
};

}  // namespace tenon
