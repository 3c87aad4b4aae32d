// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/feature.hpp>
#include <tenon/distillation/pairs.hpp>

namespace tenon::inline TENON_ISA::distillation {

// Relational knowledge distillation (Park et al. 2019, equations 5 to 8): the distances between the rows of a batch and the
// angles that they form.
//   d_ij = ‖f_i - f_j‖ / mean of those of i ≠ j;   a_ijk = cos ∠(f_i - f_j, f_k - f_j)
//   distance · mean over B² of h(d_s - d_t) + angle · mean over B³ of h(a_s - a_t)
//   h(x) = x² / 2 for |x| < 1, |x| - 1/2 beyond (Huber's with δ = 1)
// Features of any two shapes, taken as vectors. The sum over rows that it returns is rows · this. Angles cost O(B³): they
// are taken among the first most_rows rows of a batch, and their mean over most_rows³. Distances below 1e-6 count as that, without a
// gradient, and angles at rows that coincide as right ones, as in the authors' code, whose weights 25 and 50 these are.
template <class StudentTap, class TeacherTap>
struct Relational {
    double distance = 25;
    double angle = 50;
    std::size_t most_rows = 64;

    static constexpr bool takes_features = true;
    static constexpr bool relates_rows = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;

    template <class S, class F, class T>
    double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const
    {
        const std::size_t B = rows, pairs = B * B;
        detail::Scratch<double> memory{3 * pairs};
        double *own = memory.data(), *wanted = own + pairs, *slope = wanted + pairs;
        detail::squared_distances(B, S::size, s, own);
        detail::squared_distances(B, F::size, t, wanted);
        for (std::size_t i = 0; i < pairs; ++i) slope[i] = 0;
        double total = 0;
        if (angle != 0) total += angle * angles(B, own, wanted, slope);
        if (distance != 0) total += distance * distances(B, own, wanted, slope);
        const auto count = static_cast<double>(rows);
        if (ds != nullptr)
            detail::squared_distances_gradient(B, S::size, s, slope, static_cast<double>(scale) * count, ds);
        return count * total;
    }

private:
    static constexpr double least = 1e-12;

    // Huber's function and its derivative.
    static double bent(double x, double& slope)
    {
        const double size = std::abs(x);
        slope = size < 1 ? x : x < 0 ? -1.0 : 1.0;
        return size < 1 ? 0.5 * x * x : size - 0.5;
    }

    // own, wanted: squared distances; the gradient at `own` is added to `slope`.
    double distances(std::size_t B, const double* own, const double* wanted, double* slope) const
    {
        if (B < 2) return 0;
        const auto mean = [&](const double* squares) {
            double sum = 0;
            for (std::size_t i = 0; i < B; ++i)
                for (std::size_t j = 0; j < B; ++j)
                    if (i != j) sum += std::sqrt(squares[i * B + j] > least ? squares[i * B + j] : least);
            return sum / static_cast<double>(B * (B - 1));
        };
        const double own_mean = mean(own), wanted_mean = mean(wanted), all = static_cast<double>(B * B);
        double total = 0, back = 0;
        const auto each = [&](auto&& f) {
            for (std::size_t i = 0; i < B; ++i)
                for (std::size_t j = 0; j < B; ++j) {
                    if (i == j) continue;
                    const std::size_t at = i * B + j;
                    const double d = std::sqrt(own[at] > least ? own[at] : least);
                    const double e = std::sqrt(wanted[at] > least ? wanted[at] : least);
                    double bend;
                    const double value = bent(d / own_mean - e / wanted_mean, bend);
                    f(at, d, value, bend);
                }
        };
        each([&](std::size_t, double d, double value, double bend) {
            total += value;
            back = detail::multiply_add(bend, d, back);
        });
        // The mean depends on all distances.
        const double through_mean = back / (own_mean * own_mean * static_cast<double>(B * (B - 1)));
        each([&](std::size_t at, double d, double, double bend) {
            if (own[at] > least) slope[at] += distance / all * (bend / own_mean - through_mean) / (2 * d);
        });
        return total / all;
    }

    double angles(std::size_t B, const double* own, const double* wanted, double* slope) const
    {
        const std::size_t m = B < most_rows ? B : most_rows;
        const double all = static_cast<double>(m) * static_cast<double>(m) * static_cast<double>(m);
        detail::Scratch<double> lengths{2 * m};
        double *own_inverse = lengths.data(), *wanted_inverse = own_inverse + m;
        double total = 0;
        for (std::size_t i = 0; i < m; ++i) {
            // At row i between rows j and k: 2 (f_j - f_i) · (f_k - f_i) = ‖f_j - f_i‖² + ‖f_k - f_i‖² - ‖f_j - f_k‖².
            const double *from_own = own + i * B, *from_wanted = wanted + i * B;
            for (std::size_t j = 0; j < m; ++j) {
                own_inverse[j] = from_own[j] > 0 ? 1 / std::sqrt(from_own[j]) : 0;
                wanted_inverse[j] = from_wanted[j] > 0 ? 1 / std::sqrt(from_wanted[j]) : 0;
            }
            for (std::size_t j = 0; j < m; ++j) {
                const double *others = own + j * B, *wanted_others = wanted + j * B;
                for (std::size_t k = 0; k < j; ++k) {
                    const double inverse = own_inverse[j] * own_inverse[k];
                    const double a = 0.5 * (from_own[j] + from_own[k] - others[k]) * inverse;
                    const double b = 0.5 * (from_wanted[j] + from_wanted[k] - wanted_others[k]) * wanted_inverse[j] *
                                     wanted_inverse[k];
                    double bend;
                    total += 2 * bent(a - b, bend);  // (j, k) and (k, j)
                    if (inverse == 0) continue;
                    const double g = 2 * angle * bend / all;
                    slope[i * B + j] += g * (0.5 * inverse - 0.5 * a / from_own[j]);
                    slope[i * B + k] += g * (0.5 * inverse - 0.5 * a / from_own[k]);
                    slope[j * B + k] -= g * 0.5 * inverse;
                }
                // j = k: the angle between a direction and itself, unless there is none.
                const double same = (own_inverse[j] > 0 ? 1.0 : 0.0) - (wanted_inverse[j] > 0 ? 1.0 : 0.0);
                total += 0.5 * same * same;
            }
        }
        return total / all;
    }
};

// Similarity-preserving distillation (Tung & Mori 2019, equation 4): with the rows' features as vectors F (B, n),
//   G = F Fᵀ, each row divided by its norm;   ‖G_s - G_t‖² / B²
// Features of any two shapes. The sum over rows that it returns is rows · this. The authors' weight is 3000.
template <class StudentTap, class TeacherTap>
struct SimilarityPreserving {
    static constexpr bool takes_features = true;
    static constexpr bool relates_rows = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;

    template <class S, class F, class T>
    double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const
    {
        const std::size_t B = rows, pairs = B * B;
        detail::Scratch<double> memory{2 * pairs + B};
        double *own = memory.data(), *wanted = own + pairs, *norms = wanted + pairs;
        detail::gram(B, S::size, s, own);
        detail::gram(B, F::size, t, wanted);
        normalize(B, wanted, norms);
        normalize(B, own, norms);
        const double all = static_cast<double>(pairs);
        double total = 0;
        for (std::size_t i = 0; i < B; ++i) {
            double along = 0;
            for (std::size_t j = 0; j < B; ++j) {
                const double e = own[i * B + j] - wanted[i * B + j];
                total = detail::multiply_add(e, e, total);
                along = detail::multiply_add(own[i * B + j], e, along);
            }
            // From here on `wanted` has the gradient at F Fᵀ.
            if (norms[i] <= least) along = 0;
            for (std::size_t j = 0; j < B; ++j) {
                const double e = own[i * B + j] - wanted[i * B + j];
                wanted[i * B + j] = 2 / all * (e - own[i * B + j] * along) / (norms[i] > least ? norms[i] : least);
            }
        }
        const auto count = static_cast<double>(rows);
        if (ds != nullptr) detail::gram_gradient(B, S::size, s, wanted, static_cast<double>(scale) * count, ds);
        return count * total / all;
    }

private:
    static constexpr double least = 1e-12;

    static void normalize(std::size_t B, double* g, double* norms)
    {
        for (std::size_t i = 0; i < B; ++i) {
            double squares = 0;
            for (std::size_t j = 0; j < B; ++j) squares = detail::multiply_add(g[i * B + j], g[i * B + j], squares);
            norms[i] = std::sqrt(squares);
            for (std::size_t j = 0; j < B; ++j) g[i * B + j] /= norms[i] > least ? norms[i] : least;
        }
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
