// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/distillation/term.hpp>
#include <tenon/losses/cross_entropy.hpp>

namespace tenon::inline TENON_ISA::distillation {

// Decoupled knowledge distillation (Zhao et al. 2022, equation 7). Per row, with p = softmax(z / T), label y,
// b = (p_y, 1 - p_y), p̂ = softmax over the other classes:
//   T² [alpha KL(b_t ‖ b_s) + beta KL(p̂_t ‖ p̂_s)]
//   gradient at y: T alpha (b_s - b_t);   at j ≠ y: T [beta (p̂_s - p̂_t) - alpha (b_s - b_t) p̂_s]
// z: logits (rows, C); targets: std::int32_t labels. SoftTargets is alpha = 1, beta = 1 - p_y of the teacher.
// The others' softmax leaves the label's column out. The authors' code adds -1000 to it, which breaks where logits are
// large or precision is low. Defaults as theirs, which also multiply by min(epoch / 20, 1) at the start; that is a matter
// of the training and not part of the loss.
struct Decoupled {
    double alpha = 1;
    double beta = 8;
    double temperature = 4;

    static constexpr bool takes_teacher = true;
    static constexpr bool takes_labels = true;
    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = gives_probabilities<Layer>;

    template <class Output>
    struct takes {
        static constexpr bool value = Output::rank == 1;
        static_assert(Output::rank == 1, "tenon: Decoupled takes one row of logits: put Flatten before it.");
    };

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target* target, T* dy, T scale) const
    {
        static_assert(std::is_same_v<Target, std::int32_t>, "tenon: Decoupled takes std::int32_t labels.");
        double total = 0;
        // After a wrong type nothing else is reported.
        if constexpr (std::is_same_v<Target, std::int32_t>) {
            constexpr std::size_t C = Output::size;
            detail::Scratch<T> memory{4 * C};
            for (std::size_t r = 0; r < rows; ++r) {
                if (target[r] < 0 || static_cast<std::size_t>(target[r]) >= C)
                    return tenon::detail::label_out_of_range(r, target[r], C, "Decoupled");
                T* gradient = dy == nullptr ? nullptr : dy + r * C;
                // A single class is certain: nothing to learn.
                if constexpr (C == 1) {
                    if (gradient != nullptr) *gradient = T(0);
                } else {
                    total += row<C>(y + r * C, teacher + r * C, static_cast<std::size_t>(target[r]), gradient, scale,
                                    memory.data());
                }
            }
        }
        return temperature * temperature * total;
    }

private:
    template <std::size_t C, class T>
    double row(const T* y, const T* teacher, std::size_t label, T* dy, T scale, T* memory) const
    {
        using Row = detail::SoftRow<C, T>;
        using V = typename Row::V;
        using S = simd::Pack<T, 1>;
        const T inverse = static_cast<T>(1 / temperature);
        const Row wanted{teacher, inverse, memory, label}, own{y, inverse, memory + 2 * C, label};
        // The logit of "the label": its distance from log Σ exp of the others. p_y = sigmoid of it.
        const auto margin = [&](const T* logits, const Row& others) {
            return S((inverse * logits[label] - others.sum().maximum) - others.sum().log_sum);
        };
        const S s = margin(y, own), t = margin(teacher, wanted);
        const S yes = kernels::sigmoid(t), no = kernels::sigmoid(-t);
        const S first = yes * (kernels::softplus(-s) - kernels::softplus(-t));
        const S binary = fma(no, kernels::softplus(s) - kernels::softplus(t), first);
        const double others = detail::divergence(wanted, own);
        if (dy != nullptr) {
            const T factor = scale * static_cast<T>(temperature);
            const T slope = factor * static_cast<T>(alpha) * (kernels::sigmoid(s) - yes).lanes;
            const V minus = -slope, spread = factor * static_cast<T>(beta);
            Row::R::each([&](std::size_t c, auto lanes) TENON_LAMBDA_INLINE {
                const V p = own.probability(c, lanes);
                Row::R::store(dy + c, fma(minus, p, spread * (p - wanted.probability(c, lanes))), lanes);
            });
            dy[label] = slope;
        }
        return detail::multiply_add(alpha, static_cast<double>(binary.lanes), beta * others);
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
