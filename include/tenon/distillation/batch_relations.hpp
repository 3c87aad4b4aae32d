// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/feature.hpp>
#include <tenon/distillation/pairs.hpp>
#include <tenon/layers/reshape.hpp>

namespace tenon::inline TENON_ISA::distillation {

// Probabilistic knowledge transfer (Passalis & Tefas 2018, equations 4 to 6, with the cosine kernel): which rows of a batch are
// alike, as a distribution for each row.
//   k_ij = (cos(f_i, f_j) + 1) / 2;   p_ij = k_ij / Σ_j k_ij;   mean over B² of p_t log((p_t + ε) / (p_s + ε))
// Features of any two shapes, as vectors. ε = 1e-7, also added to norms, as in the authors' code, which counts j = i too. The sum
// over rows that it returns is rows · this. Usual weight: 30000.
template <class StudentTap, class TeacherTap>
struct ProbabilisticTransfer {
    double epsilon = 1e-7;

    static constexpr bool takes_features = true;
    static constexpr bool relates_rows = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;

    template <class S, class F, class T>
    double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const
    {
        const std::size_t B = rows;
        const double all = static_cast<double>(B * B), count = static_cast<double>(B);
        detail::Scratch<double> memory{3 * B * B + 4 * B};
        double *own = memory.data(), *wanted = own + B * B, *slope = wanted + B * B;
        double *norms = slope + B * B, *sums = norms + B, *unused = sums + B;
        detail::gram(B, F::size, t, wanted);
        cosines(B, wanted, unused);
        distributions(B, wanted, slope, unused);
        for (std::size_t i = 0; i < B * B; ++i) wanted[i] = slope[i];
        detail::gram(B, S::size, s, own);
        cosines(B, own, norms);
        distributions(B, own, slope, sums);
        double total = 0;
        for (std::size_t i = 0; i < B * B; ++i)
            total += wanted[i] * std::log((wanted[i] + epsilon) / (slope[i] + epsilon));
        if (ds != nullptr) {
            // own: cosines; slope: p, which becomes the gradient at the cosines, then at the products.
            for (std::size_t i = 0; i < B; ++i) {
                const auto at_p = [&](std::size_t j) {
                    return -wanted[i * B + j] / (slope[i * B + j] + epsilon) / all;
                };
                double mean = 0;
                for (std::size_t j = 0; j < B; ++j) mean = detail::multiply_add(at_p(j), slope[i * B + j], mean);
                for (std::size_t j = 0; j < B; ++j) slope[i * B + j] = (at_p(j) - mean) / sums[i] / 2;
            }
            for (std::size_t i = 0; i < B; ++i) unused[i] = 0;
            for (std::size_t i = 0; i < B; ++i)
                for (std::size_t j = 0; j < B; ++j) {
                    const double back = slope[i * B + j] * own[i * B + j];
                    unused[i] -= back / (norms[i] + epsilon);
                    unused[j] -= back / (norms[j] + epsilon);
                    slope[i * B + j] /= (norms[i] + epsilon) * (norms[j] + epsilon);
                }
            for (std::size_t i = 0; i < B; ++i)
                if (norms[i] > 0) slope[i * B + i] += unused[i] / (2 * norms[i]);
            detail::gram_gradient(B, S::size, s, slope, static_cast<double>(scale) * count, ds);
        }
        return count * total / all;
    }

private:
    void cosines(std::size_t B, double* g, double* norms) const
    {
        for (std::size_t i = 0; i < B; ++i) norms[i] = std::sqrt(g[i * B + i]);
        for (std::size_t i = 0; i < B; ++i)
            for (std::size_t j = 0; j < B; ++j) g[i * B + j] /= (norms[i] + epsilon) * (norms[j] + epsilon);
    }
    static void distributions(std::size_t B, const double* cosine, double* p, double* sums)
    {
        for (std::size_t i = 0; i < B; ++i) {
            sums[i] = 0;
            for (std::size_t j = 0; j < B; ++j) sums[i] += (cosine[i * B + j] + 1) / 2;
            for (std::size_t j = 0; j < B; ++j) p[i * B + j] = (cosine[i * B + j] + 1) / 2 / sums[i];
        }
    }
};

// Correlation congruence as RepDistiller computes it, from the differences Δ_i = |f_s - f_t| of neighbouring rows of the batch:
//   mean over i < B of Σ Δ_i Δ_(i+1)
// Peng et al. 2019 compare Gaussian kernels of the rows instead, which is near to SimilarityPreserving. f_s goes through an
// adapter where widths differ (there both sides do). The sum over rows that it returns is rows · this; one row alone gives 0.
// Usual weight: 0.02.
template <class StudentTap, class TeacherTap, class Adapt = Automatic>
struct CorrelationCongruence {
    static constexpr bool takes_features = true;
    static constexpr bool relates_rows = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;
    using adapter = Adapt;

    template <class F, class T>
    double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const
    {
        constexpr std::size_t n = F::size;
        const double weight = rows > 1 ? static_cast<double>(rows) / static_cast<double>(rows - 1) : 0;
        const auto error = [&](std::size_t r, std::size_t i) {
            return static_cast<double>(s[r * n + i]) - static_cast<double>(t[r * n + i]);
        };
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t i = 0; i < n; ++i) {
                const double e = error(r, i);
                const double before = r > 0 ? std::abs(error(r - 1, i)) : 0;
                const double behind = r + 1 < rows ? std::abs(error(r + 1, i)) : 0;
                total = detail::multiply_add(std::abs(e), behind, total);
                if (ds != nullptr)
                    ds[r * n + i] = static_cast<T>(static_cast<double>(scale) * weight *
                                                   (e > 0   ? before + behind
                                                    : e < 0 ? -before - behind
                                                            : 0));
            }
        return weight * total;
    }
};

template <class StudentTap, class TeacherTap, std::size_t Width = 128>
struct Contrastive;

namespace detail {

template <class S, std::size_t Width>
using embedding = std::conditional_t<S::rank == 1, Network<typename InputOf<S>::type, Dense<Width>>,
                                     Network<typename InputOf<S>::type, Flatten, Dense<Width>>>;

// The two embeddings.
template <class S, class F, std::size_t Width, class P>
class ContrastiveLearner {
    using T = typename P::scalar;

public:
    explicit ContrastiveLearner(Seed seed) : student_{seed}, teacher_{Seed{seed.value + 0x100}} {}

    template <class Term>
    double loss(const Term& term, const LossRows<T>& rows, const T* s, const T* t, T* ds, T scale)
    {
        const std::size_t B = rows.rows;
        const T* own = student_.forward(B, s, rows.team);
        const T* wanted = teacher_.forward(B, t, rows.team);
        Scratch<T> memory{2 * B * Width};
        Scratch<double> numbers{2 * B * B + 2 * B};
        T *u = memory.data(), *v = u + B * Width;
        double *h = numbers.data(), *dh = h + B * B, *u_norms = dh + B * B, *v_norms = u_norms + B;
        normalize(B, own, u, u_norms);
        normalize(B, wanted, v, v_norms);
        for (std::size_t i = 0; i < B; ++i)
            for (std::size_t j = 0; j < B; ++j) {
                h[i * B + j] = dot(Width, u + i * Width, v + j * Width) / term.temperature;
                dh[i * B + j] = 0;
            }
        double total = 0;
        for (std::size_t i = 0; i < B; ++i)
            total += toward(B, i, h + i * B, dh + i * B, 1) + toward(B, i, h + i, dh + i, B);
        const double factor = static_cast<double>(scale) / term.temperature;
        gradient(B, dh, B, 1, v, u, u_norms, factor, student_.output_gradient());
        gradient(B, dh, 1, B, u, v, v_norms, factor, teacher_.output_gradient());
        student_.backward(B, s, ds, rows.first);
        teacher_.backward(B, t, static_cast<T*>(nullptr), rows.first);
        return total;
    }
    template <class Optimizer>
    void update(const Team& team, const Optimizer& optimizer, std::uint64_t t, double factor)
    {
        student_.update(team, optimizer, t, factor);
        teacher_.update(team, optimizer, t, factor);
    }
    void state(State& state, const std::string& name)
    {
        student_.state(state, name + "student/");
        teacher_.state(state, name + "teacher/");
    }
    template <class Visit>
    void each(const std::string& name, Visit&& visit)
    {
        student_.each(name + "student/", visit);
        teacher_.each(name + "teacher/", visit);
    }
    auto& student_network() { return student_.parameters(); }
    auto& teacher_network() { return teacher_.parameters(); }

private:
    static constexpr double least = 1e-12;

    static void normalize(std::size_t B, const T* f, T* u, double* norms)
    {
        for (std::size_t r = 0; r < B; ++r) {
            const double norm = std::sqrt(dot(Width, f + r * Width, f + r * Width));
            norms[r] = norm > least ? norm : least;
            kernels::scale(Width, static_cast<T>(1 / norms[r]), f + r * Width, u + r * Width);
        }
    }
    // -log softmax(h)_i of B values `stride` apart; its gradient is added.
    static double toward(std::size_t B, std::size_t i, const double* h, double* dh, std::size_t stride)
    {
        double most = h[0], sum = 0;
        for (std::size_t j = 0; j < B; ++j) most = h[j * stride] > most ? h[j * stride] : most;
        for (std::size_t j = 0; j < B; ++j) sum += std::exp(h[j * stride] - most);
        for (std::size_t j = 0; j < B; ++j)
            dh[j * stride] += std::exp(h[j * stride] - most) / sum - (j == i ? 1.0 : 0.0);
        return most + std::log(sum) - h[i * stride];
    }
    // The gradient at the embeddings before their norms were taken off: of row r from the others' rows j.
    static void gradient(std::size_t B, const double* dh, std::size_t row, std::size_t column, const T* others,
                         const T* own, const double* norms, double factor, T* to)
    {
        for (std::size_t r = 0; r < B; ++r, to += Width, own += Width) {
            kernels::fill(Width, T(0), to);
            for (std::size_t j = 0; j < B; ++j)
                kernels::axpy(Width, static_cast<T>(factor / norms[r] * dh[r * row + j * column]), others + j * Width,
                              to);
            const double along = norms[r] > least ? dot(Width, static_cast<const T*>(to), own) : 0;
            kernels::axpy(Width, static_cast<T>(-along), own, to);
        }
    }

    Learned<embedding<S, Width>, P> student_;
    Learned<embedding<F, Width>, P> teacher_;
};

}  // namespace detail

// Contrastive distillation (Tian et al. 2020) within the batch: a row's features in both networks should be nearer to each other
// than to those of the batch's other rows. u, v: the student's and the teacher's features, each through a Dense layer of Width
// units that learns along, divided by its norm; h_ij = u_i · v_j / τ. Per row:
//   -log (exp h_ii / Σ_j exp h_ij) - log (exp h_ii / Σ_j exp h_ji)
// The paper contrasts with 16384 rows of a memory bank by noise-contrastive estimation; with the batch's own rows the softmax can be
// summed up (van den Oord et al. 2018) and nothing is kept: use large batches. Its weight is 0.8, τ 0.07, Width 128.
template <class StudentTap, class TeacherTap, std::size_t Width>
struct Contrastive {
    double temperature = 0.07;

    static constexpr bool takes_features = true;
    static constexpr bool relates_rows = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;

    template <class S, class F, class P>
    using learner = detail::ContrastiveLearner<S, F, Width, P>;
};

}  // namespace tenon::inline TENON_ISA::distillation
