// SPDX-License-Identifier: BSL-1.0
// oneDNN: u8 activations by s8 weights into s32, one output scale per channel, ReLU as a post-operation; primitives created
// once, layouts left to the library, weights reordered beforehand.
#include "problem.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <unordered_map>

namespace contest::with_onednn {

using dnnl::memory;

class Contestant {
public:
    explicit Contestant(const Int8Problem& problem)
    {
        const auto dim = [](std::size_t n) { return static_cast<memory::dim>(n); };
        const Int8Case& setting = problem.setting;
        const memory::dim rows = dim(setting.rows);
        const Int8Node& first = setting.nodes[0];
        memory value(first.dense ? memory::desc({rows, dim(first.channels)}, u8, memory::format_tag::ab)
                                 : memory::desc({rows, dim(first.channels), dim(first.height), dim(first.width)}, u8,
                                                memory::format_tag::nhwc),
                     engine_, nullptr);
        for (std::size_t n = 0; n < setting.nodes.size(); ++n) {
            const Int8Node& node = setting.nodes[n];
            const bool last = n + 1 == setting.nodes.size();
            const memory::dim c = dim(node.channels), f = dim(node.filters);
            dnnl::primitive_attr attributes;
            std::vector<float> scales;
            for (const float s : problem.kernel_scale[n]) scales.push_back(s * problem.scale[n] / problem.scale[n + 1]);
            attributes.set_output_scales(1 << 1, scales);
            if (!last) {
                dnnl::post_ops operations;
                operations.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
                attributes.set_post_ops(operations);
            }
            const memory::desc bias_desc({f}, memory::data_type::s32, memory::format_tag::a);
            constexpr auto inference = dnnl::prop_kind::forward_inference;
            if (node.dense) {
                // Behind an image: the same values in the order (height, width, channels).
                const bool image = value.get_desc().dims().size() == 4;
                const memory::dims in = image ? value.get_desc().dims() : memory::dims{rows, c};
                const memory::dims kernel_dims = image ? memory::dims{f, in[1], in[2], in[3]} : memory::dims{f, c};
                const memory::desc plain(kernel_dims, s8,
                                         image ? memory::dims{1, f, in[3] * in[1] * f, in[1] * f} : memory::dims{1, f});
                const dnnl::inner_product_forward::primitive_desc primitive(
                    {inference, image ? memory::desc(in, u8, memory::format_tag::any) : value.get_desc(),
                     memory::desc(kernel_dims, s8, memory::format_tag::any), bias_desc,
                     memory::desc({rows, f}, last ? s8 : u8, memory::format_tag::ab)},
                    attributes, engine_);
                value = add(primitive, dnnl::inner_product_forward(primitive), value, plain, problem.kernel[n],
                            problem.bias[n]);
            } else {
                const memory::dim h = dim(node.height), w = dim(node.width);
                const memory::desc plain({f, c, 3, 3}, s8, memory::dims{1, f, 3 * c * f, c * f});
                const dnnl::convolution_forward::primitive_desc primitive(
                    {inference, dnnl::algorithm::convolution_direct,
                     memory::desc({rows, c, h, w}, u8, memory::format_tag::any),
                     memory::desc({f, c, 3, 3}, s8, memory::format_tag::any), bias_desc,
                     memory::desc({rows, f, h - 2, w - 2}, u8, memory::format_tag::any), memory::dims{1, 1},
                     memory::dims{0, 0}, memory::dims{0, 0}},
                    attributes, engine_);
                value = add(primitive, dnnl::convolution_forward(primitive), value, plain, problem.kernel[n],
                            problem.bias[n]);
                if (node.pool) {
                    const dnnl::pooling_forward::primitive_desc pool(
                        {inference, dnnl::algorithm::pooling_max, value.get_desc(),
                         memory::desc({rows, f, dim(node.out_height()), dim(node.out_width())}, u8,
                                      memory::format_tag::any),
                         memory::dims{2, 2}, memory::dims{2, 2}, memory::dims{0, 0}, memory::dims{0, 0}},
                        engine_);
                    const memory to(pool.dst_desc(), engine_);
                    steps_.push_back({dnnl::pooling_forward(pool), {{DNNL_ARG_SRC, value}, {DNNL_ARG_DST, to}}});
                    value = to;
                }
            }
        }
        stream_.wait();
    }

    void run(const std::uint8_t* x, std::int8_t* y)
    {
        auto& source = steps_.front().arguments;
        source.at(steps_.front().reorder ? DNNL_ARG_FROM : DNNL_ARG_SRC)
            .set_data_handle(const_cast<std::uint8_t*>(x), stream_);
        steps_.back().arguments.at(DNNL_ARG_DST).set_data_handle(y, stream_);
        for (Step& step : steps_) step.primitive.execute(stream_, step.arguments);
        stream_.wait();
    }

private:
    static constexpr auto u8 = memory::data_type::u8, s8 = memory::data_type::s8;
    struct Step {
        dnnl::primitive primitive;
        std::unordered_map<int, memory> arguments;
        bool reorder = false;
    };

    template <class Descriptor>
    memory add(const Descriptor& primitive, const dnnl::primitive& made, memory source, const memory::desc& plain_desc,
               const std::vector<std::int8_t>& kernel, const std::vector<std::int32_t>& bias)
    {
        memory packed(primitive.weights_desc(), engine_);
        memory plain(plain_desc, engine_, const_cast<std::int8_t*>(kernel.data()));
        dnnl::reorder(plain, packed).execute(stream_, plain, packed);
        stream_.wait();
        memory own_bias({{static_cast<memory::dim>(bias.size())}, memory::data_type::s32, memory::format_tag::a},
                        engine_);
        std::copy(bias.begin(), bias.end(), static_cast<std::int32_t*>(own_bias.get_data_handle()));
        if (source.get_desc() != primitive.src_desc()) {
            const memory converted(primitive.src_desc(), engine_);
            steps_.push_back(
                {dnnl::reorder(source, converted), {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, converted}}, true});
            source = converted;
        }
        const memory to(primitive.dst_desc(), engine_);
        steps_.push_back(
            {made,
             {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, own_bias}, {DNNL_ARG_DST, to}}});
        return to;
    }

    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    std::vector<Step> steps_;
};

const bool enlisted = enlist_int8<Contestant>("onednn", Role::peer, mlp_case(1)) &&
                      enlist_int8<Contestant>("onednn", Role::peer, mlp_case(32)) &&
                      enlist_int8<Contestant>("onednn", Role::peer, cnn_case());
const bool described = describe(
    "onednn", std::to_string(dnnl_version()->major) + "." + std::to_string(dnnl_version()->minor) + "." +
                  std::to_string(dnnl_version()->patch) + ", u8s8, packed weights, fused ReLU");

}  // namespace contest::with_onednn
