// SPDX-License-Identifier: BSL-1.0
// gemv: y (N) = bias + x (K) w (K, N), one row through a Dense layer, float32. The weights decide: each is used once.
//
// A contestant is a template `Contestant<Size>` with a constructor from w and bias, which it may bring into its own
// layout, and `void run(const float* x, float* y)`.
#pragma once

#include "../gemm/problem.hpp"

namespace contest {

using GemvSizes = SizeList<Size<1, 128, 784>,  // first layer of the Keras MLP
                           Size<1, 10, 128>,   // its second
                           Size<1, 256, 256>,  //
                           Size<1, 64, 64>,    // hidden layers of controllers
                           Size<1, 64, 13>,    //
                           Size<1, 4, 64>,     //
                           Size<1, 16, 16>>;

template <class Case>
struct GemvProblem {
    Buffer x = Buffer(Case::K), w = Buffer(Case::K * Case::N), bias = Buffer(Case::N);
    std::vector<double> expected = std::vector<double>(Case::N);

    GemvProblem()
    {
        Uniform random(6);
        for (Buffer* buffer : {&x, &w, &bias})
            for (float& value : *buffer) value = random();
        for (std::size_t n = 0; n < Case::N; ++n) {
            expected[n] = static_cast<double>(bias[n]);
            for (std::size_t k = 0; k < Case::K; ++k)
                expected[n] += static_cast<double>(x[k]) * static_cast<double>(w[k * Case::N + n]);
        }
    }
};

template <template <class> class Contestant, class Case>
void time_gemv(benchmark::State& state)
{
    static const GemvProblem<Case> problem;
    static const auto contestant = std::make_unique<Contestant<Case>>(problem.w.data(), problem.bias.data());
    Buffer x = problem.x, y(Case::N);

    contestant->run(x.data(), y.data());
    if (!check(state, y.data(), problem.expected.data(), y.size())) return;

    const float* input = x.data();
    float* output = y.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(input);
        contestant->run(input, output);
        forget(output);
    }
    state.SetItemsProcessed(state.iterations() * Case::flops);
    state.SetBytesProcessed(state.iterations() * Case::bytes);
}

template <template <class> class Contestant, class... Sizes>
bool enlist_gemv(const char* name, Role role, SizeList<Sizes...>)
{
    return (add({"gemv/" + std::to_string(Sizes::K) + "x" + std::to_string(Sizes::N), name, role, Show::time},
                time_gemv<Contestant, Sizes>) &&
            ...);
}

}  // namespace contest
