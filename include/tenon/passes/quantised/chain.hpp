// SPDX-License-Identifier: BSL-1.0
// Running a network on int8: each layer in turn, with every value at the place the memory plan gave it; and its blocks.
#pragma once

#include <tenon/passes/quantised/activation.hpp>
#include <tenon/passes/quantised/linear.hpp>

namespace tenon::inline TENON_ISA {

// Which layers of a chain, all of them Dense, run on lists without zeros (kernels/int8_sparse.hpp).
template <std::size_t... Layers>
struct SkipsZeros {
    template <std::size_t I>
    static constexpr bool at = ((I == Layers) || ...);
};

// y = chain(x) for rows ≤ Rows; with onto y = y + chain(x), for a chain that detail::int8_adds_in_place has found fit.
// arena: chain_workspace<std::int8_t, C, Rows>() bytes.
template <class C, std::size_t Rows, class Skips = SkipsZeros<>>
constexpr void infer_int8_chain(std::size_t rows, const Int8View& view, const std::int8_t* x, std::int8_t* y,
                                std::int8_t* arena, const Int8Add* onto = nullptr);

namespace passes {

template <class B, std::size_t I, std::size_t Rows>
constexpr void run_int8_branch(std::size_t rows, const Int8View& view, const std::int8_t* x, std::int8_t* y,
                               std::int8_t* arena)
{
    infer_int8_chain<typename B::rule::branches::template at<I>, Rows>(rows, view, x, y, arena);
}

// The tables of a block's I-th branch.
template <class B, std::size_t I>
constexpr Int8View int8_branch_view(const Int8View& view)
{
    Int8Counts before{};
    before.add = tenon::detail::int8_sums<typename B::layer>;
    before.rescale = tenon::detail::int8_joined<typename B::layer>;
    tenon::detail::for_each_index<0, I>(
        [&]<std::size_t J>() { before = before + int8_chain_counts<typename B::rule::branches::template at<J>>(); });
    return view.behind(before);
}

// In constant expressions, whose convolutions take whole images: in a function of its own, so that no program has this much
// on its stack.
template <class C, std::size_t Rows>
constexpr void int8_onto_copy(std::size_t rows, const Int8View& view, const Int8Add& add, std::int8_t* y,
                              std::int8_t* arena)
{
    std::int8_t part[Rows * C::output::size] = {};
    infer_int8_chain<C, Rows>(rows, view, y, part, arena);
    kernels::int8_add(rows * C::output::size, y, part, add, y);
}

// y = y + branch(y), in place.
template <class B, std::size_t Rows>
constexpr void run_int8_onto_itself(std::size_t rows, const Int8View& view, const Int8Add& add, std::int8_t* y,
                                    std::int8_t* arena)
{
    using C = typename B::rule::branches::template at<0>;
    if (std::is_constant_evaluated()) {
        int8_onto_copy<C, Rows>(rows, view, add, y, arena);
    } else {
        infer_int8_chain<C, Rows>(rows, view, y, y, arena, &add);
    }
}

template <class L>
inline constexpr bool is_concat = tenon::detail::int8_joined<L> != 0;

// A block of Rows rows. Sequential and Repeat are chains; the others combine their branches' outputs.
template <std::size_t Rows, class L, class In>
constexpr void run_int8_block(Bound<L, In> bound, std::size_t rows, const Int8View& view, const std::int8_t* x,
                              std::int8_t* y, std::int8_t* arena)
{
    using B = decltype(bound);
    using Out = typename B::output;
    constexpr std::size_t branches = B::rule::branches::size;
    if constexpr (is_concat<L>) {
        std::int8_t* part = arena;
        std::size_t channel = 0;
        tenon::detail::for_each_index<0, branches>([&]<std::size_t I>() {
            using Part = typename B::rule::branches::template at<I>::output;
            run_int8_branch<B, I, Rows>(rows, int8_branch_view<B, I>(view), x, part,
                                        arena + tenon::detail::aligned<std::int8_t>(Rows * B::rule::widest));
            const Int8Rescale& rescale = view.rescale[I];
            const bool same = rescale.factor.multiplier == 0;  // this branch has the output's scale already
            for (std::size_t v = 0; v < rows * Part::outer; ++v)
                for (std::size_t c = 0; c < Part::last; ++c) {
                    const std::int8_t q = part[v * Part::last + c];
                    y[v * Out::last + channel + c] = same ? q : kernels::int8_rescaled(q, rescale);
                }
            channel += Part::last;
        });
    } else if constexpr (tenon::detail::int8_sums<L> == 0) {
        run_int8_branch<B, 0, Rows>(rows, int8_branch_view<B, 0>(view), x, y, arena);
    } else if constexpr (branches == 1) {
        const Int8View own = int8_branch_view<B, 0>(view);
        if constexpr (tenon::detail::int8_adds_in_place<B>())
            if (x == y) return run_int8_onto_itself<B, Rows>(rows, own, view.add[0], y, arena);
        run_int8_branch<B, 0, Rows>(rows, own, x, y, arena);
        kernels::int8_add(rows * Out::size, x, y, view.add[0], y);
    } else {
        tenon::detail::for_each_index<0, branches>([&]<std::size_t I>() {
            std::int8_t* part = I == 0 ? y : arena;
            run_int8_branch<B, I, Rows>(rows, int8_branch_view<B, I>(view), x, part,
                                        arena + tenon::detail::aligned<std::int8_t>(Rows * Out::size));
            if constexpr (I > 0) kernels::int8_add(rows * Out::size, y, part, view.add[I - 1], y);
        });
    }
}

}  // namespace passes

template <class C, std::size_t Rows, class Skips>
constexpr void infer_int8_chain(std::size_t rows, const Int8View& view, const std::int8_t* x, std::int8_t* y,
                                std::int8_t* arena, [[maybe_unused]] const Int8Add* onto)
{
    constexpr auto& plan = inference_plan<std::int8_t, C, Rows>;
    using Place = typename std::remove_cvref_t<decltype(plan)>::Place;
    const std::int8_t* value = x;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        if constexpr (!is_view<B>()) {
            std::int8_t* out = plan.place[I] == Place::output ? y : arena + plan.offset[I];
            const Int8View own = view.behind(detail::int8_before<C>.at[I]);
            if constexpr (I + 1 == C::count && detail::int8_plain_conv<typename B::layer> && !TENON_SIMD)
                if (onto != nullptr) return run_int8_onto<B>(rows, own, *onto, value, out, arena + plan.scratch[I]);
            if constexpr (Skips::template at<I>)
                run_int8_without_zeros(B{}, rows, own, value, out);
            else if constexpr (HasBranches<B>)
                passes::run_int8_block<Rows>(B{}, rows, own, value, out, arena + plan.scratch[I]);
            else if constexpr (detail::int8_kind<typename B::layer> != detail::Int8Kind::none)
                run_int8(B{}, rows, own, value, out, arena + plan.scratch[I]);
            value = out;
        }
    });
    if constexpr (computing_layers<C> == 0)
        for (std::size_t i = 0; i < rows * C::input::size; ++i) y[i] = x[i];
}

// y = network(x) for rows ≤ Rows rows of int8. workspace: Net::workspace_bytes<Int8, Rows>.
template <class Net, std::size_t Rows, class Skips = SkipsZeros<>>
constexpr void infer_int8(std::size_t rows, const Int8View& view, const std::int8_t* x, std::int8_t* y,
                          std::int8_t* workspace)
{
    infer_int8_chain<rewritten_chain<Purpose::inference, typename Net::chain>, Rows, Skips>(rows, view, x, y,
                                                                                            workspace);
}

}  // namespace tenon
