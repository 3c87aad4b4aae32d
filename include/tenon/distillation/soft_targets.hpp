// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/term.hpp>
#include <tenon/kernels/elementwise.hpp>

namespace tenon::inline TENON_ISA::distillation {

// Per row: T² KL(p_t ‖ p_s), p = softmax(z / T);   gradient T (p_s - p_t).
// z: logits (rows, …, C), classes last; with several positions in a row (a sequence, an image) their mean.
// Hinton, Vinyals & Dean 2015 write the cross-entropy -Σ p_t log p_s; the teacher's entropy, a constant, is taken off
// here, so that the loss is 0 where both agree. T² keeps the gradient's size when T changes, always (torchdistill leaves it
// out where the hard-label term has weight 0). Usual: 0.1 · CrossEntropy + 0.9 · SoftTargets at T = 4.
// Label smoothing is this term at T = 1 with a teacher to whom all classes are the same (Yuan et al. 2020): for that, use
// CrossEntropy{.label_smoothing}, which needs no teacher.
struct SoftTargets {
    double temperature = 4;

    static constexpr bool takes_teacher = true;
    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = gives_probabilities<Layer>;

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target*, T* dy, T scale) const
    {
        constexpr std::size_t C = Output::last, positions = Output::outer;
        using R = tenon::detail::LossRow<T, C>;
        using V = typename R::P;
        // Step by step over several rows: a row that is read right after it was written, in other pieces, waits for its
        // stores (64 rows of 10 classes took 14 us instead of 7).
        constexpr std::size_t most = C < 1024 ? 1024 / C : 1;
        const T inverse = static_cast<T>(1 / temperature);
        const T factor = scale * static_cast<T>(temperature / positions);
        detail::Scratch<T> memory{4 * most * C};
        T *own = memory.data(), *wanted = own + most * C, *p = wanted + most * C, *q = p + most * C;
        kernels::LogSumExp<T> own_sum[most], wanted_sum[most];
        double total = 0;
        for (std::size_t first = 0; first < rows * positions; first += most) {
            const std::size_t count = rows * positions - first < most ? rows * positions - first : most;
            kernels::scale(count * C, inverse, y + first * C, own);
            kernels::scale(count * C, inverse, teacher + first * C, wanted);
            for (std::size_t r = 0; r < count; ++r) {
                own_sum[r] = kernels::log_sum_exp<C>(own + r * C, p + r * C);
                wanted_sum[r] = kernels::log_sum_exp<C>(wanted + r * C, q + r * C);
            }
            for (std::size_t r = 0; r < count; ++r) {
                // KL(q ‖ p); a class that the teacher rules out adds nothing.
                const V m = own_sum[r].maximum, n = wanted_sum[r].maximum, zero = T(0);
                const V apart = own_sum[r].log_sum - wanted_sum[r].log_sum;
                V sum = zero;
                R::each([&](std::size_t c, auto lanes) TENON_LAMBDA_INLINE {
                    const V share = R::load(q + r * C + c, lanes);
                    const V logs = (R::load(wanted + r * C + c, lanes) - n) - (R::load(own + r * C + c, lanes) - m);
                    sum += R::inside(select(share == zero, zero, share * (logs + apart)), T(0), lanes);
                });
                total += static_cast<double>(reduce_add(sum));
            }
            if (dy == nullptr) continue;
            kernels::combine(count * C, static_cast<const T*>(p), static_cast<const T*>(q), dy + first * C,
                             [factor]<class P>(P a, P b) TENON_LAMBDA_INLINE { return P(factor) * (a - b); });
        }
        return temperature * temperature / positions * total;
    }
};

// Each output is the logit of an independent yes-or-no answer: a binary classifier, or several labels at once.
// Per row, with p = sigmoid(z / T):   T²/n Σ KL((p_t, 1 - p_t) ‖ (p_s, 1 - p_s));   gradient T (p_s - p_t) / n
// z: logits (rows, n) of any rank. A final Sigmoid is absorbed. SoftTargets with two classes each, logits (z, 0).
struct BinarySoftTargets {
    double temperature = 4;

    static constexpr bool takes_teacher = true;
    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = std::is_same_v<Layer, Sigmoid>;

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target*, T* dy, T scale) const
    {
        const T inverse = static_cast<T>(1 / temperature);
        const T factor = static_cast<T>(temperature);
        return temperature * temperature *
               mean_over_outputs<Output>(rows, y, teacher, dy, scale * factor, [inverse]<class V>(V own, V wanted) {
                   const V s = V(inverse) * own, t = V(inverse) * wanted;
                   const V yes = kernels::sigmoid(t), no = kernels::sigmoid(-t);
                   const V first = yes * (kernels::softplus(-s) - kernels::softplus(-t));
                   const V loss = fma(no, kernels::softplus(s) - kernels::softplus(t), first);
                   return LossAndSlope<V>{loss, kernels::sigmoid(s) - yes};
               });
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
