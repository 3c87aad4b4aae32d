// SPDX-License-Identifier: BSL-1.0
// A chain some of whose Dense layers run without their zeros.
#pragma once

#include <tenon/kernels/sparse.hpp>
#include <tenon/kernels/two_of_four.hpp>
#include <tenon/passes/chain.hpp>
#include <tenon/passes/forward/dense.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// Dense, alone or with its activation: what can run so, and the function behind its sums.
template <class L>
struct SparseForm {
    static constexpr bool is_dense = false;
};
template <std::size_t Units, class... Options>
struct SparseForm<Dense<Units, Options...>> {
    static constexpr bool is_dense = true;
    static constexpr kernels::Identity function{};
};
template <std::size_t Units, class... Options, class Activation>
struct SparseForm<Fused<Dense<Units, Options...>, Activation>> {
    static constexpr bool is_dense = true;
    static constexpr auto function = function_of<Activation>;
};

// y = function(x · kernel + bias) of a layer that may have lists.   x: (rows, in), y: (rows, units)
template <class B, class T>
constexpr void sparse_dense(std::size_t rows, const kernels::SparseMatrix<T>& table, const T* x, T* y)
{
    if constexpr (kernels::fours_fit<T>(B::input::size))
        if (table.fours != nullptr) {
            for (std::size_t r = 0; r < rows; ++r)
                kernels::four_gemv<T, B::input::size, B::output::size>(
                    x + r * B::input::size, {table.values, table.fours, table.bias}, y + r * B::output::size,
                    SparseForm<typename B::layer>::function);
            return;
        }
    for (std::size_t r = 0; r < rows; ++r)
        kernels::sparse_gemv<T, B::output::size>(x + r * B::input::size, table, y + r * B::output::size,
                                                 SparseForm<typename B::layer>::function);
}

}  // namespace passes

// As infer_chain. tables.template of<I>(): what layer I of the chain reads in the place of its kernel and bias, a const
// kernels::SparseMatrix<T>*, or null where it is to run as it is, with the parameters tables.template view<I>(). Where the type of
// the tables knows which, by Tables::skips<I>, the other code is left out. Layers inside blocks always run as they are.
template <class C, std::size_t Rows, class T, class Tables>
constexpr void infer_sparse_chain(std::size_t rows, const T* x, T* y, T* arena, const Tables& tables)
{
    constexpr auto& plan = inference_plan<T, C, Rows>;
    using Place = typename std::remove_cvref_t<decltype(plan)>::Place;
    const T* value = x;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        if constexpr (!is_view<B>()) {
            T* out = plan.place[I] == Place::output ? y : arena + plan.offset[I];
            constexpr bool known = requires { Tables::template skips<I>; };
            [[maybe_unused]] const auto run_whole = [&] {
                run_forward(B{}, rows, tables.template view<I>(), value, out,
                            InferenceContext<T, Rows>{arena + plan.scratch[I]});
            };
            if constexpr (known) {
                if constexpr (Tables::template skips<I>)
                    passes::sparse_dense<B>(rows, *tables.template of<I>(), value, out);
                else
                    run_whole();
            } else if constexpr (passes::SparseForm<typename B::layer>::is_dense) {
                const kernels::SparseMatrix<T>* table = tables.template of<I>();
                if (table != nullptr)
                    passes::sparse_dense<B>(rows, *table, value, out);
                else
                    run_whole();
            } else {
                run_whole();
            }
            value = out;
        }
    });
    if constexpr (computing_layers<C> == 0)
        for (std::size_t i = 0; i < rows * C::input::size; ++i) y[i] = x[i];
}

}  // namespace tenon
