// SPDX-License-Identifier: BSL-1.0
// oneDNN: a training step of its primitives, created once, every layout left to the library (format_tag::any); weights stay
// in the layout of the forward pass, which Adam moves as a flat block. Loss and Adam by hand in loops that the compiler
// vectorises.
#include "training.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <cmath>
#include <unordered_map>

namespace contest::with_onednn {

using dnnl::memory;

template <class Case>
class Contestant {
public:
    Contestant(const Graph& graph, const GraphWeights& weights) : graph_(graph)
    {
        const std::size_t count = graph.nodes.size();
        layers_.resize(count);
        // Forward.
        memory value(images(graph.input, memory::format_tag::nhwc), engine_, nullptr);
        for (std::size_t n = 0; n < count; ++n) {
            Layer& layer = layers_[n];
            const Node& node = graph.nodes[n];
            if (node.kind == Kind::max_pool) {
                layer.pool = dnnl::pooling_forward::primitive_desc({training,
                                                                    dnnl::algorithm::pooling_max,
                                                                    value.get_desc(),
                                                                    images(node.out, memory::format_tag::any),
                                                                    strides(node),
                                                                    window(node),
                                                                    {0, 0},
                                                                    {0, 0}},
                                                                   engine_);
                layer.source = value;
                layer.output = memory(layer.pool.dst_desc(), engine_);
                layer.kept = memory(layer.pool.workspace_desc(), engine_);
                forward_.push_back(
                    {dnnl::pooling_forward(layer.pool),
                     {{DNNL_ARG_SRC, value}, {DNNL_ARG_DST, layer.output}, {DNNL_ARG_WORKSPACE, layer.kept}}});
            } else {
                dnnl::primitive_attr attributes;
                if (node.relu) {
                    dnnl::post_ops operations;
                    operations.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
                    attributes.set_post_ops(operations);
                }
                const memory::desc plain = plain_kernel(node, value);
                const memory::desc any_kernel(plain.dims(), f32, memory::format_tag::any);
                const memory::desc bias({dim(node.out.channels)}, f32, memory::format_tag::a);
                const memory::desc source = source_of(node, value, memory::format_tag::any);
                if (node.kind == Kind::conv) {
                    layer.conv = dnnl::convolution_forward::primitive_desc({training,
                                                                            dnnl::algorithm::convolution_direct,
                                                                            source,
                                                                            any_kernel,
                                                                            bias,
                                                                            images(node.out, memory::format_tag::any),
                                                                            strides(node),
                                                                            {0, 0},
                                                                            {0, 0}},
                                                                           attributes, engine_);
                    add_weighted(layer, layer.conv, dnnl::convolution_forward(layer.conv), value, plain,
                                 weights.kernel[n], weights.bias[n]);
                } else {
                    layer.dense = dnnl::inner_product_forward::primitive_desc(
                        {training, source, any_kernel, bias,
                         memory::desc({dim(Case::rows), dim(node.out.channels)}, f32, memory::format_tag::ab)},
                        attributes, engine_);
                    add_weighted(layer, layer.dense, dnnl::inner_product_forward(layer.dense), value, plain,
                                 weights.kernel[n], weights.bias[n]);
                }
            }
            value = layer.output;
        }
        logits_ = value;
        d_logits_ = memory(value.get_desc(), engine_);

        // Backward. The ReLU's derivative is taken from its output, in place.
        memory gradient = d_logits_;
        for (std::size_t n = count; n-- > 0;) {
            Layer& layer = layers_[n];
            const Node& node = graph.nodes[n];
            if (node.kind == Kind::max_pool) {
                gradient = in_layout(gradient, layer.output.get_desc());
                memory below(layer.source.get_desc(), engine_);
                const dnnl::pooling_backward::primitive_desc primitive({dnnl::algorithm::pooling_max,
                                                                        below.get_desc(),
                                                                        gradient.get_desc(),
                                                                        strides(node),
                                                                        window(node),
                                                                        {0, 0},
                                                                        {0, 0}},
                                                                       engine_, layer.pool);
                backward_.push_back(
                    {dnnl::pooling_backward(primitive),
                     {{DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_WORKSPACE, layer.kept}, {DNNL_ARG_DIFF_SRC, below}}});
                gradient = below;
                continue;
            }
            if (node.relu) {
                gradient = in_layout(gradient, layer.output.get_desc());
                const memory::desc& desc = gradient.get_desc();
                const dnnl::eltwise_forward::primitive_desc hint(
                    {training, dnnl::algorithm::eltwise_relu_use_dst_for_bwd, desc, 0.0f, 0.0f}, engine_);
                const dnnl::eltwise_backward::primitive_desc primitive(
                    {dnnl::algorithm::eltwise_relu_use_dst_for_bwd, desc, desc, 0.0f, 0.0f}, engine_, hint);
                backward_.push_back(
                    {dnnl::eltwise_backward(primitive),
                     {{DNNL_ARG_DST, layer.output}, {DNNL_ARG_DIFF_DST, gradient}, {DNNL_ARG_DIFF_SRC, gradient}}});
            }
            gradient = node.kind == Kind::conv ? backward_conv(layer, node, gradient, n > 0)
                                               : backward_dense(layer, node, gradient);
        }
        stream_.wait();
    }

    double step(const float* x, const std::int32_t* labels)
    {
        ++t_;
        for (const auto& [where, argument] : uses_of_input_)
            (*where)[argument.first].arguments.at(argument.second).set_data_handle(const_cast<float*>(x), stream_);
        if (uses_of_input_.empty()) find_uses_of_input(x);
        for (Step& step : forward_) step.primitive.execute(stream_, step.arguments);
        stream_.wait();
        const double loss = cross_entropy(labels);
        for (Step& step : backward_) step.primitive.execute(stream_, step.arguments);
        stream_.wait();
        for (Layer& layer : layers_)
            for (Parameter* parameter : {&layer.kernel, &layer.bias}) update(*parameter);
        return loss;
    }

private:
    static constexpr auto f32 = memory::data_type::f32;
    static constexpr auto training = dnnl::prop_kind::forward_training;

    struct Step {
        dnnl::primitive primitive;
        std::unordered_map<int, memory> arguments;
    };
    struct Parameter {
        memory value, gradient;
        Buffer m, v;
    };
    struct Layer {
        dnnl::convolution_forward::primitive_desc conv;
        dnnl::inner_product_forward::primitive_desc dense;
        dnnl::pooling_forward::primitive_desc pool;
        memory source, output, kept;
        Parameter kernel, bias;
    };

    static memory::dim dim(std::size_t n) { return static_cast<memory::dim>(n); }
    static memory::dims strides(const Node& node) { return {dim(node.stride), dim(node.stride)}; }
    static memory::dims window(const Node& node) { return {dim(node.kernel_height), dim(node.kernel_width)}; }
    static memory::desc images(const Extent& e, memory::format_tag tag)
    {
        return {{dim(Case::rows), dim(e.channels), dim(e.height), dim(e.width)}, f32, tag};
    }
    static memory::desc source_of(const Node& node, const memory& value, memory::format_tag tag)
    {
        return value.get_desc().dims().size() == 2 ? value.get_desc() : images(node.in, tag);
    }
    static memory::desc plain_kernel(const Node& node, const memory& value)
    {
        const memory::dim c = dim(node.in.channels), f = dim(node.out.channels), kh = dim(node.kernel_height),
                          kw = dim(node.kernel_width), h = dim(node.in.height), w = dim(node.in.width);
        if (value.get_desc().dims().size() == 2) return {{f, c}, f32, memory::format_tag::ba};
        if (node.kind == Kind::dense) return {{f, c, h, w}, f32, memory::dims{1, f, w * c * f, c * f}};
        return {{f, c, kh, kw}, f32, memory::dims{1, f, kw * c * f, c * f}};
    }

    memory in_layout(const memory& have, const memory::desc& wanted, bool forward = false)
    {
        if (have.get_desc() == wanted) return have;
        memory converted(wanted, engine_);
        (forward ? forward_ : backward_)
            .push_back({dnnl::reorder(have, converted), {{DNNL_ARG_FROM, have}, {DNNL_ARG_TO, converted}}});
        return converted;
    }

    void initialize(Parameter& parameter, const memory::desc& desc)
    {
        parameter.value = memory(desc, engine_);
        parameter.gradient = memory(desc, engine_);
        parameter.m.assign(desc.get_size() / sizeof(float), 0.0f);
        parameter.v = parameter.m;
        std::fill_n(static_cast<float*>(parameter.gradient.get_data_handle()), parameter.m.size(), 0.0f);
    }

    template <class Descriptor>
    void add_weighted(Layer& layer, const Descriptor& descriptor, const dnnl::primitive& primitive, const memory& value,
                      const memory::desc& plain_desc, const Buffer& kernel, const Buffer& bias)
    {
        initialize(layer.kernel, descriptor.weights_desc());
        memory plain(plain_desc, engine_, const_cast<float*>(kernel.data()));
        dnnl::reorder(plain, layer.kernel.value).execute(stream_, plain, layer.kernel.value);
        stream_.wait();
        initialize(layer.bias, descriptor.bias_desc());
        std::copy(bias.begin(), bias.end(), static_cast<float*>(layer.bias.value.get_data_handle()));
        layer.source = in_layout(value, descriptor.src_desc(), true);
        layer.output = memory(descriptor.dst_desc(), engine_);
        forward_.push_back({primitive,
                            {{DNNL_ARG_SRC, layer.source},
                             {DNNL_ARG_WEIGHTS, layer.kernel.value},
                             {DNNL_ARG_BIAS, layer.bias.value},
                             {DNNL_ARG_DST, layer.output}}});
    }

    template <class Descriptor>
    void add_weight_gradient(Layer& layer, const Descriptor& descriptor, const dnnl::primitive& primitive,
                             const memory& gradient)
    {
        const memory source = in_layout(layer.source, descriptor.src_desc());
        const memory dy = in_layout(gradient, descriptor.diff_dst_desc());
        const bool own = descriptor.diff_weights_desc() != layer.kernel.gradient.get_desc();
        memory dw = own ? memory(descriptor.diff_weights_desc(), engine_) : layer.kernel.gradient;
        backward_.push_back({primitive,
                             {{DNNL_ARG_SRC, source},
                              {DNNL_ARG_DIFF_DST, dy},
                              {DNNL_ARG_DIFF_WEIGHTS, dw},
                              {DNNL_ARG_DIFF_BIAS, layer.bias.gradient}}});
        if (own)
            backward_.push_back({dnnl::reorder(dw, layer.kernel.gradient),
                                 {{DNNL_ARG_FROM, dw}, {DNNL_ARG_TO, layer.kernel.gradient}}});
    }

    template <class Descriptor>
    memory add_input_gradient(Layer& layer, const Descriptor& descriptor, const dnnl::primitive& primitive,
                              const memory& gradient)
    {
        const memory dy = in_layout(gradient, descriptor.diff_dst_desc());
        const memory w = in_layout(layer.kernel.value, descriptor.weights_desc());
        memory dx(descriptor.diff_src_desc(), engine_);
        backward_.push_back({primitive, {{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DIFF_SRC, dx}}});
        return dx;
    }

    memory backward_conv(Layer& layer, const Node& node, const memory& gradient, bool needs_input)
    {
        const memory::desc any_in = images(node.in, memory::format_tag::any),
                           any_out = images(node.out, memory::format_tag::any);
        const memory::desc any_kernel(layer.kernel.value.get_desc().dims(), f32, memory::format_tag::any);
        const dnnl::convolution_backward_weights::primitive_desc by_weights({dnnl::algorithm::convolution_direct,
                                                                             any_in,
                                                                             any_kernel,
                                                                             layer.bias.value.get_desc(),
                                                                             any_out,
                                                                             strides(node),
                                                                             {0, 0},
                                                                             {0, 0}},
                                                                            engine_, layer.conv);
        add_weight_gradient(layer, by_weights, dnnl::convolution_backward_weights(by_weights), gradient);
        if (!needs_input) return {};
        const dnnl::convolution_backward_data::primitive_desc by_data(
            {dnnl::algorithm::convolution_direct, any_in, any_kernel, any_out, strides(node), {0, 0}, {0, 0}}, engine_,
            layer.conv);
        return add_input_gradient(layer, by_data, dnnl::convolution_backward_data(by_data), gradient);
    }

    memory backward_dense(Layer& layer, const Node& node, const memory& gradient)
    {
        const memory::desc from = source_of(node, layer.source, memory::format_tag::any);
        const memory::desc any_kernel(layer.kernel.value.get_desc().dims(), f32, memory::format_tag::any);
        const dnnl::inner_product_backward_weights::primitive_desc by_weights(
            {from, any_kernel, layer.bias.value.get_desc(), gradient.get_desc()}, engine_, layer.dense);
        add_weight_gradient(layer, by_weights, dnnl::inner_product_backward_weights(by_weights), gradient);
        const dnnl::inner_product_backward_data::primitive_desc by_data({from, any_kernel, gradient.get_desc()},
                                                                        engine_, layer.dense);
        return add_input_gradient(layer, by_data, dnnl::inner_product_backward_data(by_data), gradient);
    }

    // The images are the first source; it may be read by several primitives, directly or through a reorder.
    void find_uses_of_input(const float* x)
    {
        for (auto* steps : {&forward_, &backward_})
            for (std::size_t s = 0; s < steps->size(); ++s)
                for (auto& [argument, value] : (*steps)[s].arguments)
                    if (value.get_data_handle() == nullptr) {
                        uses_of_input_.push_back({steps, {s, argument}});
                        value.set_data_handle(const_cast<float*>(x), stream_);
                    }
    }

    double cross_entropy(const std::int32_t* labels)
    {
        const std::size_t n = graph_.outputs();
        constexpr float scale = 1.0f / static_cast<float>(Case::rows);
        const float* const all = static_cast<const float*>(logits_.get_data_handle());
        float* const d_all = static_cast<float*>(d_logits_.get_data_handle());
        double loss = 0;
        for (std::size_t r = 0; r < Case::rows; ++r) {
            const float* const logits = all + r * n;
            float* const d = d_all + r * n;
            float largest = logits[0], sum = 0;
            for (std::size_t j = 1; j < n; ++j) largest = std::max(largest, logits[j]);
            for (std::size_t j = 0; j < n; ++j) sum += d[j] = std::exp(logits[j] - largest);
            for (std::size_t j = 0; j < n; ++j) d[j] *= scale / sum;
            d[labels[r]] -= scale;
            loss += static_cast<double>(std::log(sum) + largest - logits[labels[r]]);
        }
        return loss / static_cast<double>(Case::rows);
    }

    void update(Parameter& parameter) const
    {
        if (parameter.m.empty()) return;
        constexpr auto b1 = static_cast<float>(AdamOptions::beta1), b2 = static_cast<float>(AdamOptions::beta2);
        const double t = static_cast<double>(t_);
        const auto rate = static_cast<float>(AdamOptions::learning_rate / (1 - std::pow(AdamOptions::beta1, t)));
        const auto correction = static_cast<float>(1 / std::sqrt(1 - std::pow(AdamOptions::beta2, t)));
        constexpr auto epsilon = static_cast<float>(AdamOptions::epsilon);
        float* __restrict const w = static_cast<float*>(parameter.value.get_data_handle());
        const float* __restrict const g = static_cast<const float*>(parameter.gradient.get_data_handle());
        float* __restrict const m = parameter.m.data();
        float* __restrict const v = parameter.v.data();
        const std::size_t n = parameter.m.size();
        for (std::size_t i = 0; i < n; ++i) {
            m[i] = b1 * m[i] + (1 - b1) * g[i];
            v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
            w[i] -= rate * m[i] / (std::sqrt(v[i]) * correction + epsilon);
        }
    }

    Graph graph_;
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    std::vector<Layer> layers_;
    std::vector<Step> forward_, backward_;
    std::vector<std::pair<std::vector<Step>*, std::pair<std::size_t, int>>> uses_of_input_;
    memory logits_, d_logits_;
    std::int64_t t_ = 0;
};

const bool enlisted = enlist_training<Contestant>("onednn", Role::peer, TrainingCases{});
const bool described = describe("onednn", std::to_string(dnnl_version()->major) + "." +
                                              std::to_string(dnnl_version()->minor) + "." +
                                              std::to_string(dnnl_version()->patch) +
                                              ", blocked layouts (format any), fused ReLU, primitives created once");

}  // namespace contest::with_onednn
