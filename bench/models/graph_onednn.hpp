// SPDX-License-Identifier: BSL-1.0
// A graph with oneDNN as its documentation recommends it for inference: primitives created once, every layout left to the
// library (format_tag::any), weights reordered beforehand, activations and sums as post-operations.
#pragma once

#include "graph_inference.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <unordered_map>

namespace contest::with_onednn {

using dnnl::memory;

inline memory::dim dim(std::size_t n) { return static_cast<memory::dim>(n); }
inline constexpr auto f32 = memory::data_type::f32;

inline memory::dims dims_of(std::size_t rows, const Extent& e)
{
    return {dim(rows), dim(e.channels), dim(e.height), dim(e.width)};
}
inline memory::desc images(std::size_t rows, const Extent& e, memory::format_tag tag)
{
    return {dims_of(rows, e), f32, tag};
}

// A node's kernel as Keras has it, with oneDNN's order of extents.
inline memory::desc plain_kernel(const Node& node)
{
    const memory::dim c = dim(node.in.channels), f = dim(node.out.channels), kh = dim(node.kernel_height),
                      kw = dim(node.kernel_width), h = dim(node.in.height), w = dim(node.in.width);
    switch (node.kind) {
        case Kind::depthwise: return {{c, 1, 1, kh, kw}, f32, memory::dims{1, 1, 1, kw * c, c}};
        case Kind::dense: return {{f, c, h, w}, f32, memory::dims{1, f, w * c * f, c * f}};
        default: return {{f, c, kh, kw}, f32, memory::dims{1, f, kw * c * f, c * f}};
    }
}

class GraphRunner {
public:
    GraphRunner(std::size_t rows, const Graph& graph, const GraphWeights& weights)
    {
        values_.push_back(memory(images(rows, graph.input, memory::format_tag::nhwc), engine_, nullptr));
        for (std::size_t n = 0; n < graph.nodes.size(); ++n)
            add(rows, graph.nodes[n], weights.kernel[n], weights.bias[n]);
        // The last value has a plain layout: (rows, outputs).
        for (std::size_t s = 0; s < steps_.size(); ++s)
            for (const auto& [argument, value] : steps_[s].arguments) {
                if (value.get() == values_.front().get()) inputs_.push_back({s, argument});
                if (value.get() == values_.back().get()) outputs_.push_back({s, argument});
            }
        stream_.wait();
    }

    void run(const float* x, float* y)
    {
        for (const auto& [step, argument] : inputs_)
            steps_[step].arguments.at(argument).set_data_handle(const_cast<float*>(x), stream_);
        for (const auto& [step, argument] : outputs_) steps_[step].arguments.at(argument).set_data_handle(y, stream_);
        for (Step& step : steps_) step.primitive.execute(stream_, step.arguments);
        stream_.wait();
    }

private:
    struct Step {
        dnnl::primitive primitive;
        std::unordered_map<int, memory> arguments;
    };

    // Value `from` in the layout that a primitive asks for.
    memory in_layout(const memory& have, const memory::desc& wanted)
    {
        if (have.get_desc() == wanted) return have;
        memory converted(wanted, engine_);
        steps_.push_back({dnnl::reorder(have, converted), {{DNNL_ARG_FROM, have}, {DNNL_ARG_TO, converted}}});
        return converted;
    }

    static dnnl::primitive_attr attributes(const Node& node)
    {
        dnnl::post_ops operations;
        if (node.added != nothing) operations.append_sum(1.0f);
        if (node.relu) operations.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
        dnnl::primitive_attr result;
        result.set_post_ops(operations);
        return result;
    }

    template <class Descriptor>
    void add_weighted(const Descriptor& primitive, const dnnl::primitive& made, const memory& source, const Node& node,
                      const memory::desc& plain_desc, const Buffer& kernel, const Buffer& bias)
    {
        memory packed(primitive.weights_desc(), engine_);
        memory plain(plain_desc, engine_, const_cast<float*>(kernel.data()));
        dnnl::reorder(plain, packed).execute(stream_, plain, packed);
        stream_.wait();
        memory own_bias({{dim(bias.size())}, f32, memory::format_tag::a}, engine_);
        std::copy(bias.begin(), bias.end(), static_cast<float*>(own_bias.get_data_handle()));
        const memory from = in_layout(source, primitive.src_desc());
        const memory to = node.added != nothing ? values_[node.added] : memory(primitive.dst_desc(), engine_);
        steps_.push_back(
            {made, {{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, own_bias}, {DNNL_ARG_DST, to}}});
        values_.push_back(to);
    }

    void add(std::size_t rows, const Node& node, const Buffer& kernel, const Buffer& bias)
    {
        const memory source = values_[node.from];
        const memory::dims strides{dim(node.stride), dim(node.stride)};
        const memory::dims before{dim(node.top), dim(node.left)}, after{dim(node.bottom), dim(node.right)};
        const memory::dims window{dim(node.kernel_height), dim(node.kernel_width)};
        const memory::desc any_target = images(rows, node.out, memory::format_tag::any);
        const memory::desc bias_desc({dim(node.out.channels)}, f32, memory::format_tag::a);
        constexpr auto inference = dnnl::prop_kind::forward_inference;
        switch (node.kind) {
            case Kind::conv:
            case Kind::depthwise: {
                const memory::desc target = node.added != nothing ? values_[node.added].get_desc() : any_target;
                const dnnl::convolution_forward::primitive_desc primitive(
                    {inference, dnnl::algorithm::convolution_direct, images(rows, node.in, memory::format_tag::any),
                     memory::desc(plain_kernel(node).dims(), f32, memory::format_tag::any), bias_desc, target, strides,
                     before, after},
                    attributes(node), engine_);
                add_weighted(primitive, dnnl::convolution_forward(primitive), source, node, plain_kernel(node), kernel,
                             bias);
                break;
            }
            case Kind::dense: {
                // Behind another dense layer the source is (rows, units); an image is taken in its own layout.
                const bool flat = source.get_desc().dims().size() == 2;
                const memory::desc plain = flat ? memory::desc({dim(node.out.channels), dim(node.in.size())}, f32,
                                                               memory::format_tag::ba)
                                                : plain_kernel(node);
                const dnnl::inner_product_forward::primitive_desc primitive(
                    {inference, flat ? source.get_desc() : images(rows, node.in, memory::format_tag::any),
                     memory::desc(plain.dims(), f32, memory::format_tag::any), bias_desc,
                     memory::desc({dim(rows), dim(node.out.channels)}, f32, memory::format_tag::ab)},
                    attributes(node), engine_);
                add_weighted(primitive, dnnl::inner_product_forward(primitive), source, node, plain, kernel, bias);
                break;
            }
            case Kind::max_pool:
            case Kind::global_average: {
                const auto algorithm = node.kind == Kind::max_pool ? dnnl::algorithm::pooling_max
                                                                   : dnnl::algorithm::pooling_avg_exclude_padding;
                const dnnl::pooling_forward::primitive_desc primitive(
                    {inference, algorithm, source.get_desc(), any_target, strides, window, before, after}, engine_);
                const memory to(primitive.dst_desc(), engine_);
                steps_.push_back({dnnl::pooling_forward(primitive), {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, to}}});
                values_.push_back(to);
                break;
            }
        }
    }

    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    std::vector<memory> values_;
    std::vector<Step> steps_;
    std::vector<std::pair<std::size_t, int>> inputs_, outputs_;
};

template <class Case>
class Contestant : public GraphRunner {
public:
    Contestant(const Graph& graph, const GraphWeights& weights) : GraphRunner(Case::rows, graph, weights) {}
};

inline std::string description()
{
    return std::to_string(dnnl_version()->major) + "." + std::to_string(dnnl_version()->minor) + "." +
           std::to_string(dnnl_version()->patch) +
           ", blocked layouts (format any), packed weights, fused activations and sums, primitives created once";
}

}  // namespace contest::with_onednn
