// SPDX-License-Identifier: BSL-1.0
// A graph as a tenon network: a Session over a model's parameters, filled slot by slot in the order of the nodes.
#pragma once

#include "graph_inference.hpp"

#include <tenon/inference.hpp>
#include <tenon/model/model.hpp>

namespace contest::with_tenon {

// The network of a topology.
template <class Topology>
struct NetworkOf;

template <>
struct NetworkOf<Cnn> {
    using type = tenon::Network<tenon::Input<28, 28, 1>,  //
                                tenon::Conv2D<32, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,
                                tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::MaxPool2D<2>,
                                tenon::Conv2D<64, tenon::Kernel<3>>, tenon::ReLU, tenon::Flatten, tenon::Dense<64>,
                                tenon::ReLU, tenon::Dense<10>>;
};

template <class Net>
tenon::Model<Net> model_of(const Graph& graph, const GraphWeights& weights)
{
    tenon::Model<Net> model{tenon::uninitialized};
    auto& parameters = model.parameters();
    std::size_t next = 0;
    const auto set = [&](const Buffer& values) {
        const tenon::SlotInfo& slot = parameters.slots()[next++];
        for (std::size_t i = 0; i < slot.size; ++i) parameters.logical(slot, i) = values.at(i);
    };
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        if (!graph.nodes[n].has_weights()) continue;
        set(weights.kernel[n]);
        set(weights.bias[n]);
    }
    return model;
}

template <class Case>
class Contestant {
    using Net = typename NetworkOf<typename Case::topology>::type;

public:
    Contestant(const Graph& graph, const GraphWeights& weights)
        : model_(model_of<Net>(graph, weights)), session_(model_.parameters())
    {}

    void run(const float* x, float* y) { session_.run_rows(Case::rows, x, y); }

private:
    tenon::Model<Net> model_;
    tenon::Session<Net, tenon::Rows<Case::rows>> session_;
};

}  // namespace contest::with_tenon
