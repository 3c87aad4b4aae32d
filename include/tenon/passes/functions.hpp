// SPDX-License-Identifier: BSL-1.0
// Which kernel function an activation layer stands for.
#pragma once

#include <tenon/kernels/activations.hpp>
#include <tenon/layers/activation.hpp>

namespace tenon::inline TENON_ISA::passes {

template <class Activation>
struct FunctionOf;

template <>
struct FunctionOf<ReLU> {
    static constexpr kernels::ReLU value{};
};
template <>
struct FunctionOf<Tanh> {
    static constexpr kernels::Tanh value{};
};
template <>
struct FunctionOf<Sigmoid> {
    static constexpr kernels::Sigmoid value{};
};
template <>
struct FunctionOf<HardSigmoid> {
    static constexpr kernels::HardSigmoid value{};
};
template <>
struct FunctionOf<HardSwish> {
    static constexpr kernels::HardSwish value{};
};
template <>
struct FunctionOf<SiLU> {
    static constexpr kernels::SiLU value{};
};
template <>
struct FunctionOf<SELU> {
    static constexpr kernels::SELU value{};
};
template <>
struct FunctionOf<Softplus> {
    static constexpr kernels::Softplus value{};
};
template <>
struct FunctionOf<GELU> {
    static constexpr kernels::GELU value{};
};
template <>
struct FunctionOf<GELUTanh> {
    static constexpr kernels::GELUTanh value{};
};
template <class... Options>
struct FunctionOf<LeakyReLUWith<Options...>> {
    static constexpr kernels::LeakyReLU value{fraction_value<typename LeakyReLUWith<Options...>::slope>};
};
template <class... Options>
struct FunctionOf<ELUWith<Options...>> {
    static constexpr kernels::ELU value{fraction_value<typename ELUWith<Options...>::alpha>};
};

template <class Activation>
inline constexpr auto function_of = [] {
    constexpr auto function = FunctionOf<Activation>::value;
    static_assert(function.from_output || !Activation::derivative_from_output,
                  "tenon: an activation that promises its derivative from the output needs a function that has it.");
    return function;
}();

}  // namespace tenon
