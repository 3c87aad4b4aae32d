// SPDX-License-Identifier: BSL-1.0
// quantize: a trained network in int8, after training (Jacob et al. 2018, "Quantization and Training of Neural Networks for
// Efficient Integer-Arithmetic-Only Inference"; per-channel weights as in Krishnamoorthi 2018).
#pragma once

#include <tenon/compression/calibrate.hpp>
#include <tenon/data/dataset.hpp>
#include <tenon/model/fold_batch_norm.hpp>

#include <numeric>
#include <span>

namespace tenon::inline TENON_ISA {

namespace detail {

// One layer's integers. kernel: scale[n] = max |w[., n]| / 127; bias: rounded to input's scale · scale[n].
inline Int8Layer quantize_layer(std::size_t outputs, const std::vector<float>& kernel, const std::vector<float>& bias,
                                const Affine& input, bool per_channel)
{
    Int8Layer layer;
    layer.kernel.resize(kernel.size());
    layer.bias.resize(outputs);
    std::vector<float> largest(outputs, 0.0f);
    for (std::size_t i = 0; i < kernel.size(); ++i) {
        const float size = std::abs(kernel[i]);
        if (size > largest[i % outputs]) largest[i % outputs] = size;
    }
    if (!per_channel) {
        float most = 0.0f;
        for (const float size : largest) most = size > most ? size : most;
        largest.assign(outputs, most);
    }
    layer.scale.resize(per_channel ? outputs : 1);
    const double in = static_cast<double>(input.scale);
    std::vector<double> scale(outputs);
    double common = 0.0;
    for (std::size_t n = 0; n < outputs; ++n) {
        scale[n] = static_cast<double>(int8_weight_scale(static_cast<double>(largest[n])));
        // Next to no weights: still the bias must fit.
        const double needed = std::abs(static_cast<double>(bias[n])) / in / 0x1p29;
        if (scale[n] < needed) scale[n] = needed;
        common = scale[n] > common ? scale[n] : common;
    }
    for (std::size_t n = 0; n < outputs; ++n) {
        layer.scale[per_channel ? n : 0] = static_cast<float>(per_channel ? scale[n] : common);
        scale[n] = static_cast<double>(layer.scale[per_channel ? n : 0]);
        const double q = std::round(static_cast<double>(bias[n]) / (in * scale[n]));
        layer.bias[n] = q == q ? static_cast<std::int32_t>(q) : 0;  // what is not a number becomes 0
    }
    for (std::size_t i = 0; i < kernel.size(); ++i) {
        const float q = int8_weight<simd::Pack<float, 1>>(kernel[i], layer.scale[per_channel ? i % outputs : 0]).lanes;
        layer.kernel[i] = q == q ? static_cast<std::int8_t>(q) : std::int8_t{0};
    }
    return layer;
}

// The integers of a linear layer's parameters.
template <class B>
Int8Layer quantize_parameters(ParameterView<B, const float> own, const Affine& input, bool per_channel)
{
    using Kernel = typename slots_type<B>::template slot<0>;
    constexpr std::size_t size = Kernel::shape::size, outputs = int8_outputs<B>();
    std::vector<float> kernel(size), bias(outputs, 0.0f);
    for (std::size_t i = 0; i < size; ++i)
        kernel[i] = own.template get<0>()[Kernel::layout::template index<float, typename Kernel::shape>(i)];
    if constexpr (slots_type<B>::size > 1) {
        using Bias = typename slots_type<B>::template slot<1>;
        for (std::size_t i = 0; i < outputs; ++i)
            bias[i] = own.template get<1>()[Bias::layout::template index<float, typename Bias::shape>(i)];
    }
    return quantize_layer(outputs, kernel, bias, input, per_channel);
}

// Walks the chain that runs with the scales found, and quantises the linear layers on the way.
template <class C>
Affine quantize_chain(ParameterBlocks<const float> parameters, Affine in, const std::vector<Affine>& values,
                      std::size_t& next, std::vector<Int8Layer>& layers, bool per_channel)
{
    Affine value = in;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        using L = typename B::layer;
        constexpr Int8Kind kind = int8_kind<L>;
        const ParameterView<B, const float> own = layer_view<C, I>(parameters);
        if constexpr (HasBranches<B>) {
            constexpr bool combines = int8_joined<L> != 0 || int8_sums<L> != 0;
            const Affine to = combines ? values[next++] : Affine{};
            Affine last{};
            for_each_index<0, B::rule::branches::size>([&]<std::size_t J>() {
                last = quantize_chain<typename B::rule::branches::template at<J>>(own.template branch<J>(), value,
                                                                                  values, next, layers, per_channel);
            });
            value = combines ? to : last;
        } else if constexpr (is_linear(kind)) {
            layers.push_back(quantize_parameters(own, value, per_channel));
            value = values[next++];
            if constexpr (int8_table_behind<L>) value = values[next++];
        } else if constexpr (kind == Int8Kind::table) {
            value = values[next++];
        } else if constexpr (kind == Int8Kind::softmax) {
            value = {1.0f / 256.0f, -128};
        }
    });
    return value;
}

// `gather(first, count, inputs)` fills in `count` calibration inputs.
template <class Net, class Gather>
Int8Description describe_int8(const float* parameters, std::size_t rows, const QuantizeOptions& options,
                              Gather&& gather)
{
    using C = rewritten_chain<Purpose::inference, typename Net::chain>;
    constexpr std::size_t at_once = 16, in = C::input::size;
    AlignedBuffer<float> inputs{aligned<float>(at_once * in)}, outputs{aligned<float>(at_once * C::output::size)};
    Observer observer;
    for (int pass = 0; pass < (options.method == Calibration::min_max ? 1 : 2); ++pass) {
        if (pass == 1) observer.count();
        for (std::size_t first = 0; first < rows; first += at_once) {
            const std::size_t count = rows - first < at_once ? rows - first : at_once;
            gather(first, count, inputs.data());
            observer.start();
            observer.see(observer.next(), count * in, inputs.data(), false);
            observe_chain<C, at_once>(observer, count, blocks_of<C>(parameters), inputs.data(), outputs.data(), false,
                                      Observer::none);
        }
    }
    Int8Description description;
    std::vector<Affine> values;
    for (const ValueStatistics& seen : observer.values()) {
        const ValueStatistics* source = &seen;
        while (source->alias != ValueStatistics::own) source = &observer.values()[source->alias];
        values.push_back(choose_affine(*source, options));
    }
    // Pixels and the like are not outliers: the input keeps its whole range.
    if (!values.empty()) description.input = affine_of_range(observer.values()[0].low, observer.values()[0].high);
    description.values.assign(values.begin() + (values.empty() ? 0 : 1), values.end());
    std::size_t next = 0;
    quantize_chain<C>(blocks_of<C>(parameters), description.input, description.values, next, description.layers,
                      options.per_channel);
    return description;
}

}  // namespace detail

// The model in int8, from rows that stand for what it will see: a dataset (its targets are not looked at). BatchNorm is
// folded first, so the result is a Model<folded<Net>, Int8>. Fails where there are no rows.
template <class Net, data::Dataset D>
Result<Model<folded<Net>, Int8>> try_quantize(const Model<Net, Float32>& model, const D& calibration,
                                              const QuantizeOptions& options = {})
{
    static_assert(std::is_same_v<typename D::input_shape, typename Net::input_shape>,
                  "tenon: the calibration's samples have another shape than the network takes.");
    if constexpr (!std::is_same_v<folded<Net>, Net>) {
        return try_quantize(fold_batch_norm(model), calibration, options);
    } else {
        const std::size_t rows = calibration.size() < options.rows ? calibration.size() : options.rows;
        if (rows == 0) return Failure{"quantize: expected at least one row to calibrate with, found none"};
        std::vector<typename D::target_type> targets(16 * D::target_size);
        return Model<Net, Int8>::make(detail::describe_int8<Net>(
            model.parameters().data(), rows, options, [&](std::size_t first, std::size_t count, float* inputs) {
                std::uint32_t indices[16];
                std::iota(indices, indices + count, static_cast<std::uint32_t>(first));
                calibration.gather(std::span<const std::uint32_t>(indices, count), inputs, targets.data());
            }));
    }
}

// From rows of floats one after the other.
template <class Net>
Result<Model<folded<Net>, Int8>> try_quantize(const Model<Net, Float32>& model, std::span<const float> calibration,
                                              const QuantizeOptions& options = {})
{
    if constexpr (!std::is_same_v<folded<Net>, Net>) {
        return try_quantize(fold_batch_norm(model), calibration, options);
    } else {
        constexpr std::size_t in = Net::input_shape::size;
        const std::size_t given = calibration.size() / in, rows = given < options.rows ? given : options.rows;
        if (rows == 0) return Failure{"quantize: expected at least one row to calibrate with, found none"};
        return Model<Net, Int8>::make(detail::describe_int8<Net>(
            model.parameters().data(), rows, options, [&](std::size_t first, std::size_t count, float* inputs) {
                for (std::size_t i = 0; i < count * in; ++i) inputs[i] = calibration[first * in + i];
            }));
    }
}

#if TENON_EXCEPTIONS
// As try_quantize, throwing tenon::Error.
template <class Net, class Rows>
Model<folded<Net>, Int8> quantize(const Model<Net, Float32>& model, const Rows& calibration,
                                  const QuantizeOptions& options = {})
{
    return try_quantize(model, calibration, options).value_or_throw();
}
#endif

// The share of a labelled dataset's rows whose largest output is their label's.
template <class Net, data::LabelledDataset D>
double accuracy(const Model<Net, Int8>& model, const D& dataset)
{
    constexpr std::size_t at_once = 32, in = Net::input_shape::size, out = Net::output_shape::size;
    const auto session = std::make_unique<Session<Net, tenon::Rows<at_once>, Int8>>(model.parameters());
    std::vector<float> inputs(at_once * in);
    std::vector<std::int8_t> from(at_once * in), to(at_once * out);
    std::vector<std::int32_t> labels(at_once);
    std::size_t right = 0;
    for (std::size_t first = 0; first < dataset.size(); first += at_once) {
        const std::size_t count = dataset.size() - first < at_once ? dataset.size() - first : at_once;
        std::uint32_t indices[at_once];
        std::iota(indices, indices + count, static_cast<std::uint32_t>(first));
        dataset.gather(std::span<const std::uint32_t>(indices, count), inputs.data(), labels.data());
        quantize_values(count * in, inputs.data(), model.input(), from.data());
        session->run_rows(count, from.data(), to.data());
        for (std::size_t r = 0; r < count; ++r)
            right += argmax(to.data() + r * out, out) == static_cast<std::size_t>(labels[r]) ? 1 : 0;
    }
    return dataset.size() == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(dataset.size());
}

}  // namespace tenon
