// SPDX-License-Identifier: BSL-1.0
// OpenBLAS: sgemv for one row, sgemm for more; bias and activation by hand in one pass.
// Built with -ffast-math, so that the compiler takes the vector tanh of libmvec (4 ULP).
#include "inference.hpp"

#include <cblas.h>

namespace contest::with_openblas {

template <class Case>
class Contestant {
public:
    explicit Contestant(const Weights& weights) : weights_(weights)
    {
        for (std::size_t l = 0; l + 1 < Case::layers; ++l) hidden_.emplace_back(Case::rows * Case::widths[l + 1]);
    }

    void run(const float* x, float* y) { run_from<0>(x, y); }

private:
    template <std::size_t L>
    void run_from(const float* x, float* y)
    {
        constexpr auto in = static_cast<blasint>(Case::widths[L]), out = static_cast<blasint>(Case::widths[L + 1]);
        constexpr auto rows = static_cast<blasint>(Case::rows);
        constexpr bool last = L + 1 == Case::layers;
        float* const z = last ? y : hidden_[L].data();
        const float* const kernel = weights_.kernel[L].data();
        if constexpr (rows == 1)
            cblas_sgemv(CblasRowMajor, CblasTrans, in, out, 1.0f, kernel, out, x, 1, 0.0f, z, 1);
        else
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, out, in, 1.0f, x, in, kernel, out, 0.0f, z,
                        out);
        const float* const bias = weights_.bias[L].data();
        for (std::size_t r = 0; r < Case::rows; ++r)
            for (std::size_t j = 0; j < Case::widths[L + 1]; ++j) {
                const float value = z[r * Case::widths[L + 1] + j] + bias[j];
                z[r * Case::widths[L + 1] + j] = last                                   ? value
                                                 : Case::activation == Activation::relu ? (value > 0 ? value : 0)
                                                                                        : std::tanh(value);
            }
        if constexpr (!last) run_from<L + 1>(z, y);
    }

    Weights weights_;
    std::vector<Buffer> hidden_;
};

const bool enlisted = enlist_inference<Contestant>("openblas", Role::peer, InferenceCases{});
const bool described = describe("openblas", std::string(openblas_get_config()) + ", core " + openblas_get_corename());

}  // namespace contest::with_openblas
