// SPDX-License-Identifier: BSL-1.0
// zoo_inference: one image through the convolutional networks of the MLPerf Tiny benchmark (Banbury et al. 2021), as they
// are deployed: batch normalisation folded into the convolutions, no Dropout, logits. DS-CNN's and MobileNet's strides pad
// as Keras does.
#pragma once

#include "../graph_inference.hpp"

namespace contest {

struct ResNet8 {
    static const char* name() { return "resnet-8"; }
    static Graph graph()
    {
        Graph g({32, 32, 3});
        const std::size_t first = g.conv(16, {3, 3, 1, Graph::same}, true);
        g.conv(16, {3, 3, 1, Graph::same}, true);
        g.conv(16, {3, 3, 1, Graph::same}, true, nothing, first);
        for (const std::size_t filters : {32, 64}) {
            const std::size_t in = g.nodes.size();
            g.conv(filters, {3, 3, 2, Graph::same}, true);
            const std::size_t branch = g.conv(filters, {3, 3, 1, Graph::same}, false);
            g.conv(filters, {1, 1, 2, Graph::same}, true, in, branch);
        }
        g.global_average();
        g.dense(10, false);
        return g;
    }
};

struct DsCnn {
    static const char* name() { return "ds-cnn"; }
    static Graph graph()
    {
        Graph g({49, 10, 1});
        g.conv(64, {10, 4, 2, Graph::same}, true);
        for (int block = 0; block < 4; ++block) {
            g.depthwise({3, 3, 1, Graph::same});
            g.conv(64, {1, 1}, true);
        }
        g.global_average();
        g.dense(12, false);
        return g;
    }
};

struct MobileNetV1Quarter {
    static const char* name() { return "mobilenet-v1-0.25"; }
    static Graph graph()
    {
        Graph g({96, 96, 3});
        g.conv(8, {3, 3, 2, Graph::same}, true);
        const auto block = [&](std::size_t filters, std::size_t stride) {
            g.depthwise({3, 3, stride, Graph::same});
            g.conv(filters, {1, 1}, true);
        };
        block(16, 1);
        block(32, 2);
        block(32, 1);
        block(64, 2);
        block(64, 1);
        block(128, 2);
        for (int i = 0; i < 5; ++i) block(128, 1);
        block(256, 2);
        block(256, 1);
        g.global_average();
        g.dense(2, false);
        return g;
    }
};

using ZooCases = CaseList<GraphCase<ResNet8, 1>, GraphCase<DsCnn, 1>, GraphCase<MobileNetV1Quarter, 1>>;

}  // namespace contest
