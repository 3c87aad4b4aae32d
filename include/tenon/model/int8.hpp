// SPDX-License-Identifier: BSL-1.0
// Integer inference without allocation: FrozenWeights<Net, Int8> (tables in flash or anywhere), predict, Session, and what a
// network costs. No heap behind it. Model<Net, Int8>, which owns its tables: model/int8_model.hpp.
#pragma once

#include <tenon/model/session.hpp>
#include <tenon/passes/quantised/chain.hpp>

namespace tenon::inline TENON_ISA {

// The tables of a network in int8: the scales of its input and output, and what each layer needs, in the order in which data
// pass. The kernels and their channels' numbers stay where the tables point.
template <class Net>
struct FrozenWeights<Net, Int8> {
    using network = Net;
    using precision = Int8;
    using scalar = std::int8_t;

    static constexpr Int8Counts counts = int8_chain_counts<rewritten_chain<Purpose::inference, typename Net::chain>>();

    Affine input, output;
    Int8Linear linear[counts.linear + (counts.linear == 0)];
    Int8Add add[counts.add + (counts.add == 0)];
    Int8Rescale rescale[counts.rescale + (counts.rescale == 0)];
    Int8Table table[counts.table + (counts.table == 0)];
    Int8Softmax softmax[counts.softmax + (counts.softmax == 0)];

    constexpr Int8View view() const { return {linear, add, rescale, table, softmax}; }
};

namespace detail {

// Whether Σ|w - zero point| · 256 + |bias| fits int32 for each output channel of a chain's linear layers: operands have 8 bits,
// so that bounds every partial sum on every target. `next`: the first layer's table, moved behind the last one's.
template <class C>
constexpr bool int8_sums_fit(const Int8Linear*& next)
{
    bool fits = true;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        if constexpr (HasBranches<B>) {
            for_each_index<0, B::rule::branches::size>([&]<std::size_t J>() {
                fits = int8_sums_fit<typename B::rule::branches::template at<J>>(next) && fits;
            });
        } else if constexpr (is_linear(int8_kind<typename B::layer>)) {
            constexpr std::size_t outputs = int8_outputs<B>(), groups = int8_groups<B>(), own = outputs / groups;
            constexpr std::size_t inputs = slots_type<B>::template slot<0>::shape::size / outputs;
            const Int8Linear& layer = *next++;
            const std::int32_t zero = layer.kernel_zero;
            const auto most = static_cast<std::int64_t>(inputs) * (128 + (zero < 0 ? -zero : zero));
            for (std::size_t f = 0; f < outputs; ++f) {
                std::size_t channel = f;
                if constexpr (int8_kind<typename B::layer> != Int8Kind::depthwise)
                    channel = f / own * int8_layout<B>().channels() + f % own;
                const std::int64_t signed_bias = layer.bias[channel],
                                   bias = signed_bias < 0 ? -signed_bias : signed_bias;
                // Mostly any weights of 8 bits fit, and compilers need not go through all of them: their limits are soon met.
                if (256 * most + bias <= INT32_MAX) continue;
                std::int64_t size = 0;
                for (std::size_t k = 0; k < inputs; ++k) {
                    std::int32_t weight = -zero;
                    if constexpr (int8_kind<typename B::layer> != Int8Kind::depthwise) {
                        constexpr auto layout = int8_layout<B>();
                        weight += layout.stored(layer.kernel[f / own * layout.size() + layout.index(k, f % own)],
                                                f % own);
                    } else {
                        weight += layer.kernel[k * outputs + f];
                    }
                    size += weight < 0 ? -weight : weight;
                }
                fits = fits && 256 * size + bias <= INT32_MAX;
            }
        }
    });
    return fits;
}

}  // namespace detail

// Whether no sum of these weights can leave int32, whatever the input. Model<Net, Int8> refuses others when it is made;
// constant weights can be asked while compiling: static_assert(sums_fit(weights<Net>)).
template <class Net>
constexpr bool sums_fit(const FrozenWeights<Net, Int8>& weights)
{
    const Int8Linear* next = weights.linear;
    return detail::int8_sums_fit<rewritten_chain<Purpose::inference, typename Net::chain>>(next);
}

// q = round(value / scale) + zero_point, and back.
constexpr void quantize_values(std::size_t n, const float* values, const Affine& affine, std::int8_t* q)
{
    std::size_t i = 0;
    if (!std::is_constant_evaluated()) i = simd::int8::quantize(n, values, affine, q);
    for (; i != n; ++i) q[i] = quantize_value(values[i], affine);
}
constexpr void dequantize_values(std::size_t n, const std::int8_t* q, const Affine& affine, float* values)
{
    for (std::size_t i = 0; i < n; ++i) values[i] = dequantize_value(q[i], affine);
}

namespace detail {

// A workspace that int8 kernels may use as wider operands.
template <std::size_t Bytes>
struct Int8Workspace {
    alignas(simd::width<float> == 1 ? 4 : 64) std::int8_t values[Bytes == 0 ? 1 : Bytes];
};

template <class Net, class Skips, class Sample>
constexpr auto predict_int8(const FrozenWeights<Net, Int8>& weights, const Sample& input)
{
    constexpr std::size_t bytes = Net::template workspace_bytes<Int8>;
    constexpr bool fits =
        checked<CheckInput<InputHas<typename Sample::shape>, TheNetworkTakes<typename Net::input_shape>>>::value;
    using Given = std::remove_cv_t<typename Sample::value_type>;
    if constexpr (std::is_same_v<Given, std::int8_t>) {
        Tensor<std::int8_t, typename Net::output_shape> output{};
        if constexpr (fits) {
            Int8Workspace<bytes> workspace{};
            infer_int8<Net, 1, Skips>(1, weights.view(), input.data(), output.data(), workspace.values);
        }
        return output;
    } else {
        Tensor<float, typename Net::output_shape> output{};
        if constexpr (fits) {
            Tensor<std::int8_t, typename Net::input_shape> from{};
            quantize_values(from.size(), input.data(), weights.input, from.data());
            const auto to = predict_int8<Net, Skips>(weights, from);
            dequantize_values(output.size(), to.data(), weights.output, output.data());
        }
        return output;
    }
}

// A session on int8, some of whose layers may have lists without zeros in the place of their kernels.
template <class Net, class R, class Skips>
class Int8Session {
    static constexpr std::size_t in = Net::input_shape::size, out = Net::output_shape::size;

public:
    using scalar = std::int8_t;
    using input_type = Tensor<std::int8_t, typename Net::input_shape>;
    using output_type = Tensor<std::int8_t, typename Net::output_shape>;

    Int8Session(const Int8View& view, const Affine& input, const Affine& output)
        : view_{view}, input_{input}, output_{output}
    {}

    template <class Sample>
        requires requires { typename Sample::shape; }
    auto run(const Sample& input)
    {
        using T = std::remove_cv_t<typename Sample::value_type>;
        Tensor<T, typename Net::output_shape> output;
        if constexpr (checked<CheckInput<InputHas<typename Sample::shape>,
                                         TheNetworkTakes<typename Net::input_shape>>>::value)
            run_rows(1, input.data(), output.data());
        return output;
    }

    // Any number of rows of floats or of int8, contiguous ranges, as in Session<Net>.
    template <class Inputs, class Outputs>
    void run(const Inputs& inputs, Outputs&& outputs)
    {
        const std::size_t given = inputs.size() / in, room = outputs.size() / out;
        run_rows(given < room ? given : room, inputs.data(), outputs.data());
    }

    void run_rows(std::size_t rows, const std::int8_t* inputs, std::int8_t* outputs)
    {
        for (std::size_t r = 0; r < rows; r += R::value) {
            const std::size_t chunk = rows - r < R::value ? rows - r : R::value;
            infer_int8<Net, R::value, Skips>(chunk, view_, inputs + r * in, outputs + r * out, workspace_.values);
        }
    }

    void run_rows(std::size_t rows, const float* inputs, float* outputs)
    {
        // As many rows at a time as 16 KiB of stack hold.
        constexpr std::size_t fitting = 16384 / (in + out), most = fitting < R::value ? fitting : R::value;
        constexpr std::size_t at_once = most == 0 ? 1 : most;
        std::int8_t from[at_once * in], to[at_once * out];
        for (std::size_t r = 0; r < rows; r += at_once) {
            const std::size_t chunk = rows - r < at_once ? rows - r : at_once;
            quantize_values(chunk * in, inputs + r * in, input_, from);
            run_rows(chunk, from, to);
            dequantize_values(chunk * out, to, output_, outputs + r * out);
        }
    }

private:
    Int8View view_;
    Affine input_, output_;
    Int8Workspace<Net::template workspace_bytes<Int8, R::value>> workspace_;
};

}  // namespace detail

// One sample of floats (quantised on the way in, the output dequantised) or of int8 (both as they are).
template <class Net, class Weights, class Sample>
    requires std::is_same_v<Weights, FrozenWeights<Net, Int8>>
constexpr auto predict(const Weights& weights, const Sample& input)
{
    return detail::predict_int8<Net, SkipsZeros<>>(weights, input);
}

// As Session<Net> of floats, for int8: run takes floats or int8 and returns the same kind.
template <class Net, class R>
class Session<Net, R, Int8> : public detail::Int8Session<Net, R, SkipsZeros<>> {
public:
    template <class Weights>
    explicit Session(const Weights& weights)
        : detail::Int8Session<Net, R, SkipsZeros<>>{weights.view(), weights.input, weights.output}
    {
        static_assert(checked<WeightsBelongTo<typename Weights::network, Net>>::value &&
                          std::is_same_v<typename Weights::precision, Int8>,
                      "tenon: a Session computes in the precision of its weights.");
    }
};

namespace literals {
// 1_KiB, for budgets.
constexpr std::size_t operator""_KiB(unsigned long long kibibytes)
{
    return static_cast<std::size_t>(kibibytes) * 1024;
}
}  // namespace literals

// What a network takes of a board: static_assert(cost<Net, Int8>::flash <= 128_KiB && cost<Net, Int8>::ram <= 16_KiB).
template <class Net, class P = Float32>
struct cost {
    // Bytes of weights and tables; the code is not counted.
    static constexpr std::size_t flash = Net::template parameter_bytes<P>;
    // Bytes of input, output and workspace of one row.
    static constexpr std::size_t ram = Net::template workspace_bytes<P> +
                                       (Net::input_shape::size + Net::output_shape::size) * sizeof(typename P::scalar);
    // Multiply-adds of one row.
    static constexpr std::size_t macs = Net::macs;
};

}  // namespace tenon
