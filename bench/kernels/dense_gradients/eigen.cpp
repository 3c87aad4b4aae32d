// SPDX-License-Identifier: BSL-1.0
// Eigen: row-major matrices with all extents fixed at compile time.
#define EIGEN_STACK_ALLOCATION_LIMIT 0  // the larger matrices are fixed-size objects on the heap

#include "problem.hpp"

#include <Eigen/Core>

#include <algorithm>

namespace contest::with_eigen {

template <std::size_t Rows, std::size_t Columns>
using Matrix = Eigen::Matrix<float, static_cast<int>(Rows), static_cast<int>(Columns), Eigen::RowMajor>;
template <std::size_t Rows, std::size_t Columns>
using Input = Eigen::Map<const Matrix<Rows, Columns>, Eigen::Aligned64>;
template <std::size_t Rows, std::size_t Columns>
using Output = Eigen::Map<Matrix<Rows, Columns>, Eigen::Aligned64>;

template <class Case>
class Contestant {
public:
    EIGEN_MAKE_ALIGNED_OPERATOR_NEW

    explicit Contestant(const float* w) : w_(Eigen::Map<const Matrix<Case::K, Case::N>>(w)) {}

    void weight_gradient(const float* x, const float* dy, float* dw) const
    {
        Output<Case::K, Case::N>(dw).noalias() = Input<Case::M, Case::K>(x).transpose() * Input<Case::M, Case::N>(dy);
    }
    void logical(const float* dw, float* plain) const { std::copy_n(dw, Case::K * Case::N, plain); }
    void input_gradient(const float* dy, float* dx) const
    {
        Output<Case::M, Case::K>(dx).noalias() = Input<Case::M, Case::N>(dy) * w_.transpose();
    }

private:
    Matrix<Case::K, Case::N> w_;
};

const bool enlisted = enlist_gradients<Contestant>("eigen", Role::peer, GemmSizes{});
const bool described = describe(
    "eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                 std::to_string(EIGEN_MINOR_VERSION) + ", fixed sizes, " + Eigen::SimdInstructionSetsInUse());

}  // namespace contest::with_eigen
