// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/config.hpp>
#if TENON_EXCEPTIONS
#    include <tenon/core/error.hpp>
#endif
#include <tenon/kernels/softmax.hpp>
#include <tenon/layers/activation.hpp>
#include <tenon/losses/loss.hpp>

#include <cstdint>
#include <limits>

namespace tenon::inline TENON_ISA {

namespace detail {

// Ends with an Error; without exceptions the row's loss is NaN.
TENON_NOINLINE inline double label_out_of_range([[maybe_unused]] std::size_t row, [[maybe_unused]] long long label,
                                                [[maybe_unused]] std::size_t classes,
                                                [[maybe_unused]] const char* loss = "CrossEntropy")
{
#if TENON_EXCEPTIONS
    throw Error("tenon: " + std::string(loss) + ": row " + std::to_string(row) +
                " of the batch: expected a label from 0 to " + std::to_string(classes - 1) + ", found " +
                std::to_string(label));
#else
    return std::numeric_limits<double>::quiet_NaN();
#endif
}

}  // namespace detail

// One class of C, from logits. Per row, with p = softmax(y) and target probabilities t:
//   -Σ t_i log p_i, where log p_i = y_i - m - log Σ exp(y_j - m), m = max(y);   gradient (Σ t) p_i - t_i
// y: logits (rows, C). Targets: std::int32_t labels (rows), where t is 1 at the label (-log p_label), or probability rows
// (rows, C), for instance one-hot. Log-probabilities are logits too. A final Softmax or LogSoftmax is absorbed: the
// network is trained on its logits, and no probability is ever formed to be rounded to 0 or 1.
// Where t_i = 0, class i adds nothing, even at a logit of -inf.
// label_smoothing s (Szegedy et al. 2016, section 7): t becomes (1 - s) t + s / C, as in Keras and PyTorch.
// A label outside [0, C) throws tenon::Error (without exceptions: a loss of NaN).
struct CrossEntropy {
    double label_smoothing = 0;

    static constexpr bool accepts_logits = true;
    static constexpr bool takes_labels = true;  // one std::int32_t class per row
    template <class Layer>
    static constexpr bool absorbs = std::is_same_v<Layer, Softmax> || std::is_same_v<Layer, LogSoftmax>;

    // Asked by a Trainer as soon as it is made.
    template <class Output>
    struct takes {
        static constexpr bool value = Output::rank == 1;
        static_assert(Output::rank == 1,
                      "tenon: CrossEntropy takes one row of logits or probabilities: put Flatten before it.");
    };

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        // After a wrong shape nothing else is reported.
        if constexpr (takes_output<CrossEntropy, Output>()) {
            static_assert(std::is_floating_point_v<Target> || std::is_same_v<Target, std::int32_t>,
                          "tenon: CrossEntropy takes std::int32_t labels or floating-point probability rows.");
            constexpr std::size_t classes = Output::size;
            // In dy first the probabilities of all rows, then the gradients: a row that is read right after it was
            // written, in other pieces, waits for its stores.
            double total = 0;
            for (std::size_t r = 0; r < rows; ++r) {
                const T* logits = y + r * classes;
                T* probabilities = dy == nullptr ? nullptr : dy + r * classes;
                const kernels::LogSumExp<T> sum = kernels::log_sum_exp<classes>(logits, probabilities);
                if constexpr (std::is_floating_point_v<Target>)
                    total += of_probabilities<classes>(sum, logits, target + r * classes);
                else if (target[r] < 0 || static_cast<std::size_t>(target[r]) >= classes)
                    return detail::label_out_of_range(r, target[r], classes);
                else
                    total += of_label<classes>(sum, logits, static_cast<std::size_t>(target[r]));
            }
            if (dy != nullptr) gradients<classes>(rows, target, dy, scale);
            return total;
        } else {
            return 0;
        }
    }

private:
    // -Σ t_i log p_i for one row, in differences from its largest logit: small numbers, however large the logits are.
    template <std::size_t C, class T>
    double of_label(const kernels::LogSumExp<T>& sum, const T* y, std::size_t label) const
    {
        const double log_sum = static_cast<double>(sum.log_sum);
        const double own = log_sum - static_cast<double>(y[label] - sum.maximum);
        if (label_smoothing == 0) return own;
        using R = detail::LossRow<T, C>;
        typename R::P others = T(0);
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            others += R::inside(R::load(y + i, lanes) - typename R::P(sum.maximum), T(0), lanes);
        });
        const double mean = log_sum - static_cast<double>(reduce_add(others)) / static_cast<double>(C);
        return (1 - label_smoothing) * own + label_smoothing * mean;
    }

    template <std::size_t C, class T, class Target>
    double of_probabilities(const kernels::LogSumExp<T>& sum, const T* y, const Target* target) const
    {
        using R = detail::LossRow<T, C>;
        using V = typename R::P;
        const V maximum = sum.maximum, log_sum = sum.log_sum, zero = T(0);
        V loss = zero;
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            const V t = smoothed<R, C>(target + i, lanes);
            const V each = select(t == zero, zero, t * (log_sum - (R::load(y + i, lanes) - maximum)));
            loss += R::inside(each, T(0), lanes);
        });
        return static_cast<double>(reduce_add(loss));
    }

    // (1 - s) t + s / C
    template <class R, std::size_t C, class Target, class Lanes>
    TENON_ALWAYS_INLINE typename R::P smoothed(const Target* target, Lanes lanes) const
    {
        using V = typename R::P;
        using T = typename V::value_type;
        const V keep = static_cast<T>(1 - label_smoothing);
        const V share = static_cast<T>(label_smoothing / static_cast<double>(C));
        return fma(keep, detail::load_targets<R>(target, lanes), share);
    }

    // dy, which holds the probabilities p, becomes scale · ((Σ t) p - t). dy: (rows, C)
    template <std::size_t C, class T, class Target>
    void gradients(std::size_t rows, const Target* target, T* dy, T scale) const
    {
        if constexpr (std::is_floating_point_v<Target>) {
            using R = detail::LossRow<T, C>;
            using V = typename R::P;
            for (std::size_t r = 0; r < rows; ++r, target += C, dy += C) {
                V sum = T(0);
                R::each([&](std::size_t i, auto lanes)
                            TENON_LAMBDA_INLINE { sum += R::inside(smoothed<R, C>(target + i, lanes), T(0), lanes); });
                const V factor = scale * reduce_add(sum), minus = -scale;
                R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
                    const V t = smoothed<R, C>(target + i, lanes);
                    R::store(dy + i, fma(factor, R::load(dy + i, lanes), minus * t), lanes);
                });
            }
        } else {
            using V = simd::Pack<T, simd::width<T>>;
            const V factor = scale, share = static_cast<T>(-static_cast<double>(scale) * label_smoothing / C);
            std::size_t i = 0;
            for (; i + V::size <= rows * C; i += V::size) fma(factor, V::load(dy + i), share).store(dy + i);
            if (const std::size_t rest = rows * C - i; rest != 0)
                fma(factor, V::load_partial(dy + i, rest), share).store_partial(dy + i, rest);
            const T hit = scale * static_cast<T>(1 - label_smoothing);
            for (std::size_t r = 0; r < rows; ++r) dy[r * C + static_cast<std::size_t>(target[r])] -= hit;
        }
    }
};

}  // namespace tenon
