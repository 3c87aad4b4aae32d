// SPDX-License-Identifier: BSL-1.0
// Eigen with sizes fixed at compile time, written by hand.
#define EIGEN_STACK_ALLOCATION_LIMIT 0  // the 784 x 128 kernel is a fixed-size member of an object on the heap

#include "inference.hpp"

#include <Eigen/Core>

#include <tuple>

namespace contest::with_eigen {

template <class Case, std::size_t L>
struct Layer {
    static constexpr int in = static_cast<int>(Case::widths[L]), out = static_cast<int>(Case::widths[L + 1]);
    static constexpr int rows = static_cast<int>(Case::rows);
    // Kernel is (out, in) column-major: the columns that a row of inputs scales are contiguous.
    Eigen::Matrix<float, out, in> kernel;
    Eigen::Matrix<float, out, 1> bias;
    Eigen::Matrix<float, out, rows> y;

    template <class X>
    void run(const X& x)
    {
        if constexpr (rows == 1) {
            // The unrolled coefficient-wise product wins below about 16 x 16, Eigen's GEMV above.
            y = bias;
            if constexpr (in * out <= 256)
                y.noalias() += kernel.lazyProduct(x);
            else
                y.noalias() += kernel * x;
        } else {
            y.noalias() = kernel * x;
            y.colwise() += bias;
        }
        if constexpr (L + 1 < Case::layers) {
            if constexpr (Case::activation == Activation::relu)
                y = y.cwiseMax(0.0f);
            else
                y = y.array().tanh();
        }
    }
};

template <class Case, class Indices = std::make_index_sequence<Case::layers>>
class EigenMlp;

template <class Case, std::size_t... L>
class EigenMlp<Case, std::index_sequence<L...>> {
public:
    EIGEN_MAKE_ALIGNED_OPERATOR_NEW

    explicit EigenMlp(const Weights& weights)
    {
        ((std::get<L>(layers_).kernel = Eigen::Map<const decltype(Layer<Case, L>::kernel)>(weights.kernel[L].data()),
          std::get<L>(layers_).bias = Eigen::Map<const decltype(Layer<Case, L>::bias)>(weights.bias[L].data())),
         ...);
    }

    void run(const float* x, float* y)
    {
        using Input = Eigen::Matrix<float, static_cast<int>(Case::inputs), static_cast<int>(Case::rows)>;
        using Output = Eigen::Matrix<float, static_cast<int>(Case::outputs), static_cast<int>(Case::rows)>;
        std::get<0>(layers_).run(Eigen::Map<const Input, Eigen::Aligned64>(x));
        (run_next<L>(), ...);
        Eigen::Map<Output, Eigen::Aligned64>{y} = std::get<Case::layers - 1>(layers_).y;
    }

private:
    template <std::size_t I>
    void run_next()
    {
        if constexpr (I > 0) std::get<I>(layers_).run(std::get<I - 1>(layers_).y);
    }
    std::tuple<Layer<Case, L>...> layers_;
};

template <class Case>
using Contestant = EigenMlp<Case>;

const bool enlisted = enlist_inference<Contestant>("eigen", Role::peer, InferenceCases{});
const bool described = describe(
    "eigen", std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                 std::to_string(EIGEN_MINOR_VERSION) + ", fixed sizes, " + Eigen::SimdInstructionSetsInUse());

}  // namespace contest::with_eigen
