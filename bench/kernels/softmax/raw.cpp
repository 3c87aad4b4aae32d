// SPDX-License-Identifier: BSL-1.0
// Plain loops with the C library's exp.
#include "problem.hpp"

namespace contest::with_raw {

template <class Case>
struct Loop {
    static void run(const float* x, float* y)
    {
        for (std::size_t r = 0; r < Case::rows; ++r, x += Case::columns, y += Case::columns) {
            float largest = x[0], sum = 0;
            for (std::size_t i = 1; i < Case::columns; ++i) largest = x[i] > largest ? x[i] : largest;
            for (std::size_t i = 0; i < Case::columns; ++i) sum += y[i] = std::exp(x[i] - largest);
            for (std::size_t i = 0; i < Case::columns; ++i) y[i] /= sum;
        }
    }
};

const bool enlisted = enlist_softmax<Loop>("raw", Role::raw, SoftmaxSizes{});

}  // namespace contest::with_raw
