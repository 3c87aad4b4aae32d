// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/feature.hpp>

namespace tenon::inline TENON_ISA::distillation {

// FitNets' hint (Romero et al. 2015, equation 3). Per row, over the n values of the teacher's features f_t:
//   1/n Σ (r(f_s) - f_t)²;   gradient at r: 2 (r - f_t) / n
// r: the regressor, learned along: a layer for each place alike (Automatic), or what Adapter names. The paper writes half the
// sum of squares; the mean is what its successors use, with weight 100. The paper trains the lower half of the student with the
// hint alone first: fit with Objective{teacher, Hint<…>{}} and then with the whole objective does that, the regressor being
// new then.
template <class StudentTap, class TeacherTap, class Adapt = Automatic>
struct Hint {
    static constexpr bool takes_features = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;
    using adapter = Adapt;

    template <class F, class T>
    double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const
    {
        return mean_over_outputs<F>(rows, s, t, ds, scale, []<class V>(V own, V wanted) {
            const V error = own - wanted;
            return LossAndSlope<V>{error * error, error + error};
        });
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
