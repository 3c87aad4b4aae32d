// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/term.hpp>

namespace tenon::inline TENON_ISA::distillation {

// Logit standardisation (Sun et al. 2024, algorithm 1) around a term of logits: Standardized{SoftTargets{.temperature = 2}}.
// Of both networks, per row and position: u = (z - mean(z)) / (s + 1e-7), s² = Σ (z - mean(z))² / (C - 1). The student need not match
// the size of the teacher's logits, only their relations.
//   gradient: dz = (g - mean(g)) / (s + 1e-7) - (Σ g u) u / ((C - 1) s), g the term's gradient at u
// A row of equal logits (s = 0, one class included) becomes zeros, and its second part of the gradient too, where PyTorch
// gives NaN. The authors keep T², with T = 2, weight 9, and 0.1 · CrossEntropy.
template <class Term>
struct Standardized {
    Term term;

    static constexpr bool takes_teacher = true;
    static constexpr bool takes_labels = detail::takes_labels<Term>();
    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = tenon::absorbs<Term, Layer>();

    template <class Output>
    struct takes {
        static constexpr bool value = takes_output<Term, Output>();
    };

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target* target, T* dy, T scale) const
    {
        static_assert(detail::takes_teacher<Term>(),
                      "tenon: Standardized takes a term that compares with the teacher.");
        constexpr std::size_t C = Output::last;
        const std::size_t count = rows * Output::outer;
        detail::Scratch<T> memory{2 * count * C + 2 * count};
        T *own = memory.data(), *wanted = own + count * C;
        T *deviations = wanted + count * C, *others = deviations + count;
        standardize<C>(count, y, own, deviations);
        standardize<C>(count, teacher, wanted, others);
        const double total = term.template operator()<Output>(rows, static_cast<const T*>(own),
                                                              static_cast<const T*>(wanted), target, dy, scale);
        if (dy != nullptr) gradient<C>(count, own, deviations, dy);
        return total;
    }

private:
    template <std::size_t C, class T>
    static void standardize(std::size_t count, const T* z, T* u, T* deviations)
    {
        using R = tenon::detail::LossRow<T, C>;
        using V = typename R::P;
        for (std::size_t r = 0; r < count; ++r, z += C, u += C) {
            V sum = T(0), squares = T(0);
            R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE { sum += R::load(z + i, lanes); });
            const V mean = reduce_add(sum) / static_cast<T>(C);
            R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
                const V e = R::inside(R::load(z + i, lanes) - mean, T(0), lanes);
                squares = fma(e, e, squares);
            });
            const T divisor = C > 1 ? static_cast<T>(C - 1) : T(1);
            deviations[r] = sqrt(simd::Pack<T, 1>(reduce_add(squares) / divisor)).lanes;
            const V inverse = T(1) / (deviations[r] + epsilon<T>);
            R::each([&](std::size_t i, auto lanes)
                        TENON_LAMBDA_INLINE { R::store(u + i, (R::load(z + i, lanes) - mean) * inverse, lanes); });
        }
    }

    // dy, the gradient at u, becomes the one at z.
    template <std::size_t C, class T>
    static void gradient(std::size_t count, const T* u, const T* deviations, T* dy)
    {
        using R = tenon::detail::LossRow<T, C>;
        using V = typename R::P;
        for (std::size_t r = 0; r < count; ++r, u += C, dy += C) {
            V sum = T(0), dot = T(0);
            R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
                const V g = R::load(dy + i, lanes);
                sum += g;
                dot = fma(g, R::load(u + i, lanes), dot);
            });
            const V mean = reduce_add(sum) / static_cast<T>(C);
            const V inverse = T(1) / (deviations[r] + epsilon<T>);
            const V back = C > 1 && deviations[r] > T(0) ? -reduce_add(dot) / (static_cast<T>(C - 1) * deviations[r])
                                                         : T(0);
            R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
                const V even = (R::load(dy + i, lanes) - mean) * inverse;
                R::store(dy + i, fma(back, R::load(u + i, lanes), even), lanes);
            });
        }
    }

    template <class T>
    static constexpr T epsilon = T(1e-7);
};
template <class Term>
Standardized(Term) -> Standardized<Term>;

}  // namespace tenon::inline TENON_ISA::distillation
