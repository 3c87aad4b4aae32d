// SPDX-License-Identifier: BSL-1.0
// Where a backward pass puts the gradients of a layer's parameters. A policy owns the flat block; layers whose kernel makes
// each gradient exactly once write through a sink, which may store it, or update the weight at once and never store it.
#pragma once

#include <tenon/kernels/dense.hpp>
#include <tenon/network/parameter_layout.hpp>

namespace tenon::inline TENON_ISA {

// A layer that makes each of its gradients once, whole, through a sink.
template <class B>
constexpr bool writes_gradients_once()
{
    if constexpr (requires { B::layer::writes_gradients_once; })
        return B::layer::writes_gradients_once;
    else if constexpr (requires { typename B::layer::head; })
        return writes_gradients_once<Bound<typename B::layer::head, typename B::input>>();
    else
        return false;
}

// One layer's gradients: get<I>() for passes that add, sink<I>() for those that write once.
template <class B, class Policy>
struct GradientView {
    using scalar = typename Policy::scalar;

    Policy policy;

    template <std::size_t I>
    scalar* get() const
    {
        return policy.block + slot_offset<scalar, B, I>();
    }
    template <std::size_t I>
    auto sink() const
    {
        return policy.sink(slot_offset<scalar, B, I>());
    }
    template <std::size_t I>
    Policy branch() const
    {
        return policy.at(branch_offset<scalar, B, I>());
    }
};

// The plain policy: every gradient is stored in a block with the layout of the parameters.
template <class T>
struct StoreGradients {
    using scalar = T;

    T* block;

    StoreGradients at(std::size_t offset) const { return {block + offset}; }
    kernels::Store<T> sink(std::size_t offset) const { return {block + offset}; }

    // Around each layer's backward pass: passes that add start from zero.
    template <class B>
    void begin() const
    {
        if constexpr (!HasBranches<B> && !writes_gradients_once<B>())
            for (std::size_t i = 0; i < layer_storage<T, B>(); ++i) block[i] = T{0};
    }
    template <class B>
    void end() const
    {}
};

}  // namespace tenon
