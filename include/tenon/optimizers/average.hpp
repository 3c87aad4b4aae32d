// SPDX-License-Identifier: BSL-1.0
// An optimiser that keeps an exponential moving average of the weights, as one more moment.
#pragma once

#include <tenon/optimizers/clip_value.hpp>

namespace tenon::inline TENON_ISA {

// The step inside, then a ← a + gain (w - a). The average is the last moment.
template <class T, class Inner, std::size_t Last>
struct AveragingStep {
    Inner inner;
    T gain;

    bool uses(std::size_t moment) const { return moment == Last || detail::step_uses(inner, moment); }

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        inner.update(w, g, m);
        follow(w, m);
    }
    template <class V>
    TENON_ALWAYS_INLINE V direction(V w, V g, V* m) const
    {
        return inner.direction(w, g, m);
    }
    T ratio(double weights, double directions) const { return inner.ratio(weights, directions); }
    template <class V>
    TENON_ALWAYS_INLINE void move(V& w, V direction, T ratio, V* m) const
    {
        inner.move(w, direction, ratio, m);
        follow(w, m);
    }

private:
    template <class V>
    TENON_ALWAYS_INLINE void follow(V w, V* m) const
    {
        m[Last] = fma(V(gain), w - m[Last], m[Last]);
    }
};

// With decay d, after the t-th step with weights w_t:
//   bias_correction    a_t = Σ_i d^(t-i) w_i / Σ_i d^(t-i), i from 1 to t: Kingma & Ba's correction of their section 3, so that
//                      the start does not weigh more than its share; kept by the gain (1 - d) / (1 - d^t)
//   otherwise          a_1 = w_1, a_t = d a_{t-1} + (1 - d) w_t, as PyTorch's AveragedModel with get_ema_multi_avg_fn
template <class Optimizer>
struct AveragingOptimizer {
    Optimizer inner;
    double decay;
    bool bias_correction;

    static constexpr std::size_t moments = Optimizer::moments + 1;
    static constexpr bool whole_slots = needs_whole_slots<Optimizer>();

    template <class T>
    constexpr auto step(std::uint64_t t, double factor = 1) const
    {
        const double gain = t <= 1 ? 1.0 : bias_correction ? (1 - decay) / (1 - detail::power(decay, t)) : 1 - decay;
        return AveragingStep<T, detail::step_of<Optimizer, T>, Optimizer::moments>{optimizer_step<T>(inner, t, factor),
                                                                                   static_cast<T>(gain)};
    }
};

}  // namespace tenon
