// SPDX-License-Identifier: BSL-1.0
// Calibration: which range each value of a network takes on representative inputs, and the int8 scale that serves it best.
#pragma once

#include <tenon/core/storage.hpp>
#include <tenon/model/int8_model.hpp>
#include <tenon/passes/inference.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace tenon::inline TENON_ISA {

// How a value's range is chosen from what calibration saw.
//   min_max:    all of it.
//   percentile: all but the share 1 - `percentile` of values, half at each end that is not 0.
//   mse:        the range with the least mean squared error of rounding and clipping.
//   entropy:    the range whose 256 levels keep most of the distribution: least Kullback-Leibler divergence (Migacz 2017,
//               "8-bit Inference with TensorRT").
enum class Calibration : unsigned char { min_max, percentile, mse, entropy };

// How ranges are found, and from what.
struct QuantizeOptions {
    Calibration method = Calibration::mse;
    double percentile = 0.9999;
    // Of the calibration data, the first ones.
    std::size_t rows = 1024;
    // One scale per output channel, or one for a layer's whole kernel.
    bool per_channel = true;
};

// The scale and zero point of a range; 0 is always within and exact (TensorFlow Lite's rule).
inline Affine affine_of_range(double low, double high)
{
    if (!(low < 0.0)) low = 0.0;
    if (!(high > 0.0)) high = 0.0;
    if (high - low < 1e-30) return {1.0f, -128};
    const auto scale = static_cast<float>((high - low) / 255.0);
    const double s = static_cast<double>(scale);
    const double from_low = -128.0 - low / s, from_high = 127.0 - high / s;
    const double zero = 128.0 + std::abs(low / s) < 127.0 + std::abs(high / s) ? from_low : from_high;
    const double rounded = std::round(zero);
    return {scale, static_cast<std::int32_t>(rounded < -128.0 ? -128.0 : rounded > 127.0 ? 127.0 : rounded)};
}

namespace detail {

// The scale of weights of at most `largest` in size, and the integer of one.
inline float int8_weight_scale(double largest)
{
    const double scale = largest / 127.0;
    return static_cast<float>(scale < 1e-30 ? 1e-30 : scale);
}
template <class P>
P int8_weight(P weight, P scale)
{
    return round(min(P(127), max(P(-127), weight / scale)));  // in this order NaN passes
}

// What was seen of one value.
struct ValueStatistics {
    static constexpr std::size_t bins = 2048;
    static constexpr std::size_t own = ~std::size_t{0};

    double low = 0.0, high = 0.0;
    std::vector<std::uint64_t> histogram;  // over [low, high], in the second pass
    std::size_t alias = own;               // takes the scale of another value, so that nothing need be rescaled

    double width() const { return (high - low) / static_cast<double>(bins); }
    double centre(std::size_t bin) const { return low + (static_cast<double>(bin) + 0.5) * width(); }
};

class Observer {
public:
    static constexpr std::size_t none = ValueStatistics::own;

    // Starts a run through the network: values come in the same order each time.
    void start() { next_ = 0; }
    std::size_t next(std::size_t alias = none)
    {
        if (next_ == values_.size()) values_.emplace_back();
        values_[next_].alias = alias;
        return next_++;
    }
    // From here on histograms are filled, over the ranges found so far.
    void count()
    {
        counting_ = true;
        for (ValueStatistics& value : values_) value.histogram.assign(ValueStatistics::bins, 0);
    }

    // With `floor`, the values as a ReLU behind lets them pass.
    void see(std::size_t index, std::size_t n, const float* values, bool floor)
    {
        ValueStatistics& seen = values_[index];
        for (std::size_t i = 0; i < n; ++i) {
            double v = static_cast<double>(values[i]);
            if (!(v - v == 0.0)) continue;  // neither infinities nor NaN have a place
            if (floor && v < 0.0) v = 0.0;
            if (!counting_) {
                seen.low = v < seen.low ? v : seen.low;
                seen.high = v > seen.high ? v : seen.high;
            } else if (seen.high > seen.low) {
                const auto bin = static_cast<std::size_t>((v - seen.low) / seen.width());
                ++seen.histogram[bin < ValueStatistics::bins ? bin : ValueStatistics::bins - 1];
            }
        }
    }

    std::vector<ValueStatistics>& values() { return values_; }

private:
    std::vector<ValueStatistics> values_;
    std::size_t next_ = 0;
    bool counting_ = false;
};

template <class C, std::size_t Rows>
void observe_chain(Observer& observer, std::size_t rows, ParameterBlocks<const float> parameters, const float* x,
                   float* y, bool floor_behind, std::size_t alias);

// y = x + branch(x), as against a sum of branches.
template <class L>
inline constexpr bool is_shortcut = false;
template <class... Ls>
inline constexpr bool is_shortcut<Residual<Ls...>> = true;

// One layer of the chain that runs, in float; its values are seen.
template <class B, std::size_t Rows>
void observe_layer(Observer& observer, std::size_t rows, ParameterView<B, const float> parameters, const float* x,
                   float* y, bool floor, std::size_t alias)
{
    using L = typename B::layer;
    constexpr Int8Kind kind = int8_kind<L>;
    constexpr std::size_t size = B::output::size;
    if constexpr (HasBranches<B>) {
        constexpr bool joins = int8_joined<L> != 0, sums = int8_sums<L> != 0;
        const std::size_t own = joins || sums ? observer.next(alias) : Observer::none;
        std::size_t channel = 0;
        for_each_index<0, B::rule::branches::size>([&]<std::size_t I>() {
            using C = typename B::rule::branches::template at<I>;
            using Part = typename C::output;
            AlignedBuffer<float> part{aligned<float>(Rows * Part::size)};
            observe_chain<C, Rows>(observer, rows, parameters.template branch<I>(), x, part.data(),
                                   sums ? false : floor,
                                   joins  ? own
                                   : sums ? Observer::none
                                          : alias);
            for (std::size_t v = 0; v < rows * Part::outer; ++v)
                for (std::size_t c = 0; c < Part::last; ++c) {
                    float& to = y[v * B::output::last + channel + c];
                    const float value = part[v * Part::last + c];
                    const bool first = I == 0 || joins;
                    to = !first ? to + value : is_shortcut<L> ? value + x[v * Part::last + c] : value;
                }
            if (joins) channel += Part::last;
        });
        if constexpr (joins || sums) observer.see(own, rows * size, y, floor);
    } else if constexpr (int8_table_behind<L>) {
        using Head = Bound<typename L::head, typename B::input>;
        AlignedBuffer<float> scratch{layer_workspace<float, Head, Rows>()};
        run_forward(Head{}, rows, ParameterView<Head, const float>{parameters.base, parameters.statistics}, x, y,
                    InferenceContext<float, Rows>{scratch.data()});
        observer.see(observer.next(), rows * size, y, false);
        kernels::map(rows * size, y, y, passes::function_of<typename L::activation>);
        observer.see(observer.next(alias), rows * size, y, floor);
    } else {
        AlignedBuffer<float> scratch{layer_workspace<float, B, Rows>()};
        run_forward(B{}, rows, parameters, x, y, InferenceContext<float, Rows>{scratch.data()});
        if constexpr (is_linear(kind) || kind == Int8Kind::table)
            observer.see(observer.next(alias), rows * size, y, floor);
    }
}

template <class C, std::size_t Rows>
void observe_chain(Observer& observer, std::size_t rows, ParameterBlocks<const float> parameters, const float* x,
                   float* y, bool floor_behind, std::size_t alias)
{
    AlignedBuffer<float> memory[2];
    const float* value = x;
    std::size_t turn = 0;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        if constexpr (!is_view<B>()) {
            constexpr bool last = I + 1 == computing_layers<C>;
            float* out = y;
            if constexpr (!last) {
                turn = 1 - turn;
                memory[turn] = AlignedBuffer<float>{aligned<float>(Rows * B::output::size)};
                out = memory[turn].data();
            }
            observe_layer<B, Rows>(observer, rows, layer_view<C, I>(parameters), value, out,
                                   meets_floor<C, I>(floor_behind) || swallows_floor<typename B::layer>,
                                   last ? alias : Observer::none);
            value = out;
        }
    });
    if constexpr (computing_layers<C> == 0)
        for (std::size_t i = 0; i < rows * C::input::size; ++i) y[i] = x[i];
}

// The range that `method` chooses.
inline Affine choose_affine(const ValueStatistics& v, const QuantizeOptions& options)
{
    constexpr std::size_t bins = ValueStatistics::bins;
    if (options.method == Calibration::min_max || v.histogram.empty() || !(v.high > v.low))
        return affine_of_range(v.low, v.high);
    if (options.method == Calibration::percentile) {
        std::uint64_t total = 0;
        for (const std::uint64_t count : v.histogram) total += count;
        const bool two_sided = v.low < 0.0 && v.high > 0.0;
        const double outside = static_cast<double>(total) * (1.0 - options.percentile) / (two_sided ? 2.0 : 1.0);
        double low = v.low, high = v.high, passed = 0.0;
        if (v.low < 0.0)
            for (std::size_t i = 0; i < bins; ++i) {
                passed += static_cast<double>(v.histogram[i]);
                if (passed > outside) {
                    low = v.low + static_cast<double>(i) * v.width();
                    break;
                }
            }
        passed = 0.0;
        if (v.high > 0.0)
            for (std::size_t i = bins; i-- > 0;) {
                passed += static_cast<double>(v.histogram[i]);
                if (passed > outside) {
                    high = v.low + static_cast<double>(i + 1) * v.width();
                    break;
                }
            }
        return affine_of_range(low, high);
    }
    // The rest tries ranges cut at both ends alike: [max(low, -t), min(high, t)].
    const double widest = -v.low > v.high ? -v.low : v.high;
    // 0 is exact in every range, and a ReLU makes so many zeros that nothing else would count in a divergence.
    std::vector<std::uint64_t> counts = v.histogram;
    if (options.method == Calibration::entropy) {
        const auto zero = static_cast<std::size_t>(-v.low / v.width());
        counts[zero < bins ? zero : bins - 1] = 0;
    }
    Affine best = affine_of_range(v.low, v.high);
    double least = -1.0;
    for (int step = 128; step >= 16; --step) {
        const double t = widest * step / 128.0;
        const Affine affine = affine_of_range(v.low < -t ? -t : v.low, v.high > t ? t : v.high);
        double loss = 0.0;
        if (options.method == Calibration::mse) {
            for (std::size_t i = 0; i < bins; ++i)
                if (v.histogram[i] != 0) {
                    const double centre = v.centre(i);
                    const double scale = static_cast<double>(affine.scale);
                    const double q = std::round(centre / scale) + affine.zero_point;
                    const double error = scale * ((q < -128.0  ? -128.0
                                                   : q > 127.0 ? 127.0
                                                               : q) -
                                                  affine.zero_point) -
                                         centre;
                    loss += static_cast<double>(v.histogram[i]) * error * error;
                }
        } else {
            // p: the histogram with what is cut off in its outermost bins; q: each level's count spread evenly over those of
            // its bins that hold anything before the cut-off is added.
            std::vector<double> inside(256, 0.0), p(bins, 0.0);
            std::vector<std::size_t> filled(256, 0), level(bins, 0);
            std::size_t first = bins, last = 0;
            const double low = static_cast<double>(affine.scale) * (-128.5 - affine.zero_point);
            const double high = static_cast<double>(affine.scale) * (127.5 - affine.zero_point);
            double total = 0.0;
            for (std::size_t i = 0; i < bins; ++i) {
                const double count = static_cast<double>(counts[i]), centre = v.centre(i);
                total += count;
                if (centre < low || centre > high) continue;
                first = first == bins ? i : first;
                last = i;
                const double q = std::round(centre / static_cast<double>(affine.scale)) + affine.zero_point + 128.0;
                level[i] = static_cast<std::size_t>(q < 0.0 ? 0.0 : q > 255.0 ? 255.0 : q);
                inside[level[i]] += count;
                filled[level[i]] += count > 0.0 ? 1 : 0;
                p[i] = count;
            }
            if (first == bins || total == 0.0) continue;
            for (std::size_t i = 0; i < bins; ++i)
                if (counts[i] != 0 && (i < first || i > last))
                    p[i < first ? first : last] += static_cast<double>(counts[i]);
            double kept = 0.0;
            for (const double count : inside) kept += count;
            if (kept == 0.0) continue;
            for (std::size_t i = first; i <= last; ++i) {
                if (p[i] == 0.0) continue;
                const double share = filled[level[i]] == 0 || counts[i] == 0
                                         ? 1e-9
                                         : inside[level[i]] / static_cast<double>(filled[level[i]]) / kept;
                loss += p[i] / total * std::log(p[i] / total / share);
            }
        }
        if (least < 0.0 || loss < least) {
            least = loss < 0.0 ? 0.0 : loss;
            best = affine;
        }
    }
    return best;
}

}  // namespace detail
}  // namespace tenon
