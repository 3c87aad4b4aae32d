// SPDX-License-Identifier: BSL-1.0
// oneDNN: inner-product primitives created once, weights in the layout that it asks for, activation as a post-op.
#include "inference.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <unordered_map>

namespace contest::with_onednn {

using dnnl::memory;

template <class Case>
class Contestant {
public:
    explicit Contestant(const Weights& weights)
    {
        constexpr auto type = memory::data_type::f32;
        const auto rows = static_cast<memory::dim>(Case::rows);
        for (std::size_t l = 0; l < Case::layers; ++l) {
            const auto in = static_cast<memory::dim>(Case::widths[l]),
                       out = static_cast<memory::dim>(Case::widths[l + 1]);
            const memory::desc source({rows, in}, type, memory::format_tag::ab);
            const memory::desc kernel({out, in}, type, memory::format_tag::any);
            const memory::desc bias({out}, type, memory::format_tag::a);
            const memory::desc target({rows, out}, type, memory::format_tag::ab);
            dnnl::primitive_attr attributes;
            if (l + 1 < Case::layers) {
                dnnl::post_ops operations;
                operations.append_eltwise(1.0f,
                                          Case::activation == Activation::relu ? dnnl::algorithm::eltwise_relu
                                                                               : dnnl::algorithm::eltwise_tanh,
                                          0.0f, 0.0f);
                attributes.set_post_ops(operations);
            }
            const dnnl::inner_product_forward::primitive_desc primitive(
                {dnnl::prop_kind::forward_inference, source, kernel, bias, target}, attributes, engine_);
            memory packed(primitive.weights_desc(), engine_);
            memory plain({{out, in}, type, memory::format_tag::ba}, engine_,
                         const_cast<float*>(weights.kernel[l].data()));
            dnnl::reorder(plain, packed).execute(stream_, plain, packed);
            memory own_bias(bias, engine_);
            std::copy(weights.bias[l].begin(), weights.bias[l].end(), static_cast<float*>(own_bias.get_data_handle()));
            const memory from = l == 0 ? memory(source, engine_, nullptr) : steps_.back().arguments.at(DNNL_ARG_DST);
            const memory to = l + 1 == Case::layers ? memory(target, engine_, nullptr) : memory(target, engine_);
            steps_.push_back(
                {dnnl::inner_product_forward(primitive),
                 {{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, own_bias}, {DNNL_ARG_DST, to}}});
        }
        stream_.wait();
    }

    void run(const float* x, float* y)
    {
        steps_.front().arguments.at(DNNL_ARG_SRC).set_data_handle(const_cast<float*>(x), stream_);
        steps_.back().arguments.at(DNNL_ARG_DST).set_data_handle(y, stream_);
        for (Step& step : steps_) step.primitive.execute(stream_, step.arguments);
        stream_.wait();
    }

private:
    struct Step {
        dnnl::primitive primitive;
        std::unordered_map<int, memory> arguments;
    };
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    std::vector<Step> steps_;
};

const bool enlisted = enlist_inference<Contestant>("onednn", Role::peer, InferenceCases{});
const bool described = describe("onednn", std::to_string(dnnl_version()->major) + "." +
                                              std::to_string(dnnl_version()->minor) + "." +
                                              std::to_string(dnnl_version()->patch) +
                                              ", packed weights, fused activation, primitives created once");

}  // namespace contest::with_onednn
