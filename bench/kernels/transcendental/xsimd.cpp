// SPDX-License-Identifier: BSL-1.0
// xsimd: its own functions on its own batches.
#if defined(__GNUC__) && !defined(__clang__)
#    pragma GCC diagnostic ignored "-Wuninitialized"  // g++ 12 sees some in its own AVX-512 intrinsics
#    pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include "problem.hpp"

#include <xsimd/xsimd.hpp>

namespace contest::with_xsimd {

using Batch = xsimd::batch<float>;

inline Batch apply(Exp, Batch x) { return xsimd::exp(x); }
inline Batch apply(Tanh, Batch x) { return xsimd::tanh(x); }
inline Batch apply(Sigmoid, Batch x) { return Batch(1.0f) / (Batch(1.0f) + xsimd::exp(-x)); }
inline Batch apply(Erf, Batch x) { return xsimd::erf(x); }
inline Batch apply(Gelu, Batch x) { return Batch(0.5f) * x * (Batch(1.0f) + xsimd::erf(x * Batch(0.70710678f))); }
inline Batch apply(Softplus, Batch x) { return xsimd::max(x, Batch(0.0f)) + xsimd::log1p(xsimd::exp(-xsimd::abs(x))); }

// n is a multiple of the batch in every case.
template <class F>
struct Loop {
    static void run(std::size_t n, const float* x, float* y)
    {
        for (std::size_t i = 0; i < n; i += Batch::size)
            apply(F{}, Batch::load_unaligned(x + i)).store_unaligned(y + i);
    }
};

const bool enlisted = enlist_functions<Loop>("xsimd", Role::peer, Functions{});
const bool described = describe("xsimd", std::to_string(XSIMD_VERSION_MAJOR) + "." +
                                             std::to_string(XSIMD_VERSION_MINOR) + ", batches of " +
                                             std::to_string(Batch::size));

}  // namespace contest::with_xsimd
