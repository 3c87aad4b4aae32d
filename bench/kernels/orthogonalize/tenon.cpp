// SPDX-License-Identifier: BSL-1.0
// tenon: the small matrices only, in panels as layers keep their kernels.
#include "problem.hpp"

#include <tenon/kernels/orthogonalize.hpp>

namespace contest::with_tenon {

template <class Case>
class Contestant {
    using Layout = tenon::simd::Panels<float, Case::K, Case::N>;

public:
    explicit Contestant(const float* x)
        : x_(Layout::size),
          y_(Layout::size),
          workspace_(tenon::kernels::orthogonalize_workspace<float, Case::K, Case::N>)
    {
        for (std::size_t i = 0; i < Case::K * Case::N; ++i) x_[Layout::index(i / Case::N, i % Case::N)] = x[i];
    }

    void run()
    {
        tenon::kernels::orthogonalize<float, Case::K, Case::N>(tenon::Team{}, x_.data(), y_.data(), workspace_.data());
    }
    float result(std::size_t k, std::size_t n) const { return y_[Layout::index(k, n)]; }

private:
    Buffer x_, y_, workspace_;
};

const bool enlisted = enlist_orthogonalize<Contestant>("tenon", Role::tenon, Matrices{});

}  // namespace contest::with_tenon
