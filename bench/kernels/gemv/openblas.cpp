// SPDX-License-Identifier: BSL-1.0
// OpenBLAS: the bias copied, then cblas_sgemv; w row-major, the faster of its two forms here.
#include "problem.hpp"

#include <cblas.h>

#include <algorithm>

namespace contest::with_openblas {

template <class Case>
class Contestant {
public:
    Contestant(const float* w, const float* bias) : w_(w, w + Case::K * Case::N), bias_(bias, bias + Case::N) {}

    void run(const float* x, float* y) const
    {
        constexpr auto N = static_cast<blasint>(Case::N), K = static_cast<blasint>(Case::K);
        std::copy_n(bias_.data(), Case::N, y);
        cblas_sgemv(CblasRowMajor, CblasTrans, K, N, 1.0f, w_.data(), N, x, 1, 1.0f, y, 1);
    }

private:
    Buffer w_, bias_;
};

const bool enlisted = enlist_gemv<Contestant>("openblas", Role::peer, GemvSizes{});
const bool described = describe("openblas", std::string(openblas_get_config()) + ", core " + openblas_get_corename());

}  // namespace contest::with_openblas
