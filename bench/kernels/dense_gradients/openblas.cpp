// SPDX-License-Identifier: BSL-1.0
// OpenBLAS: cblas_sgemm with a transposed operand.
#include "problem.hpp"

#include <cblas.h>

#include <algorithm>

namespace contest::with_openblas {

template <class Case>
class Contestant {
    static constexpr auto M = static_cast<blasint>(Case::M), N = static_cast<blasint>(Case::N),
                          K = static_cast<blasint>(Case::K);

public:
    explicit Contestant(const float* w) : w_(w, w + Case::K * Case::N) {}

    void weight_gradient(const float* x, const float* dy, float* dw) const
    {
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, K, N, M, 1.0f, x, K, dy, N, 0.0f, dw, N);
    }
    void logical(const float* dw, float* plain) const { std::copy_n(dw, Case::K * Case::N, plain); }
    void input_gradient(const float* dy, float* dx) const
    {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, M, K, N, 1.0f, dy, N, w_.data(), N, 0.0f, dx, K);
    }

private:
    Buffer w_;
};

const bool enlisted = enlist_gradients<Contestant>("openblas", Role::peer, GemmSizes{});
const bool described = describe("openblas", std::string(openblas_get_config()) + ", core " + openblas_get_corename());

}  // namespace contest::with_openblas
