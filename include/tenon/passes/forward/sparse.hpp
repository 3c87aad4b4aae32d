// SPDX-License-Identifier: BSL-1.0
// A chain some of whose Dense layers run without their zeros.
#pragma once

#include <tenon/kernels/sparse.hpp>
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

}  // namespace passes

// As infer_chain. tables.template of<I>(): what layer I of the chain reads in the place of its kernel and bias, a const
// kernels::SparseMatrix<T>*, or null where it is to run as it is. Layers inside blocks always do.
template <class C, std::size_t Rows, class T, class Tables>
constexpr void infer_sparse_chain(std::size_t rows, ParameterBlocks<const T> parameters, const T* x, T* y, T* arena,
                                  const Tables& tables)
{
    constexpr auto& plan = inference_plan<T, C, Rows>;
    using Place = typename std::remove_cvref_t<decltype(plan)>::Place;
    const T* value = x;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        if constexpr (!is_view<B>()) {
            T* out = plan.place[I] == Place::output ? y : arena + plan.offset[I];
            const kernels::SparseMatrix<T>* table = nullptr;
            if constexpr (passes::SparseForm<typename B::layer>::is_dense) {
                table = tables.template of<I>();
                if (table != nullptr)
                    for (std::size_t r = 0; r < rows; ++r)
                        kernels::sparse_gemv<T, B::output::size>(value + r * B::input::size, *table,
                                                                 out + r * B::output::size,
                                                                 passes::SparseForm<typename B::layer>::function);
            }
            if (table == nullptr)
                run_forward(B{}, rows, layer_view<C, I>(parameters), value, out,
                            InferenceContext<T, Rows>{arena + plan.scratch[I]});
            value = out;
        }
    });
    if constexpr (computing_layers<C> == 0)
        for (std::size_t i = 0; i < rows * C::input::size; ++i) y[i] = x[i];
}

}  // namespace tenon
