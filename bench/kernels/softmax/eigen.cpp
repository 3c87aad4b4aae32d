// SPDX-License-Identifier: BSL-1.0
// Eigen: fixed sizes, row by row.
#include "problem.hpp"

#include <Eigen/Core>

namespace contest::with_eigen {

template <class Case>
struct Loop {
    static void run(const float* x, float* y)
    {
        using Row = Eigen::Array<float, static_cast<int>(Case::columns), 1>;
        for (std::size_t r = 0; r < Case::rows; ++r) {
            const Eigen::Map<const Row> in(x + r * Case::columns);
            Eigen::Map<Row> out(y + r * Case::columns);
            out = (in - in.maxCoeff()).exp();
            out *= 1.0f / out.sum();
        }
    }
};

const bool enlisted = enlist_softmax<Loop>("eigen", Role::peer, SoftmaxSizes{});
const bool described = describe("eigen", std::to_string(EIGEN_WORLD_VERSION) + "." +
                                             std::to_string(EIGEN_MAJOR_VERSION) + "." +
                                             std::to_string(EIGEN_MINOR_VERSION) + ", fixed rows");

}  // namespace contest::with_eigen
