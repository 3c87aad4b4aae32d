// SPDX-License-Identifier: BSL-1.0
// OpenBLAS: the iteration as its authors write it, with the long matrix in every product, by cblas_sgemm.
#include "problem.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>

namespace contest::with_openblas {

template <class Case>
class Contestant {
    static constexpr bool wide = Case::K < Case::N;
    static constexpr std::size_t small = wide ? Case::K : Case::N, large = wide ? Case::N : Case::K;

public:
    explicit Contestant(const float* x) : x_(x, x + Case::K * Case::N) {}

    void run()
    {
        constexpr auto n = static_cast<blasint>(small), m = static_cast<blasint>(large);
        constexpr auto columns = static_cast<blasint>(Case::N);
        const float scale = 1 / (cblas_snrm2(n * m, x_.data(), 1) + 1e-7f);
        std::transform(x_.begin(), x_.end(), X_.begin(), [scale](float value) { return value * scale; });
        for (int iteration = 0; iteration < 5; ++iteration) {
            if (wide)
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, n, m, 1.0f, X_.data(), columns, X_.data(),
                            columns, 0.0f, A_.data(), n);
            else
                cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, n, m, 1.0f, X_.data(), columns, X_.data(),
                            columns, 0.0f, A_.data(), n);
            B_ = A_;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, n, n, 2.0315f, A_.data(), n, A_.data(), n,
                        -4.7750f, B_.data(), n);
            next_ = X_;
            if (wide)
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, m, n, 1.0f, B_.data(), n, X_.data(), columns,
                            3.4445f, next_.data(), columns);
            else
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, n, 1.0f, X_.data(), columns, B_.data(), n,
                            3.4445f, next_.data(), columns);
            X_.swap(next_);
        }
    }
    float result(std::size_t k, std::size_t n) const { return X_[k * Case::N + n]; }

private:
    Buffer x_, X_ = x_, next_ = x_, A_ = Buffer(small * small), B_ = A_;
};

const bool enlisted = enlist_orthogonalize<Contestant>("openblas", Role::peer, Matrices{});
const bool described = describe("openblas", std::string(openblas_get_config()) + ", core " + openblas_get_corename());

}  // namespace contest::with_openblas
