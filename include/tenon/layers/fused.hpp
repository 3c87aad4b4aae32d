// SPDX-License-Identifier: BSL-1.0
// Fused: a layer whose kernel applies an activation to each value before storing it. Made by rewrites; users write the
// two layers.
#pragma once

#include <tenon/core/per_row.hpp>
#include <tenon/layers/bound.hpp>
#include <tenon/simd/conv_scheme.hpp>

namespace tenon::inline TENON_ISA {

// Activation(Head(x)), with the slots of the head.
template <class Head, class Activation>
struct Fused {
    static constexpr const char* name = Head::name;
    using head = Head;
    using activation = Activation;

    template <class In>
    struct rule : Head::template rule<In> {};
};

// Pool(Head(x)): a convolution, with or without its activation, whose kernel takes the largest value of each 2 × 2 block
// and never stores the map before it. Training keeps which of the four it was.
template <class Head, class Pool>
struct FusedPool {
    static constexpr const char* name = Head::name;
    using head = Head;

    template <class In>
    struct rule : Head::template rule<In> {
        using output = typename Pool::template rule<typename Head::template rule<In>::output>::output;
        template <class T, std::size_t>
        static constexpr std::size_t workspace = simd::conv_forward_scratch<T>(Head::template rule<In>::geometry, true);
        // Which of its four values each pooled one is: bytes, in the place of scalars.
        static constexpr PerRow tape{(output::size + 3) / 4};
        static constexpr PerRow training_workspace = [] {
            constexpr auto own = simd::pooled_training_workspace(Head::template rule<In>::geometry);
            constexpr PerRow conv = Head::template rule<In>::training_workspace;
            return max(PerRow{own.row, own.fixed, own.per_thread}, conv);
        }();
    };
};

// The kernel of such a head says `fuses_pool = true`, and a pool of 2 × 2 blocks `is_block_maximum = true`. The activation
// between them must not reorder values, and the kernel must know it: `is_floor = true`.
template <class L>
constexpr bool fuses_pool()
{
    if constexpr (requires { L::fuses_pool; })
        return L::fuses_pool;
    else
        return false;
}
template <class L>
constexpr bool is_block_maximum()
{
    if constexpr (requires { L::is_block_maximum; })
        return L::is_block_maximum;
    else
        return false;
}
template <class L>
constexpr bool is_floor()
{
    if constexpr (requires { L::is_floor; })
        return L::is_floor;
    else
        return false;
}

// Layers whose kernel takes an activation say so: `static constexpr bool fuses_activation = true`.
template <class L>
constexpr bool fuses_activation()
{
    if constexpr (requires { L::fuses_activation; })
        return L::fuses_activation;
    else
        return false;
}

// A layer that computes each value from the one at its place.
template <class L>
constexpr bool is_elementwise()
{
    if constexpr (requires { L::is_elementwise; })
        return L::is_elementwise;
    else
        return false;
}

}  // namespace tenon
