// SPDX-License-Identifier: BSL-1.0
// oneDNN: the softmax primitive, made once per size.
#include "problem.hpp"

#include <oneapi/dnnl/dnnl_version.h>
#include <oneapi/dnnl/dnnl.hpp>

namespace contest::with_onednn {

template <class Case>
struct Primitive {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    dnnl::memory::desc layout{
        {static_cast<dnnl::memory::dim>(Case::rows), static_cast<dnnl::memory::dim>(Case::columns)},
        dnnl::memory::data_type::f32,
        dnnl::memory::format_tag::ab};
    dnnl::memory input{layout, engine, nullptr}, output{layout, engine, nullptr};
#if DNNL_VERSION_MAJOR >= 3
    dnnl::softmax_forward softmax{dnnl::softmax_forward::primitive_desc(
        engine, dnnl::prop_kind::forward_inference, dnnl::algorithm::softmax_accurate, layout, layout, 1)};
#else
    dnnl::softmax_forward softmax{dnnl::softmax_forward::primitive_desc(
        dnnl::softmax_forward::desc(dnnl::prop_kind::forward_inference, layout, 1), engine)};
#endif
};

template <class Case>
struct Loop {
    static void run(const float* x, float* y)
    {
        static Primitive<Case> primitive;
        primitive.input.set_data_handle(const_cast<float*>(x));
        primitive.output.set_data_handle(y);
        primitive.softmax.execute(primitive.stream,
                                  {{DNNL_ARG_SRC, primitive.input}, {DNNL_ARG_DST, primitive.output}});
        primitive.stream.wait();
    }
};

const bool enlisted = enlist_softmax<Loop>("onednn", Role::peer, SoftmaxSizes{});
const bool described = describe("onednn",
                                std::to_string(DNNL_VERSION_MAJOR) + "." + std::to_string(DNNL_VERSION_MINOR));

}  // namespace contest::with_onednn
