// SPDX-License-Identifier: BSL-1.0
// Convolutional networks as lists of nodes, for the peers that build theirs at run time; their weights; and a float64
// reference. Weights have Keras's layouts: convolutions (kh, kw, c, f), depthwise (kh, kw, c), dense (in, out), images
// (h, w, c).
#pragma once

#include "../support/data.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace contest {

struct Extent {
    std::size_t height = 1, width = 1, channels = 1;
    std::size_t size() const { return height * width * channels; }
};

enum class Kind { conv, depthwise, max_pool, global_average, dense };
inline constexpr std::size_t nothing = std::numeric_limits<std::size_t>::max();

// Value 0 is the input, value i + 1 is what node i makes.
struct Node {
    Kind kind = Kind::conv;
    std::size_t from = 0;
    std::size_t added = nothing;  // a value that is added before the activation
    bool relu = false;
    Extent in, out;
    std::size_t kernel_height = 1, kernel_width = 1, stride = 1;
    std::size_t top = 0, bottom = 0, left = 0, right = 0;

    bool has_weights() const { return kind != Kind::max_pool && kind != Kind::global_average; }
    std::size_t fan_in() const
    {
        return kind == Kind::dense ? in.size() : kernel_height * kernel_width * (kind == Kind::conv ? in.channels : 1);
    }
    std::size_t kernel_size() const { return fan_in() * out.channels; }
    std::size_t macs() const { return kernel_size() * out.height * out.width; }
};

class Graph {
public:
    explicit Graph(Extent in) : input(in) {}

    enum Padding { valid, same };
    struct Window {
        std::size_t height, width, stride = 1;
        Padding padding = valid;
    };

    // Each returns the number of the value that it makes, by default from the last one.
    std::size_t conv(std::size_t filters, Window window, bool relu, std::size_t from = nothing,
                     std::size_t added = nothing)
    {
        Node node = windowed(Kind::conv, window, from);
        node.out.channels = filters;
        node.relu = relu;
        node.added = added;
        return push(node);
    }
    std::size_t depthwise(Window window)
    {
        Node node = windowed(Kind::depthwise, window, nothing);
        node.relu = true;
        return push(node);
    }
    std::size_t max_pool() { return push(windowed(Kind::max_pool, {2, 2, 2}, nothing)); }
    std::size_t global_average()
    {
        const Extent in = value(nodes.size());
        return push(windowed(Kind::global_average, {in.height, in.width}, nothing));
    }
    std::size_t dense(std::size_t units, bool relu)
    {
        Node node;
        node.kind = Kind::dense;
        node.from = nodes.size();
        node.in = value(node.from);
        node.out = {1, 1, units};
        node.relu = relu;
        return push(node);
    }

    const Extent& value(std::size_t i) const { return i == 0 ? input : nodes[i - 1].out; }
    std::size_t outputs() const { return nodes.back().out.size(); }

    Extent input;
    std::vector<Node> nodes;

private:
    Node windowed(Kind kind, Window window, std::size_t from) const
    {
        Node node;
        node.kind = kind;
        node.from = from == nothing ? nodes.size() : from;
        node.in = value(node.from);
        node.kernel_height = window.height;
        node.kernel_width = window.width;
        node.stride = window.stride;
        node.out.channels = node.in.channels;
        const bool padded = window.padding == same;
        const auto axis = [&](std::size_t extent, std::size_t kernel, std::size_t& before, std::size_t& after) {
            if (!padded) return (extent - kernel) / window.stride + 1;
            const std::size_t positions = (extent + window.stride - 1) / window.stride;
            const std::size_t reach = (positions - 1) * window.stride + kernel;
            const std::size_t missing = reach > extent ? reach - extent : 0;
            before = missing / 2;
            after = missing - before;
            return positions;
        };
        node.out.height = axis(node.in.height, window.height, node.top, node.bottom);
        node.out.width = axis(node.in.width, window.width, node.left, node.right);
        return node;
    }
    std::size_t push(const Node& node)
    {
        nodes.push_back(node);
        return nodes.size();
    }
};

// He uniform (He et al. 2015), small biases. Empty for nodes without weights.
struct GraphWeights {
    std::vector<Buffer> kernel, bias;

    explicit GraphWeights(const Graph& graph)
    {
        Uniform random(1);
        for (const Node& node : graph.nodes) {
            const std::size_t outputs = node.out.channels;
            kernel.emplace_back(node.has_weights() ? node.kernel_size() : 0);
            bias.emplace_back(node.has_weights() ? outputs : 0);
            const float limit = std::sqrt(6.0f / static_cast<float>(node.fan_in()));
            for (float& w : kernel.back()) w = limit * random();
            for (float& b : bias.back()) b = 0.1f * random();
        }
    }
};

using Doubles = std::vector<double>;

// Calls f(input index, kernel index without the filter, output index without the filter, channel) for each position of a
// convolution's window that lies inside the image, for one row.
template <class F>
void for_each_tap(const Node& node, F f)
{
    for (std::size_t i = 0; i < node.out.height; ++i)
        for (std::size_t j = 0; j < node.out.width; ++j)
            for (std::size_t a = 0; a < node.kernel_height; ++a)
                for (std::size_t b = 0; b < node.kernel_width; ++b) {
                    const std::size_t h = i * node.stride + a, w = j * node.stride + b;
                    if (h < node.top || h - node.top >= node.in.height || w < node.left ||
                        w - node.left >= node.in.width)
                        continue;
                    f(((h - node.top) * node.in.width + w - node.left) * node.in.channels,
                      (a * node.kernel_width + b) * node.in.channels, (i * node.out.width + j) * node.out.channels);
                }
}

// All values of a graph for one row, in float64.
inline std::vector<Doubles> reference_values(const Graph& graph, const std::vector<Doubles>& kernel,
                                             const std::vector<Doubles>& bias, Doubles x)
{
    std::vector<Doubles> values{std::move(x)};
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        const Node& node = graph.nodes[n];
        const Doubles& in = values[node.from];
        const std::size_t outputs = node.out.channels;
        const double start = node.kind == Kind::max_pool ? -std::numeric_limits<double>::infinity() : 0.0;
        Doubles y(node.out.size(), start);
        switch (node.kind) {
            case Kind::conv:
                for_each_tap(node, [&](std::size_t x_at, std::size_t w_at, std::size_t y_at) {
                    for (std::size_t c = 0; c < node.in.channels; ++c)
                        for (std::size_t f = 0; f < outputs; ++f)
                            y[y_at + f] += in[x_at + c] * kernel[n][(w_at + c) * outputs + f];
                });
                break;
            case Kind::depthwise:
                for_each_tap(node, [&](std::size_t x_at, std::size_t w_at, std::size_t y_at) {
                    for (std::size_t c = 0; c < outputs; ++c) y[y_at + c] += in[x_at + c] * kernel[n][w_at + c];
                });
                break;
            case Kind::max_pool:
                for_each_tap(node, [&](std::size_t x_at, std::size_t, std::size_t y_at) {
                    for (std::size_t c = 0; c < outputs; ++c) y[y_at + c] = std::max(y[y_at + c], in[x_at + c]);
                });
                break;
            case Kind::global_average:
                for_each_tap(node, [&](std::size_t x_at, std::size_t, std::size_t) {
                    for (std::size_t c = 0; c < outputs; ++c)
                        y[c] += in[x_at + c] / static_cast<double>(node.in.height * node.in.width);
                });
                break;
            case Kind::dense:
                for (std::size_t i = 0; i < in.size(); ++i)
                    for (std::size_t f = 0; f < outputs; ++f) y[f] += in[i] * kernel[n][i * outputs + f];
                break;
        }
        for (std::size_t i = 0; i < y.size(); ++i) {
            if (node.has_weights()) y[i] += bias[n][i % outputs];
            if (node.added != nothing) y[i] += values[node.added][i];
            if (node.relu) y[i] = std::max(0.0, y[i]);
        }
        values.push_back(std::move(y));
    }
    return values;
}

inline std::vector<Doubles> to_doubles(const std::vector<Buffer>& values)
{
    std::vector<Doubles> out;
    for (const Buffer& v : values) out.emplace_back(v.begin(), v.end());
    return out;
}

// The convolutional network of Keras's examples for images of 28 x 28: what the contract of this library trains.
struct Cnn {
    static const char* name() { return "cnn-28x28"; }
    static Graph graph()
    {
        Graph g({28, 28, 1});
        g.conv(32, {3, 3}, true);
        g.max_pool();
        g.conv(64, {3, 3}, true);
        g.max_pool();
        g.conv(64, {3, 3}, true);
        g.dense(64, true);
        g.dense(10, false);
        return g;
    }
};

}  // namespace contest
