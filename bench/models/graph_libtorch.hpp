// SPDX-License-Identifier: BSL-1.0
// A graph with LibTorch: InferenceMode, weights and images channels last, which its oneDNN convolutions take as they are.
#pragma once

#include "graph_inference.hpp"

#include <torch/torch.h>

namespace contest::with_libtorch {

inline std::int64_t signed_size(std::size_t n) { return static_cast<std::int64_t>(n); }

inline at::Tensor wrap(const float* values, std::vector<std::int64_t> extents)
{
    return torch::from_blob(const_cast<float*>(values), extents);
}

// (f, c / groups, kh, kw) channels last; dense kernels (out, in).
inline at::Tensor own_kernel(const Node& node, const Buffer& kernel)
{
    const auto h = signed_size(node.kernel_height), w = signed_size(node.kernel_width),
               c = signed_size(node.in.channels), f = signed_size(node.out.channels);
    if (node.kind == Kind::dense) return wrap(kernel.data(), {signed_size(node.in.size()), f}).t().contiguous();
    const at::Tensor keras = node.kind == Kind::depthwise ? wrap(kernel.data(), {h, w, 1, c})
                                                          : wrap(kernel.data(), {h, w, c, f});
    return keras.permute({3, 2, 0, 1}).contiguous(at::MemoryFormat::ChannelsLast);
}

class GraphRunner {
public:
    GraphRunner(std::size_t rows, const Graph& graph, const GraphWeights& weights)
        : rows_(signed_size(rows)), graph_(graph)
    {
        at::set_num_threads(1);
        const c10::InferenceMode guard;
        for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
            const Node& node = graph.nodes[n];
            kernel_.push_back(node.has_weights() ? own_kernel(node, weights.kernel[n]) : at::Tensor());
            bias_.push_back(node.has_weights() ? wrap(weights.bias[n].data(), {signed_size(node.out.channels)}).clone()
                                               : at::Tensor());
        }
    }

    void run(const float* x, float* y)
    {
        const c10::InferenceMode guard;
        std::vector<at::Tensor> values;
        const Extent& in = graph_.input;
        // Rows of (h, w, c) are what channels last means.
        values.push_back(wrap(x, {rows_, signed_size(in.height), signed_size(in.width), signed_size(in.channels)})
                             .permute({0, 3, 1, 2}));
        for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
            const Node& node = graph_.nodes[n];
            at::Tensor result = apply(node, n, values[node.from]);
            if (node.added != nothing) result.add_(values[node.added]);
            if (node.relu) result.relu_();
            values.push_back(result);
        }
        const at::Tensor result = values.back().contiguous();
        std::copy_n(result.data_ptr<float>(), result.numel(), y);
    }

private:
    at::Tensor apply(const Node& node, std::size_t n, at::Tensor from) const
    {
        const std::int64_t stride = signed_size(node.stride);
        switch (node.kind) {
            case Kind::max_pool: return at::max_pool2d(from, {2, 2}, {2, 2});
            case Kind::global_average: return at::mean(from, {2, 3}, true);
            case Kind::dense:
                return at::linear(from.dim() == 4 ? from.permute({0, 2, 3, 1}).reshape({rows_, -1}) : from, kernel_[n],
                                  bias_[n]);
            default: break;
        }
        std::vector<std::int64_t> padding{signed_size(node.top), signed_size(node.left)};
        if (node.top != node.bottom || node.left != node.right) {
            from = at::constant_pad_nd(from, {signed_size(node.left), signed_size(node.right), signed_size(node.top),
                                              signed_size(node.bottom)});
            padding = {0, 0};
        }
        return at::conv2d(from, kernel_[n], bias_[n], {stride, stride}, padding, {1, 1},
                          node.kind == Kind::depthwise ? signed_size(node.in.channels) : 1);
    }

    std::int64_t rows_;
    Graph graph_;
    std::vector<at::Tensor> kernel_, bias_;
};

template <class Case>
class Contestant : public GraphRunner {
public:
    Contestant(const Graph& graph, const GraphWeights& weights) : GraphRunner(Case::rows, graph, weights) {}
};

inline std::string description()
{
    return std::string(TORCH_VERSION) + ", InferenceMode, channels last, one thread, " +
           (at::globalContext().userEnabledMkldnn() && at::hasMKLDNN() ? "with oneDNN" : "without oneDNN");
}

}  // namespace contest::with_libtorch
