// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/feature.hpp>
#include <tenon/distillation/pairs.hpp>

#include <cmath>
#include <vector>

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

// Maps of two sizes are brought to the smaller one, each extent by itself: PyTorch's adaptive average pooling, whose i-th of n
// places covers [⌊i N / n⌋, ⌈(i + 1) N / n⌉).
template <class From, class To>
struct Pooling {
    static constexpr std::size_t H = From::extents[0], W = From::extents[1], C = From::extents[2];
    static constexpr std::size_t h = To::extents[0] < H ? To::extents[0] : H,
                                 w = To::extents[1] < W ? To::extents[1] : W;
    static constexpr std::size_t places = h * w, channels = C;
    static constexpr bool pools = h != H || w != W;

    static constexpr std::size_t begin(std::size_t i, std::size_t N, std::size_t n) { return i * N / n; }
    static constexpr std::size_t end(std::size_t i, std::size_t N, std::size_t n) { return ((i + 1) * N + n - 1) / n; }

    // f(y, x, place, share) for each value's place in the large map and in the small one.
    template <class F>
    static void each(F&& f)
    {
        for (std::size_t i = 0; i < h; ++i)
            for (std::size_t j = 0; j < w; ++j) {
                const std::size_t y0 = begin(i, H, h), y1 = end(i, H, h), x0 = begin(j, W, w), x1 = end(j, W, w);
                const double share = 1.0 / static_cast<double>((y1 - y0) * (x1 - x0));
                for (std::size_t y = y0; y < y1; ++y)
                    for (std::size_t x = x0; x < x1; ++x) f(y * W + x, i * w + j, share);
            }
    }
    // One row: (H, W, C) to (h, w, C).
    template <class T>
    static void pool(const T* from, T* to)
    {
        kernels::fill(places * C, T(0), to);
        each([&](std::size_t large, std::size_t small, double share) {
            kernels::axpy(C, static_cast<T>(share), from + large * C, to + small * C);
        });
    }
    // The gradient, (h, w, C) to (H, W, C).
    template <class T>
    static void spread(const T* dto, T* dfrom)
    {
        kernels::fill(H * W * C, T(0), dfrom);
        each([&](std::size_t large, std::size_t small, double share) {
            kernels::axpy(C, static_cast<T>(share), dto + small * C, dfrom + large * C);
        });
    }
};

template <class S, class F>
struct TakesMaps {
    static constexpr bool value = S::rank == 3 && F::rank == 3;
    static_assert(S::rank == 3 && F::rank == 3,
                  "tenon: this term compares maps: both taps need a shape (height, width, channels).");
};

}  // namespace detail

// Which of two formulas that go by one name.
enum class Form : unsigned char { common, paper };

// Attention transfer (Zagoruyko & Komodakis 2017). Of a row's features (h, w, C):
//   m_k = 1/C Σ_c |f_kc|^p at place k of h · w;   q = m / ‖m‖
//   common: 1/(h w) Σ_k (q_s - q_t)²;   paper: ‖q_s - q_t‖ (equation 2, p = 2 behind the norm)
//   gradient: dm = (dq - q Σ q dq) / ‖m‖;   df_kc = dm_k p |f_kc|^(p - 1) sign(f_kc) / C
// No adapter: widths may differ, and of maps of two sizes the larger one is average-pooled first. The common form, the mean of
// squares, is what the authors' and later code computes, with weight 1000 for each pair of layers; the paper's norm has weight
// β/2, β = 1000 / (h w rows), and no gradient where both maps agree (0 here).
template <class StudentTap, class TeacherTap>
struct AttentionTransfer {
    double power = 2;
    Form form = Form::common;

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
        constexpr std::size_t places = Own::places;
        detail::Scratch<T> pooled{places * (Own::channels > Other::channels ? Own::channels : Other::channels)};
        detail::Scratch<T> slopes{Own::pools ? places * Own::channels : 0};
        std::vector<double> q(places), wanted(places), dq(places);
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r, s += S::size, t += F::size) {
            attend<Other>(small<Other>(t, pooled.data()), wanted.data());
            const T* own = small<Own>(s, pooled.data());
            const double norm = attend<Own>(own, q.data());
            double squares = 0;
            for (std::size_t k = 0; k < places; ++k) {
                dq[k] = q[k] - wanted[k];
                squares = detail::multiply_add(dq[k], dq[k], squares);
            }
            const double length = std::sqrt(squares);
            total += form == Form::paper ? length : squares / static_cast<double>(places);
            if (ds == nullptr) continue;
            const double slope = form == Form::common ? 2 / static_cast<double>(places) : length > 0 ? 1 / length : 0;
            double along = 0;
            for (std::size_t k = 0; k < places; ++k) along = detail::multiply_add(q[k], dq[k], along);
            if (norm <= least) along = 0;  // divided by a constant there
            T* to = ds + r * S::size;
            T* gradient = Own::pools ? slopes.data() : to;
            const double factor = static_cast<double>(scale) * slope * power / static_cast<double>(Own::channels) /
                                  (norm > least ? norm : least);
            for (std::size_t k = 0; k < places; ++k) {
                const double dm = factor * (dq[k] - q[k] * along);
                back(Own::channels, own + k * Own::channels, static_cast<T>(dm), gradient + k * Own::channels);
            }
            if constexpr (Own::pools) Own::spread(static_cast<const T*>(gradient), to);
        }
        return total;
    }

private:
    static constexpr double least = 1e-12;  // norms below are taken for that, as PyTorch does

    template <class Pool, class T>
    static const T* small(const T* f, T* memory)
    {
        if constexpr (Pool::pools) {
            Pool::pool(f, memory);
            return memory;
        } else {
            return f;
        }
    }

    // q of one row; returns ‖m‖.
    template <class Pool, class T>
    double attend(const T* f, double* q) const
    {
        constexpr std::size_t C = Pool::channels;
        double squares = 0;
        for (std::size_t k = 0; k < Pool::places; ++k, f += C) {
            double sum = 0;
            if (power == 2)
                sum = detail::dot(C, f, f);
            else
                for (std::size_t c = 0; c < C; ++c) sum += std::pow(std::abs(static_cast<double>(f[c])), power);
            q[k] = sum / static_cast<double>(C);
            squares = detail::multiply_add(q[k], q[k], squares);
        }
        const double norm = std::sqrt(squares);
        for (std::size_t k = 0; k < Pool::places; ++k) q[k] /= norm > least ? norm : least;
        return norm;
    }

    // df = dm |f|^(p - 1) sign(f)
    template <class T>
    void back(std::size_t C, const T* f, T dm, T* df) const
    {
        if (power == 2) return kernels::scale(C, dm, f, df);
        for (std::size_t c = 0; c < C; ++c) {
            const double value = static_cast<double>(f[c]);
            const double steep = value == 0 ? 0 : std::pow(std::abs(value), power - 1);
            df[c] = static_cast<T>(static_cast<double>(dm) * (value < 0 ? -steep : steep));
        }
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
