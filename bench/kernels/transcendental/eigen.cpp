// SPDX-License-Identifier: BSL-1.0
// Eigen: array expressions.
#include "problem.hpp"

#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

namespace contest::with_eigen {

using Input = Eigen::Map<const Eigen::ArrayXf, Eigen::Aligned64>;

inline auto apply(Exp, const Input& x) { return x.exp(); }
inline auto apply(Tanh, const Input& x) { return x.tanh(); }
inline auto apply(Sigmoid, const Input& x) { return x.logistic(); }

template <class F>
struct Loop {
    static void run(std::size_t n, const float* x, float* y)
    {
        const auto size = static_cast<Eigen::Index>(n);
        const Input input(x, size);
        Eigen::Map<Eigen::ArrayXf, Eigen::Aligned64> output(y, size);
        output = apply(F{}, input);
    }
};

const bool enlisted = enlist_functions<Loop>("eigen", Role::peer, FunctionList<Exp, Tanh, Sigmoid>{});
const bool described = describe("eigen", std::to_string(EIGEN_WORLD_VERSION) + "." +
                                             std::to_string(EIGEN_MAJOR_VERSION) + "." +
                                             std::to_string(EIGEN_MINOR_VERSION) + ", arrays");

}  // namespace contest::with_eigen
