// SPDX-License-Identifier: BSL-1.0
// Dense, alone and with its activation in the kernel's epilogue.
#pragma once

#include <tenon/kernels/dense.hpp>
#include <tenon/layers/dense.hpp>
#include <tenon/layers/fused.hpp>
#include <tenon/passes/context.hpp>
#include <tenon/passes/functions.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// y = function(x · kernel + bias).   x: (rows, in), y: (rows, units)
template <class Rule, class T, class Parameters, class Function>
TENON_ALWAYS_INLINE constexpr void dense(std::size_t rows, Parameters parameters, const T* x, T* y, Function function)
{
    const typename Parameters::stored* bias = nullptr;
    if constexpr (Rule::use_bias) bias = parameters.template get<1>();
    kernels::dense_forward<T, Rule::inputs, Rule::units>(rows, x, parameters.template get<0>(), bias, y, function);
}

}  // namespace passes

template <std::size_t Units, class... Options, class In, class T>
TENON_ALWAYS_INLINE constexpr void forward(Bound<Dense<Units, Options...>, In> bound, std::size_t rows, auto parameters,
                                           const T* x, T* y)
{
    passes::dense<typename decltype(bound)::rule>(rows, parameters, x, y, kernels::Identity{});
}

template <std::size_t Units, class... Options, class Activation, class In, class T>
TENON_ALWAYS_INLINE constexpr void forward(Bound<Fused<Dense<Units, Options...>, Activation>, In> bound,
                                           std::size_t rows, auto parameters, const T* x, T* y)
{
    passes::dense<typename decltype(bound)::rule>(rows, parameters, x, y, passes::function_of<Activation>);
}

}  // namespace tenon
