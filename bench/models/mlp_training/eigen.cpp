// SPDX-License-Identifier: BSL-1.0
// Eigen with sizes fixed at compile time, the whole step written by hand. Matrices are column-major: a batch is
// (features, rows), which is the same memory as (rows, features) row-major.
#define EIGEN_STACK_ALLOCATION_LIMIT 0  // the 784 x 128 kernel is a fixed-size member of an object on the heap

#include "training.hpp"

#include <Eigen/Core>

namespace contest::with_eigen {

template <int Rows, int Columns>
using Matrix = Eigen::Matrix<float, Rows, Columns>;

template <class M>
struct Parameter {
    M value, gradient, m = M::Zero(), v = M::Zero();

    void update(float rate, float correction)
    {
        constexpr auto b1 = static_cast<float>(AdamOptions::beta1), b2 = static_cast<float>(AdamOptions::beta2);
        // One pass per line: Eigen does not fuse statements.
        m = b1 * m + (1 - b1) * gradient;
        v.array() = b2 * v.array() + (1 - b2) * gradient.array().square();
        value.array() -= rate * m.array() / (v.array().sqrt() * correction + static_cast<float>(AdamOptions::epsilon));
    }
};

template <class Case>
class Contestant {
    static constexpr int rows = static_cast<int>(Case::rows), in = static_cast<int>(Case::widths[0]);
    static constexpr int hidden = static_cast<int>(Case::widths[1]), out = static_cast<int>(Case::widths[2]);
    static_assert(Case::layers == 2);

public:
    EIGEN_MAKE_ALIGNED_OPERATOR_NEW

    explicit Contestant(const Weights& weights)
    {
        w1_.value = Eigen::Map<const Matrix<hidden, in>>(weights.kernel[0].data());
        b1_.value = Eigen::Map<const Matrix<hidden, 1>>(weights.bias[0].data());
        w2_.value = Eigen::Map<const Matrix<out, hidden>>(weights.kernel[1].data());
        b2_.value = Eigen::Map<const Matrix<out, 1>>(weights.bias[1].data());
    }

    double step(const float* data, const std::int32_t* labels)
    {
        const Eigen::Map<const Matrix<in, rows>> x(data);
        h_.noalias() = w1_.value * x;
        h_ = (h_.colwise() + b1_.value).cwiseMax(0.0f);
        y_.noalias() = w2_.value * h_;
        y_.colwise() += b2_.value;

        double loss = 0;
        for (int r = 0; r < rows; ++r) {
            const float largest = y_.col(r).maxCoeff();
            dy_.col(r) = (y_.col(r).array() - largest).exp();
            const float sum = dy_.col(r).sum();
            dy_.col(r) *= 1.0f / (sum * static_cast<float>(rows));
            dy_(labels[r], r) -= 1.0f / static_cast<float>(rows);
            loss += static_cast<double>(std::log(sum) + largest - y_(labels[r], r));
        }

        w2_.gradient.noalias() = dy_ * h_.transpose();
        b2_.gradient = dy_.rowwise().sum();
        dh_.noalias() = w2_.value.transpose() * dy_;
        dh_ = (h_.array() > 0.0f).select(dh_, 0.0f);
        w1_.gradient.noalias() = dh_ * x.transpose();
        b1_.gradient = dh_.rowwise().sum();

        const double t = static_cast<double>(++t_);
        const auto rate = static_cast<float>(AdamOptions::learning_rate / (1 - std::pow(AdamOptions::beta1, t)));
        const auto correction = static_cast<float>(1 / std::sqrt(1 - std::pow(AdamOptions::beta2, t)));
        w1_.update(rate, correction);
        b1_.update(rate, correction);
        w2_.update(rate, correction);
        b2_.update(rate, correction);
        return loss / rows;
    }

private:
    Parameter<Matrix<hidden, in>> w1_;
    Parameter<Matrix<hidden, 1>> b1_;
    Parameter<Matrix<out, hidden>> w2_;
    Parameter<Matrix<out, 1>> b2_;
    Matrix<hidden, rows> h_, dh_;
    Matrix<out, rows> y_, dy_;
    std::int64_t t_ = 0;
};

const bool enlisted = enlist_training<Contestant>("eigen", Role::peer, TrainingCases{});
const bool described = describe(
    "eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                 std::to_string(EIGEN_MINOR_VERSION) + ", fixed sizes, " + Eigen::SimdInstructionSetsInUse());

}  // namespace contest::with_eigen
