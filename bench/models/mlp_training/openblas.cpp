// SPDX-License-Identifier: BSL-1.0
// OpenBLAS: six sgemm a step, everything else by hand in loops that the compiler vectorises (built with -ffast-math).
#include "training.hpp"

#include <cblas.h>

namespace contest::with_openblas {

template <class Case>
class Contestant {
public:
    explicit Contestant(const Weights& weights) : kernel_(weights.kernel), bias_(weights.bias)
    {
        for (std::size_t l = 0; l < Case::layers; ++l) {
            y_.emplace_back(Case::rows * Case::widths[l + 1]);
            dy_.emplace_back(Case::rows * Case::widths[l + 1]);
            kernel_state_.push_back({Buffer(kernel_[l].size()), Buffer(kernel_[l].size()), Buffer(kernel_[l].size())});
            bias_state_.push_back({Buffer(bias_[l].size()), Buffer(bias_[l].size()), Buffer(bias_[l].size())});
        }
    }

    double step(const float* x, const std::int32_t* labels)
    {
        ++t_;
        for (std::size_t l = 0; l < Case::layers; ++l) forward(l, l == 0 ? x : y_[l - 1].data());
        const double loss = cross_entropy(labels);
        for (std::size_t l = Case::layers; l-- > 0;) {
            backward(l, l == 0 ? x : y_[l - 1].data());
            update(kernel_[l], kernel_state_[l]);
            update(bias_[l], bias_state_[l]);
        }
        return loss;
    }

private:
    struct State {
        Buffer gradient, m, v;
    };

    void forward(std::size_t l, const float* x)
    {
        const std::size_t in = Case::widths[l], out = Case::widths[l + 1];
        float* const y = y_[l].data();
        gemm(CblasNoTrans, CblasNoTrans, Case::rows, out, in, x, in, kernel_[l].data(), out, y);
        const float* const bias = bias_[l].data();
        const bool last = l + 1 == Case::layers;
        for (std::size_t r = 0; r < Case::rows; ++r)
            for (std::size_t j = 0; j < out; ++j) {
                const float value = y[r * out + j] + bias[j];
                y[r * out + j] = last || value > 0 ? value : 0;
            }
    }

    double cross_entropy(const std::int32_t* labels)
    {
        constexpr std::size_t n = Case::outputs;
        constexpr float scale = 1.0f / static_cast<float>(Case::rows);
        double loss = 0;
        for (std::size_t r = 0; r < Case::rows; ++r) {
            const float* const logits = y_.back().data() + r * n;
            float* const d = dy_.back().data() + r * n;
            float largest = logits[0], sum = 0;
            for (std::size_t j = 1; j < n; ++j) largest = std::max(largest, logits[j]);
            for (std::size_t j = 0; j < n; ++j) sum += d[j] = std::exp(logits[j] - largest);
            for (std::size_t j = 0; j < n; ++j) d[j] *= scale / sum;
            d[labels[r]] -= scale;
            loss += static_cast<double>(std::log(sum) + largest - logits[labels[r]]);
        }
        return loss / static_cast<double>(Case::rows);
    }

    void backward(std::size_t l, const float* x)
    {
        const std::size_t in = Case::widths[l], out = Case::widths[l + 1];
        const float* const dy = dy_[l].data();
        gemm(CblasTrans, CblasNoTrans, in, out, Case::rows, x, in, dy, out, kernel_state_[l].gradient.data());
        float* const db = bias_state_[l].gradient.data();
        std::fill(db, db + out, 0.0f);
        for (std::size_t r = 0; r < Case::rows; ++r)
            for (std::size_t j = 0; j < out; ++j) db[j] += dy[r * out + j];
        if (l == 0) return;  // nobody needs the gradient of the images
        float* const dx = dy_[l - 1].data();
        gemm(CblasNoTrans, CblasTrans, Case::rows, in, out, dy, out, kernel_[l].data(), out, dx);
        for (std::size_t i = 0; i < Case::rows * in; ++i) dx[i] = x[i] > 0 ? dx[i] : 0;
    }

    void update(Buffer& parameters, State& state) const
    {
        constexpr auto b1 = static_cast<float>(AdamOptions::beta1), b2 = static_cast<float>(AdamOptions::beta2);
        const double t = static_cast<double>(t_);
        const auto rate = static_cast<float>(AdamOptions::learning_rate / (1 - std::pow(AdamOptions::beta1, t)));
        const auto correction = static_cast<float>(1 / std::sqrt(1 - std::pow(AdamOptions::beta2, t)));
        constexpr auto epsilon = static_cast<float>(AdamOptions::epsilon);
        float* __restrict const w = parameters.data();
        const float* __restrict const g = state.gradient.data();
        float* __restrict const m = state.m.data();
        float* __restrict const v = state.v.data();
        const std::size_t n = parameters.size();
        for (std::size_t i = 0; i < n; ++i) {
            m[i] = b1 * m[i] + (1 - b1) * g[i];
            v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
            w[i] -= rate * m[i] / (std::sqrt(v[i]) * correction + epsilon);
        }
    }

    // c (m, n) = a b, all row-major and dense in their last extent.
    static void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::size_t m, std::size_t n, std::size_t k,
                     const float* a, std::size_t lda, const float* b, std::size_t ldb, float* c)
    {
        cblas_sgemm(CblasRowMajor, ta, tb, static_cast<blasint>(m), static_cast<blasint>(n), static_cast<blasint>(k),
                    1.0f, a, static_cast<blasint>(lda), b, static_cast<blasint>(ldb), 0.0f, c, static_cast<blasint>(n));
    }

    std::vector<Buffer> kernel_, bias_, y_, dy_;
    std::vector<State> kernel_state_, bias_state_;
    std::int64_t t_ = 0;
};

const bool enlisted = enlist_training<Contestant>("openblas", Role::peer, TrainingCases{});
const bool described = describe("openblas", std::string(openblas_get_config()) + ", core " + openblas_get_corename());

}  // namespace contest::with_openblas
