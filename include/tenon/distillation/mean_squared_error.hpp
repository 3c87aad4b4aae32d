// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/term.hpp>

namespace tenon::inline TENON_ISA::distillation {

// Per row: 1/C Σ (p_s - p_t)², p = softmax(z);   gradient 2/C p_i (e_i - Σ e_j p_j), e = p_s - p_t.
// z: logits (rows, …, C), classes last; with several positions in a row their mean. The mean squared difference of two
// classifiers' outputs. Small beside a cross-entropy: no probability differs by more than 1. For networks that give
// numbers instead of classes, use MatchOutputs.
struct MeanSquaredError {
    static constexpr bool takes_teacher = true;
    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = gives_probabilities<Layer>;

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target*, T* dy, T scale) const
    {
        constexpr std::size_t C = Output::last, positions = Output::outer;
        using Row = detail::SoftRow<C, T>;
        using R = typename Row::R;
        using V = typename Row::V;
        const V factor = static_cast<T>(2.0 / (C * positions)) * scale;
        detail::Scratch<T> memory{4 * C};
        double total = 0;
        for (std::size_t i = 0; i < rows * positions; ++i) {
            const Row wanted{teacher + i * C, T(1), memory.data()}, own{y + i * C, T(1), memory.data() + 2 * C};
            V squares = T(0), dot = T(0);  // behind the row both probabilities are 0
            R::each([&](std::size_t c, auto lanes) TENON_LAMBDA_INLINE {
                const V p = own.probability(c, lanes), e = p - wanted.probability(c, lanes);
                squares = fma(e, e, squares);
                dot = fma(e, p, dot);
            });
            total += static_cast<double>(reduce_add(squares));
            if (dy == nullptr) continue;
            const V mean = reduce_add(dot);
            R::each([&](std::size_t c, auto lanes) TENON_LAMBDA_INLINE {
                const V p = own.probability(c, lanes), e = p - wanted.probability(c, lanes);
                R::store(dy + i * C + c, factor * (p * (e - mean)), lanes);
            });
        }
        return total / static_cast<double>(C * positions);
    }
};

// Per row: 1/n Σ (z_s - z_t)² over the logits;   gradient 2 (z_s - z_t) / n.   z: logits (rows, n) of any rank.
// Ba & Caruana 2014 (they write half the sum); the limit of SoftTargets at high T is the same on centred logits, times ½
// (Hinton et al. 2015, section 2.1; Kim et al. 2021 compare both). Weights are tuned by the task.
struct LogitMeanSquaredError {
    static constexpr bool takes_teacher = true;
    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = gives_probabilities<Layer> || std::is_same_v<Layer, Sigmoid>;

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target*, T* dy, T scale) const
    {
        return mean_over_outputs<Output>(rows, y, teacher, dy, scale, []<class V>(V own, V wanted) {
            const V error = own - wanted;
            return LossAndSlope<V>{error * error, error + error};
        });
    }
};

// A loss of real targets with the teacher's outputs in the place of the targets: MatchOutputs{Huber{.delta = 2}}. For
// regressions. No final layer is absorbed for it: outputs are compared as the networks give them.
template <class Loss>
struct MatchOutputs {
    Loss loss;

    static constexpr bool takes_teacher = true;

    template <class Output>
    struct takes {
        static constexpr bool of_outputs = !(tenon::absorbs<Loss, Softmax>() || tenon::absorbs<Loss, Sigmoid>());
        static constexpr bool value = of_outputs && takes_output<Loss, Output>();
        static_assert(of_outputs,
                      "tenon: MatchOutputs takes a loss of real targets, such as Huber: for the outputs of "
                      "classifiers, use SoftTargets or BinarySoftTargets.");
    };

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target*, T* dy, T scale) const
    {
        return loss_sum<Output>(loss, rows, y, teacher, dy, scale);
    }
};
template <class Loss>
MatchOutputs(Loss) -> MatchOutputs<Loss>;

}  // namespace tenon::inline TENON_ISA::distillation
