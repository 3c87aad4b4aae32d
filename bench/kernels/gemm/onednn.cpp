// SPDX-License-Identifier: BSL-1.0
// oneDNN: an inner-product primitive created once, b packed beforehand into the layout that it asks for.
#include "problem.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <unordered_map>

namespace contest::with_onednn {

using dnnl::memory;

template <class Case>
class Contestant {
public:
    explicit Contestant(const float* b)
    {
        constexpr auto M = static_cast<memory::dim>(Case::M), N = static_cast<memory::dim>(Case::N);
        constexpr auto K = static_cast<memory::dim>(Case::K);
        constexpr auto type = memory::data_type::f32;
        const memory::desc source({M, K}, type, memory::format_tag::ab), target({M, N}, type, memory::format_tag::ab);
        const dnnl::inner_product_forward::primitive_desc primitive(
            {dnnl::prop_kind::forward_inference, source, memory::desc({N, K}, type, memory::format_tag::any), target},
            engine_);
        memory plain({{N, K}, type, memory::format_tag::ba}, engine_, const_cast<float*>(b));
        memory packed(primitive.weights_desc(), engine_);
        dnnl::reorder(plain, packed).execute(stream_, plain, packed);
        stream_.wait();
        product_ = dnnl::inner_product_forward(primitive);
        arguments_ = {{DNNL_ARG_SRC, memory(source, engine_, nullptr)},
                      {DNNL_ARG_WEIGHTS, packed},
                      {DNNL_ARG_DST, memory(target, engine_, nullptr)}};
    }

    void run(const float* a, float* c)
    {
        arguments_.at(DNNL_ARG_SRC).set_data_handle(const_cast<float*>(a), stream_);
        arguments_.at(DNNL_ARG_DST).set_data_handle(c, stream_);
        product_.execute(stream_, arguments_);
        stream_.wait();
    }

private:
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    dnnl::inner_product_forward product_;
    std::unordered_map<int, memory> arguments_;
};

const bool enlisted = enlist_gemm<Contestant>("onednn", Role::peer, GemmSizes{});
const bool described = describe(
    "onednn", std::to_string(dnnl_version()->major) + "." + std::to_string(dnnl_version()->minor) + "." +
                  std::to_string(dnnl_version()->patch) + ", b packed beforehand, primitive created once");

}  // namespace contest::with_onednn
