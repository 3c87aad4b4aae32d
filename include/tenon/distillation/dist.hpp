// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/term.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::distillation {

// DIST (Huang et al. 2022): student and teacher agree up to scale and shift, within each row over the classes, and within
// each class over the batch. With p = softmax(z / τ), (rows, C):
//   τ² [beta (1 - mean over rows of ρ(p_s, p_t)) + gamma (1 - mean over classes of ρ(p_s, p_t))]
//   ρ(a, b) = Σ a' b' / (‖a'‖ ‖b'‖ + epsilon), a' = a - mean(a): Pearson's correlation
//   dρ/da = (b' - (Σ a' b') ‖b'‖ a' / (‖a'‖ D)) / D, D = ‖a'‖ ‖b'‖ + epsilon, and b' / D where a' = 0
// z: logits (rows, …, C), classes last; each position of a row (of a sequence, an image) counts as a row, as in the authors' code.
// The sum over rows that it returns is rows · this, so that the mean is the formula. Its rows depend on one another: evaluate's
// value is the mean over blocks of 64 rows.
// Defaults as in the authors' code; they use it with weight 2 beside the cross-entropy. (torchdistill's DIST+ adds the
// correlation of channels instead of 1 - ρ, which pushes apart what should agree.)
struct Dist {
    double beta = 1;
    double gamma = 1;
    double temperature = 1;
    double epsilon = 1e-8;

    static constexpr bool takes_teacher = true;
    static constexpr bool relates_rows = true;
    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = gives_probabilities<Layer>;

    template <class Output, class T, class Target>
    double operator()(std::size_t samples, const T* y, const T* teacher, const Target*, T* dy, T scale) const
    {
        constexpr std::size_t C = Output::last;
        const std::size_t rows = samples * Output::outer, count = rows * C;
        const T inverse = static_cast<T>(1 / temperature);
        detail::Scratch<T> memory{2 * count};
        T *own = memory.data(), *wanted = own + count;
        for (std::size_t i = 0; i < count; ++i) own[i] = inverse * y[i];
        for (std::size_t i = 0; i < count; ++i) wanted[i] = inverse * teacher[i];
        kernels::softmax<C>(rows, own, own);
        kernels::softmax<C>(rows, wanted, wanted);

        // Sums of differences of like numbers: in double.
        detail::Scratch<double> slopes{dy == nullptr ? 0 : count};
        double* slope = dy == nullptr ? nullptr : slopes.data();
        for (std::size_t i = 0; dy != nullptr && i < count; ++i) slope[i] = 0;
        double within = 0, across = 0;
        const double of_row = -beta / static_cast<double>(rows), of_class = -gamma / static_cast<double>(C);
        for (std::size_t r = 0; r < rows; ++r)
            within += correlation(C, 1, own + r * C, wanted + r * C, slope == nullptr ? nullptr : slope + r * C,
                                  of_row);
        for (std::size_t c = 0; c < C; ++c)
            across += correlation(rows, C, own + c, wanted + c, slope == nullptr ? nullptr : slope + c, of_class);

        if (dy != nullptr) {
            const double factor = static_cast<double>(scale) * static_cast<double>(samples) * temperature;
            for (std::size_t r = 0; r < rows; ++r) {
                double mean = 0;
                for (std::size_t i = r * C; i < (r + 1) * C; ++i)
                    mean = detail::multiply_add(slope[i], static_cast<double>(own[i]), mean);
                for (std::size_t i = r * C; i < (r + 1) * C; ++i)
                    dy[i] = static_cast<T>(factor * static_cast<double>(own[i]) * (slope[i] - mean));
            }
        }
        const double apart = beta * (1 - within / static_cast<double>(rows));
        return temperature * temperature * static_cast<double>(samples) *
               detail::multiply_add(gamma, 1 - across / static_cast<double>(C), apart);
    }

private:
    // ρ of n values at a, b and every `stride` from there; weight · dρ/da is added at `slope`, in the same places.
    template <class T>
    double correlation(std::size_t n, std::size_t stride, const T* a, const T* b, double* slope, double weight) const
    {
        double mean_a = 0, mean_b = 0;
        for (std::size_t i = 0; i < n; ++i) {
            mean_a += static_cast<double>(a[i * stride]);
            mean_b += static_cast<double>(b[i * stride]);
        }
        mean_a /= static_cast<double>(n);
        mean_b /= static_cast<double>(n);
        double aa = 0, bb = 0, ab = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const double x = static_cast<double>(a[i * stride]) - mean_a,
                         z = static_cast<double>(b[i * stride]) - mean_b;
            aa = detail::multiply_add(x, x, aa);
            bb = detail::multiply_add(z, z, bb);
            ab = detail::multiply_add(x, z, ab);
        }
        const double norm_a = std::sqrt(aa), norm_b = std::sqrt(bb);
        const double d = detail::multiply_add(norm_a, norm_b, epsilon);
        if (slope != nullptr) {
            const double of_b = weight / d, of_a = norm_a > 0 ? -of_b * (ab / d) * (norm_b / norm_a) : 0;
            for (std::size_t i = 0; i < n; ++i) {
                const double x = static_cast<double>(a[i * stride]) - mean_a;
                const double z = static_cast<double>(b[i * stride]) - mean_b;
                double& place = slope[i * stride];
                place = detail::multiply_add(of_b, z, detail::multiply_add(of_a, x, place));
            }
        }
        return ab / d;
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
