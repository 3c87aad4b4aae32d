// SPDX-License-Identifier: BSL-1.0
// Outputs (logits) of a convolutional network, one image or several at a time.
//
// A contestant is a template `Contestant<Case>` with a constructor from `const Graph&, const GraphWeights&` that may prepare
// whatever it likes, and `void run(const float* x, float* y)`: x (rows, h, w, c) and y (rows, outputs), 64-byte aligned.
#pragma once

#include "../support/contest.hpp"
#include "graph.hpp"

#include <memory>

namespace contest {

template <class Topology, std::size_t Rows>
struct GraphCase {
    using topology = Topology;
    static constexpr std::size_t rows = Rows;
    static std::string name() { return std::string(Topology::name()) + "/rows:" + std::to_string(Rows); }
};

template <class... Cases>
struct CaseList {};

template <class Case>
struct GraphProblem {
    Graph graph = Case::topology::graph();
    GraphWeights weights{graph};
    Buffer x = Buffer(Case::rows * graph.input.size());
    Doubles expected;

    GraphProblem()
    {
        Uniform random(2);
        for (float& value : x) value = std::max(0.0f, random());
        const auto kernel = to_doubles(weights.kernel), bias = to_doubles(weights.bias);
        for (std::size_t r = 0; r < Case::rows; ++r) {
            const auto image = x.begin() + static_cast<std::ptrdiff_t>(r * graph.input.size());
            const Doubles y = reference_values(graph, kernel, bias,
                                               Doubles(image, image + static_cast<std::ptrdiff_t>(graph.input.size())))
                                  .back();
            expected.insert(expected.end(), y.begin(), y.end());
        }
    }
};

template <template <class> class Contestant, class Case>
void time_graph(benchmark::State& state)
{
    static const GraphProblem<Case> problem;
    static const auto contestant = std::make_unique<Contestant<Case>>(problem.graph, problem.weights);
    Buffer x = problem.x, y(problem.expected.size());

    contestant->run(x.data(), y.data());
    if (!check(state, y.data(), problem.expected.data(), y.size())) return;

    const float* input = x.data();
    float* output = y.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(input);
        contestant->run(input, output);
        forget(output);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(Case::rows));
}

template <template <class> class Contestant, class... Cases>
bool enlist_graphs(const std::string& group, const char* name, Role role, CaseList<Cases...>)
{
    return (add({group + "/" + Cases::name(), name, role, Show::time}, time_graph<Contestant, Cases>) && ...);
}

}  // namespace contest
