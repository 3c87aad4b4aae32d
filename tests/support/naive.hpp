// SPDX-License-Identifier: BSL-1.0
// A second implementation of inference to compare with: double precision, shapes at run time, one value at a time, straight
// from the formulas in the layers' documentation. It shares nothing with the library but the names of the layers.
#pragma once

#include <tenon/layers/layers.hpp>
#include <tenon/network/network.hpp>

#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace naive {

struct Value {
    std::vector<std::size_t> extents;
    std::vector<double> values;

    std::size_t last() const { return extents.back(); }
};

// What a walk over a network finds: parameters are taken from a flat list in Keras's order, layer by layer.
struct Walk {
    const double* next = nullptr;  // null: parameters are counted only, and read as 0
    std::size_t parameters = 0;
    std::size_t macs = 0;

    double take()
    {
        ++parameters;
        return next == nullptr ? 0.0 : *next++;
    }
    std::vector<double> take(std::size_t count)
    {
        std::vector<double> taken(count);
        for (double& value : taken) value = take();
        return taken;
    }
};

template <class Layer>
struct Run;

template <class... Layers>
Value run_all(Value value, Walk& walk)
{
    ((value = Run<Layers>::on(value, walk)), ...);
    return value;
}

template <std::size_t Units, class... Options>
struct Run<tenon::Dense<Units, Options...>> {
    static Value on(const Value& x, Walk& walk)
    {
        const std::size_t in = x.values.size();
        const std::vector<double> kernel = walk.take(in * Units);
        std::vector<double> y(Units, 0.0);
        if (!(std::is_same_v<Options, tenon::NoBias> || ...)) y = walk.take(Units);
        for (std::size_t j = 0; j < Units; ++j)
            for (std::size_t i = 0; i < in; ++i) y[j] += x.values[i] * kernel[i * Units + j];
        walk.macs += in * Units;
        return {{Units}, y};
    }
};

template <>
struct Run<tenon::Flatten> {
    static Value on(const Value& x, Walk&) { return {{x.values.size()}, x.values}; }
};
template <std::size_t... Extents>
struct Run<tenon::Reshape<Extents...>> {
    static Value on(const Value& x, Walk&) { return {{Extents...}, x.values}; }
};
template <class Rate>
struct Run<tenon::Dropout<Rate>> {
    static Value on(const Value& x, Walk&) { return x; }
};

template <class F>
Value each(Value x, F f)
{
    for (double& value : x.values) value = f(value);
    return x;
}

inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
inline double relu6(double x) { return x < 0.0 ? 0.0 : x > 6.0 ? 6.0 : x; }

template <>
struct Run<tenon::ReLU> {
    static Value on(const Value& x, Walk&)
    {
        return each(x, [](double v) { return v > 0.0 ? v : 0.0; });
    }
};
template <>
struct Run<tenon::Tanh> {
    static Value on(const Value& x, Walk&)
    {
        return each(x, [](double v) { return std::tanh(v); });
    }
};
template <>
struct Run<tenon::Sigmoid> {
    static Value on(const Value& x, Walk&) { return each(x, sigmoid); }
};
template <>
struct Run<tenon::HardSigmoid> {
    static Value on(const Value& x, Walk&)
    {
        return each(x, [](double v) { return relu6(v + 3.0) / 6.0; });
    }
};
template <>
struct Run<tenon::HardSwish> {
    static Value on(const Value& x, Walk&)
    {
        return each(x, [](double v) { return v * relu6(v + 3.0) / 6.0; });
    }
};
template <>
struct Run<tenon::SiLU> {
    static Value on(const Value& x, Walk&)
    {
        return each(x, [](double v) { return v * sigmoid(v); });
    }
};
template <>
struct Run<tenon::SELU> {
    static Value on(const Value& x, Walk&)
    {
        return each(
            x, [](double v) { return 1.0507009873554805 * (v > 0.0 ? v : 1.6732632423543772 * (std::exp(v) - 1.0)); });
    }
};
template <>
struct Run<tenon::Softplus> {
    static Value on(const Value& x, Walk&)
    {
        return each(x, [](double v) { return std::log1p(std::exp(-std::fabs(v))) + (v > 0.0 ? v : 0.0); });
    }
};
template <>
struct Run<tenon::GELU> {
    static Value on(const Value& x, Walk&)
    {
        return each(x, [](double v) { return 0.5 * v * (1.0 + std::erf(v / std::sqrt(2.0))); });
    }
};
template <>
struct Run<tenon::GELUTanh> {
    static Value on(const Value& x, Walk&)
    {
        return each(x, [](double v) {
            return 0.5 * v * (1.0 + std::tanh(std::sqrt(2.0 / std::acos(-1.0)) * (v + 0.044715 * v * v * v)));
        });
    }
};

// A fraction option's value among a layer's options, or the default.
template <template <std::int64_t, std::int64_t> class Option>
double option_value(double otherwise)
{
    return otherwise;
}
template <template <std::int64_t, std::int64_t> class Option, std::int64_t N, std::int64_t D, class... Rest>
double option_value_of(Option<N, D>*, Rest*...)
{
    return static_cast<double>(N) / static_cast<double>(D);
}

template <class... Options>
struct Run<tenon::LeakyReLUWith<Options...>> {
    static Value on(const Value& x, Walk&)
    {
        double slope = 0.01;
        if constexpr (sizeof...(Options) > 0) slope = option_value_of<tenon::Slope>(static_cast<Options*>(nullptr)...);
        return each(x, [slope](double v) { return v > 0.0 ? v : slope * v; });
    }
};
template <class... Options>
struct Run<tenon::ELUWith<Options...>> {
    static Value on(const Value& x, Walk&)
    {
        double alpha = 1.0;
        if constexpr (sizeof...(Options) > 0) alpha = option_value_of<tenon::Alpha>(static_cast<Options*>(nullptr)...);
        return each(x, [alpha](double v) { return v > 0.0 ? v : alpha * (std::exp(v) - 1.0); });
    }
};

template <>
struct Run<tenon::PReLU> {
    static Value on(Value x, Walk& walk)
    {
        const std::vector<double> slope = walk.take(x.last());
        for (std::size_t i = 0; i < x.values.size(); ++i)
            if (x.values[i] < 0.0) x.values[i] *= slope[i % x.last()];
        return x;
    }
};

template <>
struct Run<tenon::LogSoftmax> {
    static Value on(Value x, Walk&)
    {
        for (std::size_t first = 0; first < x.values.size(); first += x.last()) {
            double largest = x.values[first], sum = 0.0;
            for (std::size_t i = 0; i < x.last(); ++i) largest = std::fmax(largest, x.values[first + i]);
            for (std::size_t i = 0; i < x.last(); ++i) sum += std::exp(x.values[first + i] - largest);
            for (std::size_t i = 0; i < x.last(); ++i) x.values[first + i] -= largest + std::log(sum);
        }
        return x;
    }
};
template <>
struct Run<tenon::Softmax> {
    static Value on(const Value& x, Walk& walk)
    {
        return each(Run<tenon::LogSoftmax>::on(x, walk), [](double v) { return std::exp(v); });
    }
};

template <class... Options>
struct Run<tenon::LayerNormWith<Options...>> {
    static Value on(Value x, Walk& walk)
    {
        double epsilon = 1e-3;
        if constexpr (sizeof...(Options) > 0)
            epsilon = option_value_of<tenon::VarianceEpsilon>(static_cast<Options*>(nullptr)...);
        const std::size_t n = x.last();
        const std::vector<double> gamma = walk.take(n), beta = walk.take(n);
        for (std::size_t first = 0; first < x.values.size(); first += n) {
            double mean = 0.0, variance = 0.0;
            for (std::size_t i = 0; i < n; ++i) mean += x.values[first + i] / static_cast<double>(n);
            for (std::size_t i = 0; i < n; ++i)
                variance += (x.values[first + i] - mean) * (x.values[first + i] - mean) / static_cast<double>(n);
            for (std::size_t i = 0; i < n; ++i)
                x.values[first + i] = (x.values[first + i] - mean) / std::sqrt(variance + epsilon) * gamma[i] + beta[i];
        }
        return x;
    }
};

template <class... Layers>
struct Run<tenon::Sequential<Layers...>> {
    static Value on(const Value& x, Walk& walk) { return run_all<Layers...>(x, walk); }
};
template <std::size_t N, class Layer>
struct Run<tenon::Repeat<N, Layer>> {
    static Value on(Value x, Walk& walk)
    {
        for (std::size_t i = 0; i < N; ++i) x = Run<Layer>::on(x, walk);
        return x;
    }
};
template <class... Layers>
struct Run<tenon::Residual<Layers...>> {
    static Value on(const Value& x, Walk& walk)
    {
        Value y = run_all<Layers...>(x, walk);
        for (std::size_t i = 0; i < y.values.size(); ++i) y.values[i] += x.values[i];
        return y;
    }
};
template <class... Branches>
struct Run<tenon::Concat<Branches...>> {
    static Value on(const Value& x, Walk& walk)
    {
        const Value parts[] = {Run<Branches>::on(x, walk)...};
        Value y = parts[0];
        y.values.clear();
        y.extents.back() = 0;
        for (const Value& part : parts) y.extents.back() += part.last();
        const std::size_t vectors = parts[0].values.size() / parts[0].last();
        for (std::size_t v = 0; v < vectors; ++v)
            for (const Value& part : parts)
                for (std::size_t c = 0; c < part.last(); ++c) y.values.push_back(part.values[v * part.last() + c]);
        return y;
    }
};

template <class Net>
struct Of;
template <std::size_t... Extents, class... Layers>
struct Of<tenon::Network<tenon::Input<Extents...>, Layers...>> {
    static Value input() { return {{Extents...}, std::vector<double>((Extents * ...))}; }
    static Value run(const Value& x, Walk& walk) { return run_all<Layers...>(x, walk); }
};

// One sample through a network. parameters: in Keras's order, as many as the network has.
template <class Net>
std::vector<double> predict(const std::vector<double>& parameters, const std::vector<double>& x)
{
    Value input = Of<Net>::input();
    input.values = x;
    Walk walk;
    walk.next = parameters.data();
    return Of<Net>::run(input, walk).values;
}

// All parameters of a block in Keras's order.
template <class Parameters>
std::vector<double> logical(const Parameters& parameters)
{
    std::vector<double> values;
    for (const auto& slot : parameters.slots())
        for (std::size_t i = 0; i < slot.size; ++i) values.push_back(static_cast<double>(parameters.logical(slot, i)));
    return values;
}

}  // namespace naive
