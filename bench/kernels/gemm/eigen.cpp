// SPDX-License-Identifier: BSL-1.0
// Eigen: row-major matrices with all extents fixed at compile time.
#define EIGEN_STACK_ALLOCATION_LIMIT 0  // the larger matrices are fixed-size objects on the heap

#include "problem.hpp"

#include <Eigen/Core>

namespace contest::with_eigen {

template <std::size_t Rows, std::size_t Columns>
using Matrix = Eigen::Matrix<float, static_cast<int>(Rows), static_cast<int>(Columns), Eigen::RowMajor>;

template <class Case>
class Contestant {
public:
    EIGEN_MAKE_ALIGNED_OPERATOR_NEW

    explicit Contestant(const float* b) : b_(Eigen::Map<const Matrix<Case::K, Case::N>>(b)) {}

    void run(const float* a, float* c) const
    {
        Eigen::Map<Matrix<Case::M, Case::N>, Eigen::Aligned64>(c).noalias() =
            Eigen::Map<const Matrix<Case::M, Case::K>, Eigen::Aligned64>(a) * b_;
    }

private:
    Matrix<Case::K, Case::N> b_;
};

const bool enlisted = enlist_gemm<Contestant>("eigen", Role::peer, GemmSizes{});
const bool described = describe(
    "eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                 std::to_string(EIGEN_MINOR_VERSION) + ", fixed sizes, " + Eigen::SimdInstructionSetsInUse());

}  // namespace contest::with_eigen
