// SPDX-License-Identifier: BSL-1.0
// OpenBLAS: cblas_sgemm. It has no interface for packing b beforehand.
#include "problem.hpp"

#include <cblas.h>

namespace contest::with_openblas {

template <class Case>
class Contestant {
public:
    explicit Contestant(const float* b) : b_(b, b + Case::K * Case::N) {}

    void run(const float* a, float* c) const
    {
        constexpr auto M = static_cast<blasint>(Case::M), N = static_cast<blasint>(Case::N);
        constexpr auto K = static_cast<blasint>(Case::K);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, M, N, K, 1.0f, a, K, b_.data(), N, 0.0f, c, N);
    }

private:
    Buffer b_;
};

const bool enlisted = enlist_gemm<Contestant>("openblas", Role::peer, GemmSizes{});
const bool described = describe("openblas", std::string(openblas_get_config()) + ", core " + openblas_get_corename());

}  // namespace contest::with_openblas
