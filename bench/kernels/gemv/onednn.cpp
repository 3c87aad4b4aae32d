// SPDX-License-Identifier: BSL-1.0
// oneDNN: an inner-product primitive for one row, created once, w packed beforehand into the layout that it asks for.
#include "problem.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <unordered_map>

namespace contest::with_onednn {

using dnnl::memory;

template <class Case>
class Contestant {
public:
    Contestant(const float* w, const float* bias)
    {
        constexpr auto N = static_cast<memory::dim>(Case::N), K = static_cast<memory::dim>(Case::K);
        constexpr auto type = memory::data_type::f32;
        const memory::desc source({1, K}, type, memory::format_tag::ab), target({1, N}, type, memory::format_tag::ab);
        const memory::desc added({N}, type, memory::format_tag::a);
        const dnnl::inner_product_forward::primitive_desc primitive(
            {dnnl::prop_kind::forward_inference, source, memory::desc({N, K}, type, memory::format_tag::any), added,
             target},
            engine_);
        memory plain({{N, K}, type, memory::format_tag::ba}, engine_, const_cast<float*>(w));
        memory packed(primitive.weights_desc(), engine_);
        dnnl::reorder(plain, packed).execute(stream_, plain, packed);
        stream_.wait();
        bias_.assign(bias, bias + Case::N);
        product_ = dnnl::inner_product_forward(primitive);
        arguments_ = {{DNNL_ARG_SRC, memory(source, engine_, nullptr)},
                      {DNNL_ARG_WEIGHTS, packed},
                      {DNNL_ARG_BIAS, memory(added, engine_, bias_.data())},
                      {DNNL_ARG_DST, memory(target, engine_, nullptr)}};
    }

    void run(const float* x, float* y)
    {
        arguments_.at(DNNL_ARG_SRC).set_data_handle(const_cast<float*>(x), stream_);
        arguments_.at(DNNL_ARG_DST).set_data_handle(y, stream_);
        product_.execute(stream_, arguments_);
        stream_.wait();
    }

private:
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    Buffer bias_;
    dnnl::inner_product_forward product_;
    std::unordered_map<int, memory> arguments_;
};

const bool enlisted = enlist_gemv<Contestant>("onednn", Role::peer, GemvSizes{});
const bool described = describe(
    "onednn", std::to_string(dnnl_version()->major) + "." + std::to_string(dnnl_version()->minor) + "." +
                  std::to_string(dnnl_version()->patch) + ", w packed beforehand, primitive created once");

}  // namespace contest::with_onednn
