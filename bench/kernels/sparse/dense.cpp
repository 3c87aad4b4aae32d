// SPDX-License-Identifier: BSL-1.0
// The dense kernel, and the plain loop over the weights that are not zero.
#include "problem.hpp"

#include <tenon/kernels/dense.hpp>

namespace contest::with_dense {

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

template <class Case>
class Columns {
public:
    Columns(const float* w, const float* bias) : bias_(bias, bias + Case::N)
    {
        for (std::size_t n = 0; n < Case::N; ++n) {
            for (std::size_t k = 0; k < Case::K; ++k)
                if (w[k * Case::N + n] != 0) {
                    values_.push_back(w[k * Case::N + n]);
                    inputs_.push_back(static_cast<std::uint16_t>(k));
                }
            ends_.push_back(values_.size());
        }
    }

    void run(const float* x, float* y) const
    {
        std::size_t i = 0;
        for (std::size_t n = 0; n < Case::N; ++n) {
            float sum[4] = {bias_[n], 0, 0, 0};
            for (; i + 4 <= ends_[n]; i += 4)
                for (std::size_t s = 0; s < 4; ++s) sum[s] += values_[i + s] * x[inputs_[i + s]];
            for (; i < ends_[n]; ++i) sum[0] += values_[i] * x[inputs_[i]];
            y[n] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        }
    }

private:
    std::vector<float> values_, bias_;
    std::vector<std::uint16_t> inputs_;
    std::vector<std::size_t> ends_;
};

const bool enlisted = enlist_sparse<Contestant>("dense", Role::peer);
const bool enlisted_columns = enlist_sparse<Columns>("csc-loop", Role::raw);

}  // namespace contest::with_dense
