// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/losses/loss.hpp>

namespace tenon::inline TENON_ISA {

// Per row: 1/n Σ |y_i - t_i| over the row's n outputs; gradient sign(y_i - t_i) / n, and 0 where they are equal.
// y, targets: (rows, n) of any rank. As Keras and PyTorch's L1Loss.
struct MeanAbsoluteError {
    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        static_assert(
            std::is_floating_point_v<Target>,
            "tenon: MeanAbsoluteError takes floating-point target rows: for labels, use CrossEntropy or one_hot.");
        return mean_over_outputs<Output>(rows, y, target, dy, scale, []<class V>(V output, V wanted) {
            using S = typename V::value_type;
            const V error = output - wanted;
            return LossAndSlope<V>{abs(error), select(error == V(S(0)), V(S(0)), copy_sign(V(S(1)), error))};
        });
    }
};

}  // namespace tenon
