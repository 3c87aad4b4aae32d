// SPDX-License-Identifier: BSL-1.0
// The layers of quantisation-aware training: values and weights on the grid of int8, computed with in float. Gradients go
// through the rounding as if it were not there (the straight-through estimator, Bengio et al. 2013; Jacob et al. 2018).
#pragma once

#include <tenon/compression/calibrate.hpp>
#include <tenon/passes/training.hpp>

namespace tenon::inline TENON_ISA {

// y = scale · (clamp(round(x / scale) + zero_point, -128, 127) - zero_point), with the scale of the range [low, high].
// dx = dy where x is within what the integers reach, else 0.
// Training moves the range a hundredth of the way to each batch's extremes, and takes those of the first one whole. `range`:
// (low, high), a statistic, which no optimiser moves.
struct FakeQuantize {
    static constexpr const char* name = "fake_quantize";
    static constexpr bool statistics_are_ranges = true;
    // The range that follows a batch's.
    template <class T>
    static void move(T* range, T low, T high)
    {
        const T gain = range[0] == range[1] ? T{1} : static_cast<T>(0.01);
        range[0] += gain * (low - range[0]);
        range[1] += gain * (high - range[1]);
    }

    template <class In>
    struct rule {
        using output = In;
        static constexpr auto statistics = tenon::slots(slot<Shape<2>>("range", init::zeros));
    };
};

// The same with a range of all that it has seen: pixels and the like are not outliers.
struct FakeQuantizeInput {
    static constexpr const char* name = "fake_quantize_input";
    static constexpr bool statistics_are_ranges = true;
    template <class T>
    static void move(T* range, T low, T high)
    {
        range[0] = low < range[0] ? low : range[0];
        range[1] = high > range[1] ? high : range[1];
    }

    template <class In>
    struct rule : FakeQuantize::rule<In> {};
};

// A dense layer or a convolution with weights of int8, one scale per output channel, max |w| / 127 (quantize_layer). None is
// out of range, so the weights' gradient is the layer's own. The fake weights stay on the tape for the backward pass.
template <class Layer>
struct QuantizedWeights {
    static constexpr const char* name = Layer::name;
    using head = Layer;  // what it says of its gradients

    static constexpr bool fuses_activation = tenon::fuses_activation<Layer>();
    static constexpr bool fuses_pool = tenon::fuses_pool<Layer>();

    template <class In>
    struct rule : Layer::template rule<In> {
        using inner = Bound<Layer, In>;
        template <class T, std::size_t Rows>
        static constexpr std::size_t workspace = layer_workspace<T, inner, Rows>() + layer_storage<T, inner>();
        static constexpr PerRow tape = layer_tape<inner>() + [] {
            const std::size_t single = layer_storage<float, inner>(), twice = layer_storage<double, inner>();
            return PerRow{0, ((single > twice ? single : twice) + 15) / 16 * 16};
        }();
    };
};

namespace detail {

template <class L, class Activation>
struct FusedWith<QuantizedWeights<L>, Activation> {
    using type = QuantizedWeights<Fused<L, Activation>>;
};
template <class L, class Pool>
struct PooledWith<QuantizedWeights<L>, Pool> {
    using type = QuantizedWeights<FusedPool<L, Pool>>;
};

template <class L>
inline constexpr bool is_fake_quantize = std::is_same_v<L, FakeQuantize> || std::is_same_v<L, FakeQuantizeInput>;

// The output channels that the scalars of a linear layer's kernel belong to, in the kernel's own layout.
template <class B, class T>
struct KernelChannels {
    static constexpr std::size_t outputs = int8_outputs<B>(), width = simd::width<T>;
    static constexpr std::uint32_t none = ~0u;

    std::vector<std::uint32_t> of;      // each scalar; padding has one of its own behind the others
    std::vector<std::uint32_t> starts;  // the first of each whole register of neighbouring channels, else none

    static const KernelChannels& table()
    {
        static const KernelChannels result;
        return result;
    }

private:
    KernelChannels()
    {
        using Kernel = typename slots_type<B>::template slot<0>;
        of.assign(Kernel::layout::template size<T, typename Kernel::shape>, outputs);
        for (std::size_t i = 0; i < Kernel::shape::size; ++i)
            of[Kernel::layout::template index<T, typename Kernel::shape>(i)] = static_cast<std::uint32_t>(i % outputs);
        for (std::size_t i = 0; i + width <= of.size(); i += width) {
            bool neighbours = true;
            for (std::size_t lane = 0; lane < width; ++lane)
                neighbours = neighbours && (of[i + lane] == of[i] + lane || of[i + lane] == outputs);
            starts.push_back(neighbours ? of[i] : none);
        }
    }
};

// The layer's parameters with its kernel on the grid.   from, to: layer_storage<T, B>() scalars
template <class B, class T>
void fake_weights(const T* from, T* to)
{
    using Channels = KernelChannels<B, T>;
    using P = simd::Pack<T, Channels::width>;
    const Channels& channels = Channels::table();
    kernels::copy(layer_storage<T, B>(), from, to);
    // As many as a register may reach behind the last channel; zeros are padding's, which stays zero.
    T scales[Channels::outputs + Channels::width] = {};
    const auto each = [&](auto registers, auto scalar) TENON_LAMBDA_INLINE {
        std::size_t i = 0;
        for (const std::uint32_t start : channels.starts) {
            if (start != Channels::none)
                registers(i, scales + start);
            else
                for (std::size_t lane = 0; lane < P::size; ++lane) scalar(i + lane, scales[channels.of[i + lane]]);
            i += P::size;
        }
        for (; i < channels.of.size(); ++i) scalar(i, scales[channels.of[i]]);
    };
    each([&](std::size_t i, T* largest)
             TENON_LAMBDA_INLINE { max(abs(P::load(from + i)), P::load(largest)).store(largest); },
         [&](std::size_t i, T& largest) TENON_LAMBDA_INLINE {
             const T size = std::abs(from[i]);
             largest = size > largest ? size : largest;
         });
    for (T& scale : scales) scale = static_cast<T>(int8_weight_scale(static_cast<double>(scale)));
    each([&](std::size_t i, const T* scale)
             TENON_LAMBDA_INLINE { (int8_weight(P::load(from + i), P::load(scale)) * P::load(scale)).store(to + i); },
         [&](std::size_t i, T scale) TENON_LAMBDA_INLINE {
             to[i] = (int8_weight<simd::Pack<T, 1>>(from[i], scale) * simd::Pack<T, 1>(scale)).lanes;
         });
}

// The smallest and the largest of n values and 0.
template <class T>
void extremes(std::size_t n, const T* x, T& low, T& high)
{
    using P = simd::Pack<T, simd::width<T>>;
    P least = T{0}, most = T{0};
    std::size_t i = 0;
    // The second operand where the first is not a number.
    for (; i + P::size <= n; i += P::size) {
        const P value = P::load(x + i);
        least = min(value, least);
        most = max(value, most);
    }
    T ends[2][P::size];
    least.store(ends[0]);
    most.store(ends[1]);
    low = high = T{0};
    const auto see = [&](T value) {
        low = value < low ? value : low;
        high = value > high ? value : high;
    };
    for (std::size_t lane = 0; lane < P::size; ++lane) {
        see(ends[0][lane]);
        see(ends[1][lane]);
    }
    for (; i < n; ++i) see(x[i]);
}

// What the integers of a range reach, and their step.
template <class T>
struct Grid {
    T scale, low, high;

    explicit Grid(const T* range)
    {
        const Affine affine = affine_of_range(static_cast<double>(range[0]), static_cast<double>(range[1]));
        scale = static_cast<T>(affine.scale);
        low = scale * static_cast<T>(-128 - affine.zero_point);
        high = scale * static_cast<T>(127 - affine.zero_point);
    }
};

template <class T>
void fake_quantize(std::size_t n, const T* x, const Grid<T>& grid, T* y)
{
    kernels::map(n, x, y, [&]<class P>(P value) TENON_LAMBDA_INLINE {
        const P inside = min(P(grid.high), max(P(grid.low), value));  // in this order NaN passes
        return round(inside / P(grid.scale)) * P(grid.scale);
    });
}

// dx = dy where x is within the grid, else 0.
template <class T>
void straight_through(std::size_t n, const T* x, const Grid<T>& grid, const T* dy, T* dx)
{
    const auto put = [&]<class P>(std::size_t i, P zero) TENON_LAMBDA_INLINE {
        const P value = P::load(x + i);
        select((value >= P(grid.low)) & (value <= P(grid.high)), P::load(dy + i), zero).store(dx + i);
    };
    using P = simd::Pack<T, simd::width<T>>;
    std::size_t i = 0;
    for (; i + P::size <= n; i += P::size) put(i, P(T{0}));
    for (; i < n; ++i) put(i, simd::Pack<T, 1>(T{0}));
}

}  // namespace detail

// Inference: on the grid of the range as it is.
template <class L, class In, class T, std::size_t Rows>
    requires detail::is_fake_quantize<L>
void forward(Bound<L, In>, std::size_t rows, auto parameters, const T* x, T* y, const InferenceContext<T, Rows>&)
{
    detail::fake_quantize(rows * In::size, x, detail::Grid<T>{parameters.template statistic<0>()}, y);
}

// Training: the range follows the batch, then the values come on its grid.
template <class L, class In, class T>
    requires detail::is_fake_quantize<L>
void forward(Bound<L, In>, std::size_t rows, auto parameters, const T* x, T* y, const TrainingContext<T>& context)
{
    if (context.statistics != nullptr) {
        T low, high;
        detail::extremes(rows * In::size, x, low, high);
        L::move(context.statistics, low, high);
    }
    const detail::Grid<T> grid{context.statistics != nullptr ? context.statistics : parameters.template statistic<0>()};
    context.team.split(rows, least_rows, 1, [&](std::size_t begin, std::size_t end) {
        detail::fake_quantize((end - begin) * In::size, x + begin * In::size, grid, y + begin * In::size);
    });
}

// Straight through, but for what was clipped.
template <class L, class In, class T>
    requires detail::is_fake_quantize<L>
void backward(Bound<L, In>, std::size_t rows, auto parameters, const auto&, const T* x, const T*, T* dy, T* dx,
              const TrainingContext<T>& context)
{
    if (dx == nullptr) return;
    const detail::Grid<T> grid{parameters.template statistic<0>()};
    context.team.split(rows, least_rows, 1, [&](std::size_t begin, std::size_t end) {
        detail::straight_through((end - begin) * In::size, x + begin * In::size, grid, dy + begin * In::size,
                                 dx + begin * In::size);
    });
}

// Inference: the layer with its weights on the grid.
template <class L, class In, class T, std::size_t Rows>
void forward(Bound<QuantizedWeights<L>, In>, std::size_t rows, auto parameters, const T* x, T* y,
             const InferenceContext<T, Rows>& context)
{
    using Inner = Bound<L, In>;
    detail::fake_weights<Inner>(parameters.base, context.workspace);
    run_forward(Inner{}, rows, ParameterView<Inner, const T>{context.workspace}, x, y,
                InferenceContext<T, Rows>{context.workspace + layer_storage<T, Inner>()});
}

// Training: the same, the weights kept on the tape.
template <class L, class In, class T>
void forward(Bound<QuantizedWeights<L>, In>, std::size_t rows, auto parameters, const T* x, T* y,
             const TrainingContext<T>& context)
{
    using Inner = Bound<L, In>;
    T* weights = context.tape + layer_tape<Inner>().scalars(rows);
    detail::fake_weights<Inner>(parameters.base, weights);
    detail::train_forward_layer(Inner{}, rows, ParameterView<Inner, const T>{weights}, x, y, context);
}

// The layer's own gradients, at the weights of the forward pass.
template <class L, class In, class T, class Policy>
void backward(Bound<QuantizedWeights<L>, In>, std::size_t rows, auto,
              const GradientView<Bound<QuantizedWeights<L>, In>, Policy>& gradients, const T* x, const T* y, T* dy,
              T* dx, const TrainingContext<T>& context)
{
    using Inner = Bound<L, In>;
    const T* weights = context.tape + layer_tape<Inner>().scalars(rows);
    run_backward(Inner{}, rows, ParameterView<Inner, const T>{weights}, GradientView<Inner, Policy>{gradients.policy},
                 x, y, dy, dx, context);
}

}  // namespace tenon
