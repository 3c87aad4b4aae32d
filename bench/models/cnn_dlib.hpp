// SPDX-License-Identifier: BSL-1.0
// The Keras CNN in dlib's layers, and its weights in dlib's order: channels first, filters outermost.
#pragma once

#include "graph.hpp"

#include <dlib/dnn.h>
#include <dlib/revision.h>

namespace contest::with_dlib {

template <long Filters, class Below>
using Conv3 = dlib::add_layer<dlib::con_<Filters, 3, 3, 1, 1, 0, 0>, Below>;
template <class Below>
using Pool = dlib::max_pool<2, 2, 2, 2, Below>;

using CnnLayers = dlib::fc<
    10, dlib::relu<dlib::fc<
            64, dlib::relu<Conv3<
                    64, Pool<dlib::relu<Conv3<64, Pool<dlib::relu<Conv3<32, dlib::input<dlib::matrix<float>>>>>>>>>>>>>;

// Parameters of con_: filters (f, c, kh, kw), then biases. fc: (inputs + 1, outputs), inputs in the order (c, h, w).
inline void set_parameters(dlib::tensor& parameters, const Node& node, const Buffer& kernel, const Buffer& bias)
{
    float* to = parameters.host();
    const std::size_t outputs = node.out.channels, channels = node.in.channels;
    if (node.kind == Kind::dense) {
        const std::size_t pixels = node.in.height * node.in.width;
        for (std::size_t c = 0; c < channels; ++c)
            for (std::size_t p = 0; p < pixels; ++p)
                for (std::size_t f = 0; f < outputs; ++f) *to++ = kernel[(p * channels + c) * outputs + f];
    } else {
        const std::size_t taps = node.kernel_height * node.kernel_width;
        for (std::size_t f = 0; f < outputs; ++f)
            for (std::size_t c = 0; c < channels; ++c)
                for (std::size_t t = 0; t < taps; ++t) *to++ = kernel[(t * channels + c) * outputs + f];
    }
    std::copy(bias.begin(), bias.end(), to);
}

// Offset: of the last fc among dlib's layers, which count from the output.
template <std::size_t Offset, class Net>
void set_weights(Net& net, const Graph& graph, const GraphWeights& weights)
{
    const auto set = [&](dlib::tensor& parameters, std::size_t node) {
        set_parameters(parameters, graph.nodes[node], weights.kernel[node], weights.bias[node]);
    };
    set(dlib::layer<Offset>(net).layer_details().get_layer_params(), 6);
    set(dlib::layer<Offset + 2>(net).layer_details().get_layer_params(), 5);
    set(dlib::layer<Offset + 4>(net).layer_details().get_layer_params(), 4);
    set(dlib::layer<Offset + 7>(net).layer_details().get_layer_params(), 2);
    set(dlib::layer<Offset + 10>(net).layer_details().get_layer_params(), 0);
}

}  // namespace contest::with_dlib
