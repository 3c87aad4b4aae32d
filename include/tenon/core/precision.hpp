// SPDX-License-Identifier: BSL-1.0
// Precision policies: how a network's parameters are stored and in which type it computes.
#pragma once

#include <tenon/config.hpp>

namespace tenon::inline TENON_ISA {

// IEEE single precision, the default everywhere.
struct Float32 {
    using scalar = float;
};

// IEEE double precision: gradient checks and reference runs.
struct Float64 {
    using scalar = double;
};

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
