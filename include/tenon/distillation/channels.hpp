// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/attention.hpp>

namespace tenon::inline TENON_ISA::distillation {

// Neuron selectivity transfer (Huang & Wang 2017, equation 6, with the polynomial kernel of d = 2 and c = 0). Of a row's features
// the channels f_c as vectors over the h · w places, each divided by its norm; k(a, b) = (a · b)²:
//   mean over pairs of k(t, t') + mean of k(s, s') - 2 mean of k(s, t)
// the squared maximum mean discrepancy. Any two widths; of maps of two sizes the larger one is average-pooled first. The
// authors' weight is 50 (they halve it: 5e1 / 2).
template <class StudentTap, class TeacherTap>
struct NeuronSelectivity {
    static constexpr bool takes_features = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;

    template <class S, class F>
    using takes_shapes = detail::TakesMaps<S, F>;

    template <class S, class F, class T>
    double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const
    {
        using Own = detail::Pooling<S, F>;
        using Other = detail::Pooling<F, S>;
        constexpr std::size_t P = Own::places, C = Own::channels, D = Other::channels;
        detail::Scratch<T> memory{2 * P * (C + D) + C * C + C * D + D * D + C + D};
        T *pooled = memory.data(), *own = pooled + P * (C + D), *wanted = own + P * C, *ss = wanted + P * D;
        T *st = ss + C * C, *tt = st + C * D, *own_norms = tt + D * D, *wanted_norms = own_norms + C;
        const auto mean_square = [](std::size_t n, const T* k) {
            return detail::dot(n, k, k) / static_cast<double>(n);
        };
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r, s += S::size, t += F::size) {
            normalize<Own>(s, pooled, own, own_norms);
            normalize<Other>(t, pooled, wanted, wanted_norms);
            products<P, C, C>(own, own, ss);
            products<P, C, D>(own, wanted, st);
            products<P, D, D>(wanted, wanted, tt);
            total += mean_square(D * D, tt) + mean_square(C * C, ss) - 2 * mean_square(C * D, st);
            if (ds == nullptr) continue;
            // At the normalised channels: 4 / C² Ŝ (ŜᵀŜ) - 4 / (C D) T̂ (ŜᵀT̂)ᵀ.
            T* to = ds + r * S::size;
            T* gradient = Own::pools ? pooled : to;
            const auto with_own = static_cast<T>(4.0 / static_cast<double>(C * C));
            const auto with_other = static_cast<T>(-4.0 / static_cast<double>(C * D));
            detail::Scratch<T> along{C};
            kernels::fill(C, T(0), along.data());
            for (std::size_t k = 0; k < P; ++k) {
                T* g = gradient + k * C;
                kernels::fill(C, T(0), g);
                for (std::size_t c = 0; c < C; ++c) {
                    kernels::axpy(C, with_own * own[k * C + c], ss + c * C, g);
                    g[c] += with_other * static_cast<T>(detail::dot(D, st + c * D, wanted + k * D));
                }
                for (std::size_t c = 0; c < C; ++c) along.data()[c] += g[c] * own[k * C + c];
            }
            for (std::size_t c = 0; c < C; ++c)
                if (own_norms[c] <= least<T>) along.data()[c] = T(0);
            for (std::size_t k = 0; k < P; ++k)
                for (std::size_t c = 0; c < C; ++c) {
                    const T norm = own_norms[c] > least<T> ? own_norms[c] : least<T>;
                    T& g = gradient[k * C + c];
                    g = scale * (g - own[k * C + c] * along.data()[c]) / norm;
                }
            if constexpr (Own::pools) Own::spread(static_cast<const T*>(gradient), to);
        }
        return total;
    }

private:
    template <class T>
    static constexpr T least = T(1e-12);

    // to: (places, channels), each channel divided by its norm.
    template <class Pool, class T>
    static void normalize(const T* f, T* pooled, T* to, T* norms)
    {
        constexpr std::size_t P = Pool::places, C = Pool::channels;
        if constexpr (Pool::pools) {
            Pool::pool(f, pooled);
            f = pooled;
        }
        for (std::size_t c = 0; c < C; ++c) {
            double squares = 0;
            for (std::size_t k = 0; k < P; ++k)
                squares = detail::multiply_add(static_cast<double>(f[k * C + c]), static_cast<double>(f[k * C + c]),
                                               squares);
            norms[c] = static_cast<T>(std::sqrt(squares));
        }
        for (std::size_t k = 0; k < P; ++k)
            for (std::size_t c = 0; c < C; ++c)
                to[k * C + c] = f[k * C + c] / (norms[c] > least<T> ? norms[c] : least<T>);
    }

    // k = aᵀ b.   a: (P, A), b: (P, B), k: (A, B)
    template <std::size_t P, std::size_t A, std::size_t B, class T>
    static void products(const T* a, const T* b, T* k)
    {
        kernels::fill(A * B, T(0), k);
        for (std::size_t p = 0; p < P; ++p)
            for (std::size_t i = 0; i < A; ++i) kernels::axpy(B, a[p * A + i], b + p * B, k + i * B);
    }
};

// Factor transfer (Kim et al. 2018, equation 3 with p = 1): the student's features, translated by layers that learn along, and the
// teacher's, each row divided by its norm. Per row: 1/n Σ |f̂_s - f̂_t|;   gradient (g - f̂ Σ f̂ g) / ‖f‖, g = sign(f̂_s - f̂_t) / n
// The paper's paraphraser, an autoencoder that first learns to compress the teacher's features, is a network of its own here:
// train it, put its encoder behind the teacher's layers, and tap that. Without one, the features are the factors. Usual
// weight: 200.
template <class StudentTap, class TeacherTap, class Adapt = Automatic>
struct FactorTransfer {
    static constexpr bool takes_features = true;
    using student_tap = StudentTap;
    using teacher_tap = TeacherTap;
    using adapter = Adapt;

    template <class F, class T>
    double operator()(std::size_t rows, const T* s, const T* t, T* ds, T scale) const
    {
        constexpr std::size_t n = F::size;
        static constexpr double least = 1e-12;
        const auto norm = [](const T* f) {
            const double length = std::sqrt(detail::dot(n, f, f));
            return length > least ? length : least;
        };
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r, s += n, t += n) {
            const double own = norm(s), wanted = norm(t);
            double sum = 0, along = 0;
            // Divided, not multiplied by an inverse: a compiler may round only one of two products before their difference, and
            // the sign of what is left of equal features would be noise.
            const auto factors = [&](std::size_t i) {
                return std::pair{static_cast<double>(s[i]) / own, static_cast<double>(t[i]) / wanted};
            };
            for (std::size_t i = 0; i < n; ++i) {
                const auto [f, g] = factors(i);
                const double e = f - g;
                sum += std::abs(e);
                along += e > 0 ? f : e < 0 ? -f : 0;
            }
            total += sum / static_cast<double>(n);
            if (ds == nullptr) continue;
            if (own <= least) along = 0;
            const double factor = static_cast<double>(scale) / (own * static_cast<double>(n));
            for (std::size_t i = 0; i < n; ++i) {
                const auto [f, g] = factors(i);
                ds[r * n + i] = static_cast<T>(factor * ((f > g ? 1.0 : f < g ? -1.0 : 0.0) - f * along));
            }
        }
        return total;
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
