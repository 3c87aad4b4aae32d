// SPDX-License-Identifier: BSL-1.0
// oneDNN: the backward primitives of an inner product, created once, weights and their gradient in the layout that each
// asks for.
#include "problem.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <unordered_map>

namespace contest::with_onednn {

using dnnl::memory;

template <class Case>
class Contestant {
public:
    explicit Contestant(const float* w)
    {
        constexpr auto M = static_cast<memory::dim>(Case::M), N = static_cast<memory::dim>(Case::N);
        constexpr auto K = static_cast<memory::dim>(Case::K);
        constexpr auto type = memory::data_type::f32;
        const memory::desc source({M, K}, type, memory::format_tag::ab), target({M, N}, type, memory::format_tag::ab);
        const memory::desc any({N, K}, type, memory::format_tag::any);
        const dnnl::inner_product_forward::primitive_desc hint({dnnl::prop_kind::forward_training, source, any, target},
                                                               engine_);

        const dnnl::inner_product_backward_weights::primitive_desc by_weights({source, any, target}, engine_, hint);
        dw_desc_ = by_weights.diff_weights_desc();
        by_weights_ = dnnl::inner_product_backward_weights(by_weights);
        dw_arguments_ = {{DNNL_ARG_SRC, memory(source, engine_, nullptr)},
                         {DNNL_ARG_DIFF_DST, memory(target, engine_, nullptr)},
                         {DNNL_ARG_DIFF_WEIGHTS, memory(dw_desc_, engine_)}};

        const dnnl::inner_product_backward_data::primitive_desc by_data({source, any, target}, engine_, hint);
        by_data_ = dnnl::inner_product_backward_data(by_data);
        memory plain(plain_, engine_, const_cast<float*>(w)), packed(by_data.weights_desc(), engine_);
        dnnl::reorder(plain, packed).execute(stream_, plain, packed);
        stream_.wait();
        dx_arguments_ = {{DNNL_ARG_WEIGHTS, packed},
                         {DNNL_ARG_DIFF_DST, memory(target, engine_, nullptr)},
                         {DNNL_ARG_DIFF_SRC, memory(source, engine_, nullptr)}};
    }

    void weight_gradient(const float* x, const float* dy, float*)
    {
        dw_arguments_.at(DNNL_ARG_SRC).set_data_handle(const_cast<float*>(x), stream_);
        dw_arguments_.at(DNNL_ARG_DIFF_DST).set_data_handle(const_cast<float*>(dy), stream_);
        by_weights_.execute(stream_, dw_arguments_);
        stream_.wait();
    }
    void logical(const float*, float* plain)
    {
        memory result(plain_, engine_, plain), packed = dw_arguments_.at(DNNL_ARG_DIFF_WEIGHTS);
        dnnl::reorder(packed, result).execute(stream_, packed, result);
        stream_.wait();
    }
    void input_gradient(const float* dy, float* dx)
    {
        dx_arguments_.at(DNNL_ARG_DIFF_DST).set_data_handle(const_cast<float*>(dy), stream_);
        dx_arguments_.at(DNNL_ARG_DIFF_SRC).set_data_handle(dx, stream_);
        by_data_.execute(stream_, dx_arguments_);
        stream_.wait();
    }

private:
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    memory::desc plain_{{static_cast<memory::dim>(Case::N), static_cast<memory::dim>(Case::K)},
                        memory::data_type::f32,
                        memory::format_tag::ba},
        dw_desc_;
    dnnl::inner_product_backward_weights by_weights_;
    dnnl::inner_product_backward_data by_data_;
    std::unordered_map<int, memory> dw_arguments_, dx_arguments_;
};

const bool enlisted = enlist_gradients<Contestant>("onednn", Role::peer, GemmSizes{});
const bool described = describe(
    "onednn", std::to_string(dnnl_version()->major) + "." + std::to_string(dnnl_version()->minor) + "." +
                  std::to_string(dnnl_version()->patch) + ", primitives created once, weights packed beforehand");

}  // namespace contest::with_onednn
