// SPDX-License-Identifier: BSL-1.0
// The two products of a Dense layer's backward pass, in the sizes (M rows, N units, K inputs) of the forward pass:
// weight_gradient dw (K, N) = x (M, K)ᵀ dy (M, N) and input_gradient dx (M, K) = dy (M, N) w (K, N)ᵀ, all row-major.
//
// A contestant is a template `Contestant<Size>` with a constructor from w, which it may bring into its own layout, and
// `void weight_gradient(const float* x, const float* dy, float* dw)`, whose result it may leave in that layout,
// `void logical(const float* dw, float* plain)`, which brings it back, and `void input_gradient(const float* dy, float* dx)`.
#pragma once

#include "../gemm/problem.hpp"

namespace contest {

template <class Case>
struct GradientProblem {
    Buffer x = Buffer(Case::M * Case::K), w = Buffer(Case::K * Case::N), dy = Buffer(Case::M * Case::N);
    std::vector<double> dw = std::vector<double>(Case::K * Case::N), dx = std::vector<double>(Case::M * Case::K);

    GradientProblem()
    {
        Uniform random(5);
        for (Buffer* buffer : {&x, &w, &dy})
            for (float& value : *buffer) value = random();
        for (std::size_t m = 0; m < Case::M; ++m)
            for (std::size_t k = 0; k < Case::K; ++k)
                for (std::size_t n = 0; n < Case::N; ++n) {
                    const double d = static_cast<double>(dy[m * Case::N + n]);
                    dw[k * Case::N + n] += static_cast<double>(x[m * Case::K + k]) * d;
                    dx[m * Case::K + k] += static_cast<double>(w[k * Case::N + n]) * d;
                }
    }
};

template <template <class> class Contestant, class Case>
void time_weight_gradient(benchmark::State& state)
{
    static const GradientProblem<Case> problem;
    static const auto contestant = std::make_unique<Contestant<Case>>(problem.w.data());
    // A layout of its own may have padding.
    Buffer x = problem.x, dy = problem.dy, dw(Case::K * (Case::N + 64)), plain(Case::K * Case::N);

    contestant->weight_gradient(x.data(), dy.data(), dw.data());
    contestant->logical(dw.data(), plain.data());
    if (!check(state, plain.data(), problem.dw.data(), plain.size())) return;

    const float *input = x.data(), *gradient = dy.data();
    float* output = dw.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(input);
        forget(gradient);
        contestant->weight_gradient(input, gradient, output);
        forget(output);
    }
    state.SetItemsProcessed(state.iterations() * Case::flops);
    state.SetBytesProcessed(state.iterations() * Case::bytes);
}

template <template <class> class Contestant, class Case>
void time_input_gradient(benchmark::State& state)
{
    static const GradientProblem<Case> problem;
    static const auto contestant = std::make_unique<Contestant<Case>>(problem.w.data());
    Buffer dy = problem.dy, dx(Case::M * Case::K);

    contestant->input_gradient(dy.data(), dx.data());
    if (!check(state, dx.data(), problem.dx.data(), dx.size())) return;

    const float* gradient = dy.data();
    float* output = dx.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(gradient);
        contestant->input_gradient(gradient, output);
        forget(output);
    }
    state.SetItemsProcessed(state.iterations() * Case::flops);
    state.SetBytesProcessed(state.iterations() * Case::bytes);
}

template <template <class> class Contestant, class... Sizes>
bool enlist_gradients(const char* name, Role role, SizeList<Sizes...>)
{
    return (add({"weight_gradient/" + Sizes::name(), name, role, Show::flops},
                time_weight_gradient<Contestant, Sizes>) &&
            ...) &&
           (add({"input_gradient/" + Sizes::name(), name, role, Show::flops}, time_input_gradient<Contestant, Sizes>) &&
            ...);
}

}  // namespace contest
