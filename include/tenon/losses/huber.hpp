// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/losses/loss.hpp>

namespace tenon::inline TENON_ISA {

// Quadratic near the target and linear away from it (Huber 1964). Per row, with e = y_i - t_i:
//   1/n Σ (|e| ≤ delta ? e² / 2 : delta · |e| - delta² / 2); gradient min(max(e, -delta), delta) / n
// y, targets: (rows, n) of any rank. As Keras's Huber and PyTorch's HuberLoss. delta is positive.
struct Huber {
    double delta = 1;

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        static_assert(std::is_floating_point_v<Target>,
                      "tenon: Huber takes floating-point target rows: for labels, use CrossEntropy or one_hot.");
        const T limit = static_cast<T>(delta);
        return mean_over_outputs<Output>(rows, y, target, dy, scale, [limit]<class V>(V output, V wanted) {
            using S = typename V::value_type;
            const V error = output - wanted, d = limit;
            // slope · (error - slope / 2) is both branches: slope = error near the target, ±delta away from it. A NaN
            // stays one through select, where min and max may drop it.
            const V slope = select(abs(error) > d, copy_sign(d, error), error);
            return LossAndSlope<V>{slope * fma(V(S(-0.5)), slope, error), slope};
        });
    }
};

}  // namespace tenon
