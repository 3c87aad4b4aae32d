// SPDX-License-Identifier: BSL-1.0
#include "problem.hpp"

#include <tenon/kernels/dense.hpp>

namespace contest::with_tenon {

template <class Case>
class Contestant {
    using Layout = tenon::simd::Panels<float, Case::K, Case::N>;

public:
    Contestant(const float* w, const float* bias) : w_(Layout::size), bias_(Layout::columns)
    {
        for (std::size_t k = 0; k < Case::K; ++k)
            for (std::size_t n = 0; n < Case::N; ++n) w_[Layout::index(k, n)] = w[k * Case::N + n];
        for (std::size_t n = 0; n < Case::N; ++n) bias_[n] = bias[n];
    }

    void run(const float* x, float* y) const
    {
        tenon::kernels::dense_forward<float, Case::K, Case::N>(1, x, w_.data(), bias_.data(), y);
    }

private:
    Buffer w_, bias_;
};

const bool enlisted = enlist_gemv<Contestant>("tenon", Role::tenon, GemvSizes{});

}  // namespace contest::with_tenon
