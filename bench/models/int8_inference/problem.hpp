// SPDX-License-Identifier: BSL-1.0
// int8_inference: networks of integers, bytes in and bytes out: the Keras MLP (784-128-10) on one row and on 32, the Keras CNN
// on one image.
//
// All contestants get the same int8 weights (one scale per output channel), int32 biases and scales; activations are
// unsigned bytes without a zero point (as oneDNN has them: the fastest form for it), the last outputs signed ones. A contestant
// is a class with a constructor from `const Problem&` that may prepare whatever it likes, and
// `void run(const std::uint8_t* x, std::int8_t* y)`.
#pragma once

#include "../../support/contest.hpp"
#include "../../support/data.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace contest {

// A convolution of 3 × 3 (height and width above 1) or a dense layer, with ReLU but in the end, and a maximum of 2 × 2 blocks.
struct Int8Node {
    std::size_t height, width, channels;  // input; dense: 1, 1, inputs
    std::size_t filters;
    bool pool = false, dense = false;

    std::size_t kernel_size() const { return dense ? channels * filters : 9 * channels * filters; }
    std::size_t inputs_per_output() const { return kernel_size() / filters; }
    std::size_t out_height() const { return dense ? 1 : pool ? (height - 2) / 2 : height - 2; }
    std::size_t out_width() const { return dense ? 1 : pool ? (width - 2) / 2 : width - 2; }
    std::size_t out_size() const { return out_height() * out_width() * filters; }
};

struct Int8Case {
    std::string name;
    std::size_t rows;
    std::vector<Int8Node> nodes;

    std::size_t inputs() const { return nodes[0].height * nodes[0].width * nodes[0].channels; }
    std::size_t outputs() const { return nodes.back().filters; }
};

inline Int8Case mlp_case(std::size_t rows)
{
    return {
        "784-128-10/rows:" + std::to_string(rows), rows, {{1, 1, 784, 128, false, true}, {1, 1, 128, 10, false, true}}};
}
inline Int8Case cnn_case()
{
    return {"keras_cnn/rows:1",
            1,
            {{28, 28, 1, 32, true},
             {13, 13, 32, 64, true},
             {5, 5, 64, 64},
             {1, 1, 576, 64, false, true},
             {1, 1, 64, 10, false, true}}};
}

// The integers, and what comes out of them by real arithmetic, each value rounded to the nearest integer.
struct Int8Problem {
    Int8Case setting;
    std::vector<std::vector<std::int8_t>> kernel;  // (kh, kw, c, filters) or (inputs, units)
    std::vector<std::vector<std::int32_t>> bias;
    std::vector<std::vector<float>> kernel_scale;
    std::vector<float> scale;  // of the input, then of each node's output
    std::vector<std::uint8_t> x;
    std::vector<double> expected;

    explicit Int8Problem(Int8Case given) : setting{std::move(given)}
    {
        Uniform random(3);
        x.resize(setting.rows * setting.inputs());
        for (std::uint8_t& value : x) value = static_cast<std::uint8_t>(127.5f * (random() + 1.0f));
        scale.push_back(1.0f / 255.0f);
        std::vector<double> value(x.begin(), x.end());
        for (std::size_t n = 0; n < setting.nodes.size(); ++n) {
            const Int8Node& node = setting.nodes[n];
            const bool last = n + 1 == setting.nodes.size();
            kernel.emplace_back(node.kernel_size());
            bias.emplace_back(node.filters);
            kernel_scale.emplace_back(node.filters);
            for (std::int8_t& w : kernel[n]) w = static_cast<std::int8_t>(127.0f * random());
            for (std::int32_t& b : bias[n]) b = static_cast<std::int32_t>(1000.0f * random());
            const float size = 1.0f / (73.0f * std::sqrt(static_cast<float>(node.inputs_per_output())));
            for (float& s : kernel_scale[n]) s = size * (1.0f + 0.3f * random());
            std::vector<double> real = forward(node, n, value, !last);
            double most = 0.0;
            for (const double v : real) most = std::max(most, std::abs(v));
            scale.push_back(static_cast<float>(most / (last ? 127.0 : 255.0)));
            value.clear();
            for (const double v : real) value.push_back(std::round(v / static_cast<double>(scale.back())));
        }
        expected = value;
    }

private:
    std::vector<double> forward(const Int8Node& node, std::size_t n, const std::vector<double>& in, bool relu) const
    {
        std::vector<double> out;
        const std::size_t pool = node.pool ? 2 : 1, taps = node.dense ? 1 : 3;
        for (std::size_t r = 0; r < setting.rows; ++r)
            for (std::size_t i = 0; i < node.out_height(); ++i)
                for (std::size_t j = 0; j < node.out_width(); ++j)
                    for (std::size_t f = 0; f < node.filters; ++f) {
                        double most = -1e30;
                        for (std::size_t p = 0; p < pool * pool; ++p) {
                            double sum = bias[n][f];
                            for (std::size_t t = 0; t < taps * taps; ++t)
                                for (std::size_t c = 0; c < node.channels; ++c) {
                                    const std::size_t row = i * pool + p / 2 + t / taps,
                                                      column = j * pool + p % 2 + t % taps;
                                    sum += in[((r * node.height + row) * node.width + column) * node.channels + c] *
                                           kernel[n][(t * node.channels + c) * node.filters + f];
                                }
                            most = std::max(
                                most, sum * static_cast<double>(scale[n]) * static_cast<double>(kernel_scale[n][f]));
                        }
                        out.push_back(relu ? std::max(most, 0.0) : most);
                    }
        return out;
    }
};

template <class Contestant>
void time_int8(benchmark::State& state, const Int8Case& setting)
{
    const Int8Problem problem{setting};
    const auto contestant = std::make_unique<Contestant>(problem);
    std::vector<std::uint8_t, AlignedAllocator<std::uint8_t>> x(problem.x.begin(), problem.x.end());
    std::vector<std::int8_t, AlignedAllocator<std::int8_t>> y(setting.rows * setting.outputs());
    contestant->run(x.data(), y.data());
    // Roundings of hidden values differ between libraries: a few steps of the output's 255.
    const std::vector<float> got(y.begin(), y.end());
    for (std::size_t i = 0; i < got.size(); ++i)
        if (!(std::abs(static_cast<double>(got[i]) - problem.expected[i]) <= 4.0)) {
            state.SkipWithError("wrong result");
            return;
        }
    const std::uint8_t* input = x.data();
    std::int8_t* output = y.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(input);
        contestant->run(input, output);
        forget(output);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(setting.rows));
}

template <class Contestant>
bool enlist_int8(const char* name, Role role, const Int8Case& setting)
{
    return add({"int8_inference/" + setting.name, name, role, Show::time},
               [setting](benchmark::State& state) { time_int8<Contestant>(state, setting); });
}

}  // namespace contest
