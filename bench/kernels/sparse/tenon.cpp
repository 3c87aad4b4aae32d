// SPDX-License-Identifier: BSL-1.0
#include "problem.hpp"

#include <tenon/kernels/sparse.hpp>

namespace contest::with_tenon {

template <class Case>
class Contestant {
    static constexpr std::size_t lanes = tenon::kernels::sparse_lanes<float>;

public:
    Contestant(const float* w, const float* bias)
        : bias_((Case::N + lanes - 1) / lanes * lanes), ends_((Case::N + lanes - 1) / lanes)
    {
        const auto weight = [w](std::size_t k, std::size_t n) { return w[k * Case::N + n]; };
        tenon::kernels::CountSparseSteps count;
        tenon::kernels::each_sparse_step<float>(Case::K, Case::N, weight, count);
        values_ = Buffer(count.steps * lanes);
        places_.resize(count.steps * lanes);
        first_.resize(count.steps);
        tenon::kernels::FillSparseSteps<float, decltype(weight)> fill{weight, values_.data(), places_.data(),
                                                                      first_.data(), ends_.data()};
        tenon::kernels::each_sparse_step<float>(Case::K, Case::N, weight, fill);
        for (std::size_t n = 0; n < Case::N; ++n) bias_[n] = bias[n];
    }

    void run(const float* x, float* y) const
    {
        tenon::kernels::sparse_gemv<float, Case::N>(
            x, {values_.data(), places_.data(), first_.data(), ends_.data(), bias_.data()}, y);
    }

private:
    Buffer values_, bias_;
    std::vector<std::uint8_t> places_;
    std::vector<std::uint16_t> first_;
    std::vector<std::uint32_t> ends_;
};

const bool enlisted = enlist_sparse<Contestant>("tenon", Role::tenon);

}  // namespace contest::with_tenon
