// SPDX-License-Identifier: BSL-1.0
// Conv2DTranspose, alone and with its activation.
#pragma once

#include <tenon/kernels/conv_transpose.hpp>
#include <tenon/layers/conv_transpose.hpp>
#include <tenon/layers/fused.hpp>
#include <tenon/passes/forward/conv.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// y = function(transposed convolution + bias); ReLU is applied by the tile, other activations image by image.
template <class Rule, class T, class Parameters, class Function>
constexpr void conv_transpose(std::size_t rows, Parameters parameters, const T* x, T* y, Function function, T* scratch)
{
    constexpr ConvTransposeShape shape = Rule::geometry;
    const T* bias = nullptr;
    if constexpr (Rule::use_bias) bias = parameters.template get<1>();
    const T* kernel = parameters.template get<0>();
    if (std::is_constant_evaluated()) {
        using Kernel = typename std::remove_const_t<decltype(Rule::slots)>::template slot<0>;
        const auto place = [](std::size_t a, std::size_t b, std::size_t c, std::size_t f) {
            constexpr ConvTransposeShape own = Rule::geometry;
            return Kernel::layout::template index<T, typename Kernel::shape>(
                ((a * own.columns.kernel + b) * own.filters + f) * own.channels + c);
        };
        kernels::conv_transpose_reference(rows, shape, x, kernel, bias, y, place, function);
    } else {
        constexpr std::size_t last = simd::Panels<T, 1, shape.filters>::last_width;
        if constexpr (kernels::detail::is_floor<Function>) {
            const T floor = std::is_same_v<Function, kernels::ReLU> ? T(0) : kernels::detail::no_floor<T>;
            kernels::conv_transpose_forward<T, last>(rows, shape, x, kernel, bias, y, floor, scratch);
        } else {
            for (std::size_t r = 0; r < rows; ++r) {
                T* image = y + r * shape.out_size();
                kernels::conv_transpose_forward<T, last>(1, shape, x + r * shape.in_size(), kernel, bias, image,
                                                         kernels::detail::no_floor<T>, scratch);
                kernels::map(shape.out_size(), image, image, function);
            }
        }
    }
}

}  // namespace passes

template <std::size_t Filters, class... Options, class In, class T, class Context>
constexpr void forward(Bound<Conv2DTranspose<Filters, Options...>, In> bound, std::size_t rows, auto parameters,
                       const T* x, T* y, const Context& context)
{
    passes::conv_transpose<typename decltype(bound)::rule>(rows, parameters, x, y, kernels::Identity{},
                                                           context.workspace);
}

template <std::size_t Filters, class... Options, class Activation, class In, class T, class Context>
constexpr void forward(Bound<Fused<Conv2DTranspose<Filters, Options...>, Activation>, In> bound, std::size_t rows,
                       auto parameters, const T* x, T* y, const Context& context)
{
    passes::conv_transpose<typename decltype(bound)::rule>(rows, parameters, x, y, passes::function_of<Activation>,
                                                           context.workspace);
}

}  // namespace tenon
