// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/term.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::distillation {

// Policies that give a Gaussian for each of n actions (Rusu et al. 2016 of discrete ones, Czarnecki et al. 2019 of these): outputs
// (rows, …, 2 n), last the n means μ, then the n logarithms of the deviations, l = log σ. Per row and position:
//   KL(teacher ‖ student) = Σ [l_s - l_t + (σ_t² + (μ_t - μ_s)²) / (2 σ_s²) - ½]
//   gradient at μ_s: (μ_s - μ_t) / σ_s²;   at l_s: 1 - (σ_t² + (μ_t - μ_s)²) / σ_s²
// with several positions in a row (a sequence) their mean. No final layer is absorbed.
struct GaussianPolicy {
    static constexpr bool takes_teacher = true;

    template <class Output>
    struct takes {
        static constexpr bool value = Output::last % 2 == 0;
        static_assert(Output::last % 2 == 0,
                      "tenon: GaussianPolicy takes an even number of outputs: the means, then the logarithms of the "
                      "deviations.");
    };

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target*, T* dy, T scale) const
    {
        constexpr std::size_t n = Output::last / 2, positions = Output::outer;
        const double factor = static_cast<double>(scale) / static_cast<double>(positions);
        double total = 0;
        for (std::size_t i = 0; i < rows * positions; ++i, y += 2 * n, teacher += 2 * n)
            for (std::size_t a = 0; a < n; ++a) {
                const auto own = static_cast<double>(y[n + a]), wanted = static_cast<double>(teacher[n + a]);
                const double apart = static_cast<double>(y[a]) - static_cast<double>(teacher[a]);
                const double precision = std::exp(-2 * own), ratio = std::expm1(2 * (wanted - own));
                // (σ_t / σ_s)² - 1, so that nothing is lost where the two are near.
                const double shift = apart * apart * precision;
                total += (own - wanted) + 0.5 * (ratio + shift);
                if (dy == nullptr) continue;
                dy[i * 2 * n + a] = static_cast<T>(factor * apart * precision);
                dy[i * 2 * n + n + a] = static_cast<T>(-factor * (ratio + shift));
            }
        return total / static_cast<double>(positions);
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
