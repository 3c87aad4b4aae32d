// SPDX-License-Identifier: BSL-1.0
// tenon: the kernel of a Dense layer without bias and activation, its weights in panels as layers keep them.
#include "problem.hpp"

#include <tenon/kernels/dense.hpp>

namespace contest::with_tenon {

template <class Case>
class Contestant {
    using Layout = tenon::simd::Panels<float, Case::K, Case::N>;

public:
    explicit Contestant(const float* b) : b_(Layout::size)
    {
        for (std::size_t k = 0; k < Case::K; ++k)
            for (std::size_t n = 0; n < Case::N; ++n) b_[Layout::index(k, n)] = b[k * Case::N + n];
    }

    void run(const float* a, float* c) const
    {
        tenon::kernels::dense_forward<float, Case::K, Case::N>(Case::M, a, b_.data(), nullptr, c);
    }

private:
    Buffer b_;
};

const bool enlisted = enlist_gemm<Contestant>("tenon", Role::tenon, GemmSizes{});

}  // namespace contest::with_tenon
