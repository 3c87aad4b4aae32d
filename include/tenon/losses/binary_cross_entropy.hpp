// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/transcendental.hpp>
#include <tenon/layers/activation.hpp>
#include <tenon/losses/loss.hpp>

namespace tenon::inline TENON_ISA {

// Each output is the logit of an independent yes-or-no answer. Per row, with p = sigmoid(y_i):
//   1/n Σ -(t_i log p + (1 - t_i) log(1 - p)) = 1/n Σ max(y_i, 0) - y_i t_i + log(1 + exp(-|y_i|));
//   gradient (p - t_i) / n
// The second form neither overflows nor cancels (TensorFlow's sigmoid_cross_entropy_with_logits). y: logits (rows, n);
// targets: probabilities (rows, n), or std::int32_t labels 0 and 1. A final Sigmoid is absorbed.
// label_smoothing s, as in Keras: t becomes (1 - s) t + s / 2.
struct BinaryCrossEntropy {
    double label_smoothing = 0;

    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = std::is_same_v<Layer, Sigmoid>;

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        const T keep = static_cast<T>(1 - label_smoothing), share = static_cast<T>(label_smoothing / 2);
        return mean_over_outputs<Output>(rows, y, target, dy, scale, [keep, share]<class V>(V logit, V wanted) {
            using S = typename V::value_type;
            const V zero = S(0), one = S(1);
            const V t = fma(V(keep), wanted, V(share));
            const V e = kernels::exp(-abs(logit)), inverse = one / (one + e);
            const V sigmoid = select(logit < zero, e * inverse, inverse);
            // For t = 1 and a positive logit the first two terms cancel exactly.
            const V line = fma(-logit, t, select(logit < zero, zero, logit));
            return LossAndSlope<V>{line + kernels::log1p(e), sigmoid - t};
        });
    }
};

}  // namespace tenon
