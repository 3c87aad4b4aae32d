// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/distillation/batch_relations.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

// The two embeddings, and of each row of the dataset what they were when it was last met.
template <class S, class F, std::size_t Width, class P>
class ContrastiveBankLearner {
    using T = typename P::scalar;

public:
    explicit ContrastiveBankLearner(Seed seed)
        : student_{seed}, teacher_{Seed{seed.value + 0x100}}, seed_{Seed{seed.value + 0x200}}
    {}

    template <class Term>
    double loss(const Term& term, const LossRows<T>& rows, const T* s, const T* t, T* ds, T scale)
    {
        if (rows.numbers == nullptr) no_numbers();
        reserve(term, rows.rows);
        // Each row's own draws, whatever the batch and the threads.
        rows.team.split(rows.rows, 1, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t r = begin; r < end; ++r) {
                Random random{seed_, (step_ << 32) + rows.numbers[r]};
                std::uint32_t* drawn = drawn_.data() + r * term.negatives;
                for (std::size_t k = 0; k < term.negatives; ++k) {
                    const auto other = static_cast<std::uint32_t>(random.below(rows_ - 1));
                    drawn[k] = other < rows.numbers[r] ? other : other + 1;
                }
            }
        });
        return contrast(term, rows, drawn_.data(), s, t, ds, scale);
    }

    // drawn: (rows, negatives), the rows of the bank that each row is contrasted with.
    template <class Term>
    double contrast(const Term& term, const LossRows<T>& rows, const std::uint32_t* drawn, const T* s, const T* t,
                    T* ds, T scale)
    {
        if (rows.numbers == nullptr) no_numbers();
        reserve(term, rows.rows);
        const std::size_t B = rows.rows, K = term.negatives;
        for (std::size_t r = 0; r < B; ++r)
            if (rows.numbers[r] >= rows_) no_place(rows.numbers[r]);
        const T* own = student_.forward(B, s, rows.team);
        const T* wanted = teacher_.forward(B, t, rows.team);
        if (rows.first) {
            met_.clear();
            batches_.clear();
        }
        const std::size_t before = met_.size();
        met_.insert(met_.end(), rows.numbers, rows.numbers + B);
        embedded_.resize(2 * met_.size() * Width);
        T *u = embedded_.data() + 2 * before * Width, *v = u + B * Width;
        Scratch<double> numbers{4 * B};
        double *u_norms = numbers.data(), *v_norms = u_norms + B, *sums = v_norms + B;
        normalize(B, own, u, u_norms);
        normalize(B, wanted, v, v_norms);
        T *du = student_.output_gradient(), *dv = teacher_.output_gradient();

        // h, first exp h, of (B, 1 + K) pairs: the row itself comes first.
        const auto similar = [&](const T* bank, const T* embedded, double* h) {
            rows.team.split(B, 1, 1, [&](std::size_t begin, std::size_t end) {
                for (std::size_t r = begin; r < end; ++r)
                    for (std::size_t k = 0; k <= K; ++k) {
                        if (k + ahead <= K) simd::prefetch(bank + drawn[r * K + k + ahead - 1] * Width);
                        const std::size_t other = k == 0 ? rows.numbers[r] : drawn[r * K + k - 1];
                        h[r * (K + 1) + k] = std::exp(dot(Width, bank + other * Width, embedded + r * Width) /
                                                      term.temperature);
                    }
            });
        };
        const auto direction = [&](const T* bank, const T* embedded, const double* norms, double& z, T* to,
                                   double* sum) {
            double* h = pairs_.data();
            similar(bank, embedded, h);
            if (z == 0) {
                for (std::size_t i = 0; i < B * (K + 1); ++i) z += h[i];
                z *= static_cast<double>(rows_) / static_cast<double>(B * (K + 1));
            }
            const double chance = static_cast<double>(K) / static_cast<double>(rows_);
            rows.team.split(B, 1, 1, [&](std::size_t begin, std::size_t end) {
                for (std::size_t r = begin; r < end; ++r) {
                    T* gradient = to + r * Width;
                    kernels::fill(Width, T(0), gradient);
                    sum[r] = 0;
                    double product = 1;  // one logarithm for eight quotients
                    for (std::size_t k = 0; k <= K; ++k) {
                        const double p = h[r * (K + 1) + k] / z, all = p + chance + term.epsilon;
                        product *= (k == 0 ? p : chance) / all;
                        if (k % 8 == 7 || k == K) {
                            sum[r] -= std::log(product);
                            product = 1;
                        }
                        const double slope = k == 0 ? p / all - 1 : p / all;
                        const std::size_t other = k == 0 ? rows.numbers[r] : drawn[r * K + k - 1];
                        kernels::axpy(Width, static_cast<T>(slope), bank + other * Width, gradient);
                    }
                    // Through the division by the norm.
                    const T* unit = embedded + r * Width;
                    const double along = norms[r] > least ? dot(Width, static_cast<const T*>(gradient), unit) : 0;
                    kernels::axpy(Width, static_cast<T>(-along), unit, gradient);
                    kernels::scale(Width, static_cast<T>(static_cast<double>(scale) / (term.temperature * norms[r])),
                                   static_cast<const T*>(gradient), gradient);
                }
            });
        };
        direction(bank_of_teacher(), u, u_norms, student_z_, du, sums);
        direction(bank_of_student(), v, v_norms, teacher_z_, dv, sums + B);
        student_.backward(B, s, ds, rows.first);
        teacher_.backward(B, t, static_cast<T*>(nullptr), rows.first);
        momentum_ = term.momentum;
        batches_.push_back(B);
        double total = 0;
        for (std::size_t r = 0; r < 2 * B; ++r) total += sums[r];
        return total;
    }

    // The bank moves with the step, not with the loss: a loss that is asked twice is the same twice.
    template <class Optimizer>
    void update(const Team& team, const Optimizer& optimizer, std::uint64_t t, double factor)
    {
        student_.update(team, optimizer, t, factor);
        teacher_.update(team, optimizer, t, factor);
        step_ = t;
        std::size_t first = 0;
        for (const std::size_t count : batches_) {
            const T* u = embedded_.data() + 2 * first * Width;
            for (std::size_t r = 0; r < count; ++r) {
                remember(bank_of_student() + met_[first + r] * Width, u + r * Width);
                remember(bank_of_teacher() + met_[first + r] * Width, u + (count + r) * Width);
            }
            first += count;
        }
        batches_.clear();
        met_.clear();
    }
    void state(State& state, const std::string& name)
    {
        student_.state(state, name + "student/");
        teacher_.state(state, name + "teacher/");
        std::uint64_t rows = rows_;
        state.value(name + "rows", rows);
        state.value(name + "step", step_);
        state.value(name + "student_z", student_z_);
        state.value(name + "teacher_z", teacher_z_);
        if (rows_ != rows) {
            rows_ = static_cast<std::size_t>(rows);
            bank_ = AlignedBuffer<T>{2 * rows_ * Width};
        }
        if (rows_ == 0) return;
        const std::size_t extents[] = {2, rows_, Width};
        state.piece(name + "bank", {std::is_same_v<T, float> ? State::Kind::f32 : State::Kind::f64, extents, 3,
                                    2 * rows_ * Width, bank_.data()});
    }
    template <class Visit>
    void each(const std::string& name, Visit&& visit)
    {
        student_.each(name + "student/", visit);
        teacher_.each(name + "teacher/", visit);
    }
    auto& student_network() { return student_.parameters(); }
    auto& teacher_network() { return teacher_.parameters(); }
    // (rows, Width) each, once there has been a loss or a reserve.
    T* bank_of_student() { return bank_.data(); }
    T* bank_of_teacher() { return bank_.data() + rows_ * Width; }

    // Makes the bank where there is none: values in ±√(3 / Width), as the authors' code.
    template <class Term>
    void reserve(const Term& term, std::size_t rows)
    {
        if (rows_ == 0) {
            if (term.rows < 2 || term.rows > std::numeric_limits<std::uint32_t>::max()) no_rows(term.rows);
            rows_ = term.rows;
            bank_ = AlignedBuffer<T>{2 * rows_ * Width};
            Random random{seed_, ~std::uint64_t{0}};
            const double most = std::sqrt(3.0 / static_cast<double>(Width));
            for (std::size_t i = 0; i < 2 * rows_ * Width; ++i)
                bank_[i] = static_cast<T>(most * (2 * random.uniform() - 1));
        }
        if (term.rows != rows_) other_rows(term.rows);
        if (drawn_.size() < rows * term.negatives) {
            drawn_.resize(rows * term.negatives);
            pairs_.resize(rows * (term.negatives + 1));
        }
    }

private:
    static constexpr double least = 1e-12;
    static constexpr std::size_t ahead = 8;

    static void normalize(std::size_t B, const T* f, T* u, double* norms)
    {
        for (std::size_t r = 0; r < B; ++r) {
            const double norm = std::sqrt(dot(Width, f + r * Width, f + r * Width));
            norms[r] = norm > least ? norm : least;
            kernels::scale(Width, static_cast<T>(1 / norms[r]), f + r * Width, u + r * Width);
        }
    }
    // place: the mean of what is there and what is new, with norm 1.
    void remember(T* place, const T* embedded)
    {
        kernels::scale(Width, static_cast<T>(momentum_), static_cast<const T*>(place), place);
        kernels::axpy(Width, static_cast<T>(1 - momentum_), embedded, place);
        const double norm = std::sqrt(dot(Width, static_cast<const T*>(place), static_cast<const T*>(place)));
        if (norm > least) kernels::scale(Width, static_cast<T>(1 / norm), static_cast<const T*>(place), place);
    }

    [[noreturn]] static void no_numbers()
    {
        throw Error(
            "tenon: ContrastiveBank remembers each row of a dataset by its number, and these rows have none: train "
            "with "
            "fit(), or use Contrastive");
    }
    [[noreturn]] static void no_rows(std::size_t rows)
    {
        throw Error(sentence(
            "tenon: ContrastiveBank: rows: expected the number of rows of the dataset, at least 2, found ", rows));
    }
    [[noreturn]] void no_place(std::size_t number) const
    {
        throw Error(sentence("tenon: ContrastiveBank: the bank has ", rows_, " rows, and the dataset has a row ",
                             number, ": .rows is the dataset's size()"));
    }
    [[noreturn]] void other_rows(std::size_t rows) const
    {
        throw Error(sentence("tenon: ContrastiveBank: the bank has ", rows_, " rows, and now .rows is ", rows));
    }

    Learned<embedding<S, Width>, P> student_;
    Learned<embedding<F, Width>, P> teacher_;
    Seed seed_;
    std::uint64_t step_ = 0;
    double momentum_ = 0, student_z_ = 0, teacher_z_ = 0;  // z: 0 before the first batch
    std::size_t rows_ = 0;
    AlignedBuffer<T> bank_;             // (2, rows, Width): the student's, the teacher's
    std::vector<std::uint32_t> drawn_;  // (batch, negatives)
    std::vector<double> pairs_;         // (batch, 1 + negatives)
    std::vector<std::uint32_t> met_;    // the rows of the step so far, and
    std::vector<T> embedded_;           // of each batch of it (2, batch, Width): what they are now
    std::vector<std::size_t> batches_;
};

}  // namespace detail

// Contrastive representation distillation with a memory bank (Tian et al. 2020, equations 10 to 18): a row's features in one
// network should be nearer to what the bank holds of it in the other one than to `negatives` other rows of the bank. u, v: the
// features of student and teacher, each through a Dense layer of Width units that learns along, divided by its norm; m, n: the
// bank's entries of student and teacher; N: rows of the dataset. Per row i, with j over the K rows drawn for it:
//   -log (P_i / (P_i + K/N + ε)) - Σ_j log ((K/N) / (P_j + K/N + ε)),   P_j = exp(u · n_j / τ) / Z
// and the same with v and m. Z is N times the mean of exp over the first batch, and fixed from there. After each step the bank's
// entries of its rows become momentum · m + (1 - momentum) · u, with norm 1.
// The gradient at u: [(P_i / D_i - 1) n_i + Σ_j P_j / D_j n_j] / τ, D = P + K/N + ε; the bank has none.
// Other rows are drawn uniformly among all, but for the row itself (the authors' code also offers those of other classes only).
// The bank holds 2 · rows · Width numbers (bank_bytes), which stand in checkpoints, and is allocated once. It needs rows with
// numbers: fit on a dataset of `rows` rows. One step takes 2 · batch · K products of Width numbers and as many sums: with the
// paper's K that is the most of a small student's step, and a smaller one serves small datasets. Usual weight: 0.8.
template <class StudentTap, class TeacherTap, std::size_t Width = 128>
struct ContrastiveBank {
    std::size_t rows = 0;
    std::size_t negatives = 16384;
    double temperature = 0.07;
    double momentum = 0.5;
    double epsilon = 1e-7;

    static constexpr bool takes_features = true;
    static constexpr bool relates_rows = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;

    template <class S, class F, class P>
    using learner = detail::ContrastiveBankLearner<S, F, Width, P>;

    // Of the bank, for networks of precision P.
    template <class P = Float32>
    constexpr std::size_t bank_bytes() const
    {
        return 2 * rows * Width * sizeof(typename P::scalar);
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
