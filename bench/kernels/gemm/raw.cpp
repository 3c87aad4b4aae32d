// SPDX-License-Identifier: BSL-1.0
// A plain loop over constant extents, as the compiler vectorises it, and the machine's limit: fused multiply-adds in
// registers only.
#include "limit.hpp"
#include "problem.hpp"

namespace contest::with_raw {

template <class Case>
class Contestant {
public:
    explicit Contestant(const float* b) : b_(b, b + Case::K * Case::N) {}

    void run(const float* __restrict a, float* __restrict c) const
    {
        const float* __restrict const b = b_.data();
        for (std::size_t m = 0; m < Case::M; ++m) {
            for (std::size_t n = 0; n < Case::N; ++n) c[m * Case::N + n] = 0;
            for (std::size_t k = 0; k < Case::K; ++k)
                for (std::size_t n = 0; n < Case::N; ++n) c[m * Case::N + n] += a[m * Case::K + k] * b[k * Case::N + n];
        }
    }

private:
    Buffer b_;
};

template <class... Sizes>
bool enlist_limit(SizeList<Sizes...>)
{
    return (add({"gemm/" + Sizes::name(), "fma-peak", Role::limit, Show::flops}, fma_peak) && ...);
}

const bool enlisted = enlist_gemm<Contestant>("raw-loop", Role::raw, GemmSizes{}) && enlist_limit(GemmSizes{});

}  // namespace contest::with_raw
