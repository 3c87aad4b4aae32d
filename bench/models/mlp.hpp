// SPDX-License-Identifier: BSL-1.0
// What all contestants of the perceptron benchmarks share: the cases, their weights, and a float64 reference.
#pragma once

#include "../support/data.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace contest {

enum class Activation { relu, tanh };

// Rows is the number of rows per call. Widths: inputs, hidden units..., outputs. The last layer has no activation.
template <Activation Hidden, std::size_t Rows, std::size_t... Widths>
struct Mlp {
    static constexpr Activation activation = Hidden;
    static constexpr std::size_t rows = Rows;
    static constexpr std::array widths{Widths...};
    static constexpr std::size_t layers = sizeof...(Widths) - 1;
    static constexpr std::size_t inputs = widths.front();
    static constexpr std::size_t outputs = widths.back();

    static std::string name()
    {
        std::string text;
        for (const std::size_t width : widths) text.append(text.empty() ? "" : "-").append(std::to_string(width));
        return text.append(Hidden == Activation::relu ? "_relu" : "_tanh")
            .append("/rows:")
            .append(std::to_string(Rows));
    }
};

// Initial weights, Glorot uniform (Glorot & Bengio 2010): kernel[l] is (widths[l], widths[l + 1]) row-major.
struct Weights {
    std::vector<Buffer> kernel, bias;

    template <std::size_t N>
    explicit Weights(const std::array<std::size_t, N>& widths)
    {
        Uniform random(1);
        for (std::size_t l = 0; l + 1 < N; ++l) {
            const float limit = std::sqrt(6.0f / static_cast<float>(widths[l] + widths[l + 1]));
            kernel.emplace_back(widths[l] * widths[l + 1]);
            bias.emplace_back(widths[l + 1]);
            for (float& w : kernel.back()) w = limit * random();
            for (float& b : bias.back()) b = 0.1f * random();
        }
    }
};

inline double activate(Activation activation, double x)
{
    return activation == Activation::relu ? std::max(0.0, x) : std::tanh(x);
}

// Reference forward pass in float64. Returns the output of every layer, x itself first.
template <class Case>
std::vector<std::vector<double>> reference_forward(const std::vector<std::vector<double>>& kernel,
                                                   const std::vector<std::vector<double>>& bias,
                                                   const std::vector<double>& x, std::size_t rows)
{
    std::vector<std::vector<double>> values{x};
    for (std::size_t l = 0; l < Case::layers; ++l) {
        const std::size_t in = Case::widths[l], out = Case::widths[l + 1];
        std::vector<double> y(rows * out);
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t j = 0; j < out; ++j) {
                double sum = bias[l][j];
                for (std::size_t i = 0; i < in; ++i) sum += values[l][r * in + i] * kernel[l][i * out + j];
                y[r * out + j] = l + 1 < Case::layers ? activate(Case::activation, sum) : sum;
            }
        values.push_back(std::move(y));
    }
    return values;
}

inline std::vector<std::vector<double>> to_double(const std::vector<Buffer>& values)
{
    std::vector<std::vector<double>> out;
    for (const Buffer& v : values) out.emplace_back(v.begin(), v.end());
    return out;
}

}  // namespace contest
