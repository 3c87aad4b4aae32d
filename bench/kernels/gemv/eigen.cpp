// SPDX-License-Identifier: BSL-1.0
// Eigen: wᵀ x with all extents fixed at compile time, w row-major, so that its columns are those of wᵀ.
#define EIGEN_STACK_ALLOCATION_LIMIT 0  // the larger matrices are fixed-size objects on the heap

#include "problem.hpp"

#include <Eigen/Core>

namespace contest::with_eigen {

template <class Case>
class Contestant {
    static constexpr auto N = static_cast<int>(Case::N), K = static_cast<int>(Case::K);
    using Weights = Eigen::Matrix<float, N, K>;  // wᵀ, column-major

public:
    EIGEN_MAKE_ALIGNED_OPERATOR_NEW

    Contestant(const float* w, const float* bias)
        : w_(Eigen::Map<const Weights>(w)), bias_(Eigen::Map<const Output>(bias))
    {}

    void run(const float* x, float* y) const
    {
        Eigen::Map<Output, Eigen::Aligned64>(y).noalias() = w_ * Eigen::Map<const Input, Eigen::Aligned64>(x) + bias_;
    }

private:
    using Input = Eigen::Matrix<float, K, 1>;
    using Output = Eigen::Matrix<float, N, 1>;

    Weights w_;
    Output bias_;
};

const bool enlisted = enlist_gemv<Contestant>("eigen", Role::peer, GemvSizes{});
const bool described = describe(
    "eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                 std::to_string(EIGEN_MINOR_VERSION) + ", fixed sizes, " + Eigen::SimdInstructionSetsInUse());

}  // namespace contest::with_eigen
