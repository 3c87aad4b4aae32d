// SPDX-License-Identifier: BSL-1.0
// Precision policies: how a network's parameters are stored and in which type it computes.
#pragma once

#include <tenon/config.hpp>
#include <tenon/core/half.hpp>

namespace tenon::inline TENON_ISA {

// IEEE single precision, the default everywhere.
struct Float32 {
    using scalar = float;
};

// IEEE double precision: gradient checks and reference runs.
struct Float64 {
    using scalar = double;
};

// Float arithmetic on parameters that are stored in 16 bits: inference that waits for its weights waits for half of them.
struct Float16 {
    using scalar = float;
    using stored = Fp16;
};
struct BFloat16 {
    using scalar = float;
    using stored = Bf16;
};

namespace detail {

template <class P>
struct StoredAs {
    using type = typename P::scalar;
};
template <class P>
    requires requires { typename P::stored; }
struct StoredAs<P> {
    using type = typename P::stored;
};

}  // namespace detail

// The type of a parameter in memory; computed_t of it is P::scalar.
template <class P>
using stored_t = typename detail::StoredAs<P>::type;

// The policy that computes in T.
template <class T>
struct precision_of;
template <>
struct precision_of<float> {
    using type = Float32;
};
template <>
struct precision_of<double> {
    using type = Float64;
};

}  // namespace tenon
