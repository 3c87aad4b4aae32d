// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/losses/loss.hpp>

namespace tenon::inline TENON_ISA {

// Per row: 1/n Σ (y_i - t_i)² over the row's n outputs; gradient 2 (y_i - t_i) / n.
// y, targets: (rows, n) of any rank. As Keras (mean over the last axis, then over the rest) and PyTorch's "mean".
struct MeanSquaredError {
    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        static_assert(
            std::is_floating_point_v<Target>,
            "tenon: MeanSquaredError takes floating-point target rows: for labels, use CrossEntropy or one_hot.");
        return mean_over_outputs<Output>(rows, y, target, dy, scale, []<class V>(V output, V wanted) {
            const V error = output - wanted;
            return LossAndSlope<V>{error * error, error + error};
        });
    }
};

}  // namespace tenon
