// SPDX-License-Identifier: BSL-1.0
// tenon: weights and their gradient in panels, as layers keep them; every gradient is stored.
#include "problem.hpp"

#include <tenon/kernels/dense.hpp>

namespace contest::with_tenon {

template <class Case>
class Contestant {
    using Layout = tenon::simd::Panels<float, Case::K, Case::N>;

public:
    explicit Contestant(const float* w) : w_(Layout::size)
    {
        for (std::size_t k = 0; k < Case::K; ++k)
            for (std::size_t n = 0; n < Case::N; ++n) w_[Layout::index(k, n)] = w[k * Case::N + n];
    }

    void weight_gradient(const float* x, const float* dy, float* dw) const
    {
        tenon::kernels::dense_weight_gradient<float, Case::K, Case::N>(Case::M, x, dy, tenon::kernels::Store<float>{dw},
                                                                       tenon::kernels::Ignore{});
    }
    void logical(const float* dw, float* plain) const
    {
        for (std::size_t k = 0; k < Case::K; ++k)
            for (std::size_t n = 0; n < Case::N; ++n) plain[k * Case::N + n] = dw[Layout::index(k, n)];
    }
    void input_gradient(const float* dy, float* dx) const
    {
        tenon::kernels::dense_input_gradient<float, Case::K, Case::N>(Case::M, dy, w_.data(), dx);
    }

private:
    Buffer w_;
};

const bool enlisted = enlist_gradients<Contestant>("tenon", Role::tenon, GemmSizes{});

}  // namespace contest::with_tenon
