// SPDX-License-Identifier: BSL-1.0
// mlp_inference: outputs of a small perceptron, one row (what a control loop or an audio callback asks for) and 32.
//
// A contestant is a template `Contestant<Case>` with a constructor from `const Weights&` that may prepare whatever it
// likes, and `void run(const float* x, float* y)`: x (rows, inputs) and y (rows, outputs) row-major, 64-byte aligned. One that
// rounds its weights says by its own `tolerance` what that may cost.
#pragma once

#include "../../support/contest.hpp"
#include "../mlp.hpp"

#include <memory>
#include <type_traits>

namespace contest {

template <class... Cases>
struct CaseList {};

using InferenceCases = CaseList<               //
    Mlp<Activation::relu, 1, 784, 128, 10>,    // the Keras MLP
    Mlp<Activation::relu, 32, 784, 128, 10>,   //
    Mlp<Activation::tanh, 1, 13, 64, 64, 4>,   // a control policy
    Mlp<Activation::tanh, 32, 13, 64, 64, 4>,  //
    Mlp<Activation::relu, 1, 4, 16, 16, 2>,    // a network for a microcontroller
    Mlp<Activation::relu, 32, 4, 16, 16, 2>,   //
    Mlp<Activation::tanh, 1, 1, 8, 8, 1>,      // a wave shaper for audio
    Mlp<Activation::tanh, 32, 1, 8, 8, 1>>;

template <class Case>
struct InferenceProblem {
    Weights weights{Case::widths};
    Buffer x = Buffer(Case::rows * Case::inputs);
    std::vector<double> expected;

    InferenceProblem()
    {
        Uniform random(2);
        for (float& value : x) value = random();
        expected = reference_forward<Case>(to_double(weights.kernel), to_double(weights.bias), {x.begin(), x.end()},
                                           Case::rows)
                       .back();
    }
};

// A contestant's own tolerance, where it has one. C++17: LibTorch is compiled with that.
template <class Contestant, class = void>
inline constexpr double tolerance_of = 1e-4;
template <class Contestant>
inline constexpr double tolerance_of<Contestant, std::void_t<decltype(Contestant::tolerance)>> = Contestant::tolerance;

template <template <class> class Contestant, class Case>
void time_inference(benchmark::State& state)
{
    static const InferenceProblem<Case> problem;
    static const auto contestant = std::make_unique<Contestant<Case>>(problem.weights);
    Buffer x = problem.x, y(Case::rows * Case::outputs);

    contestant->run(x.data(), y.data());
    if (!check(state, y.data(), problem.expected.data(), y.size(), tolerance_of<Contestant<Case>>)) return;

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
bool enlist_inference(const char* name, Role role, CaseList<Cases...>)
{
    return (add({"mlp_inference/" + Cases::name(), name, role, Show::time}, time_inference<Contestant, Cases>) && ...);
}

}  // namespace contest
