// SPDX-License-Identifier: BSL-1.0
// sparse: y (N) = bias + x (K) w (K, N), one row, where a share of w, spread at random, is zero. The peer is the dense kernel,
// which multiplies by them all; the plain loop is compressed by columns (CSC).
#pragma once

#include "../gemm/problem.hpp"

namespace contest {

template <class Size, std::size_t Percent>
struct Thinned : Size {
    static constexpr std::size_t percent = Percent;
};

template <class Case>
struct SparseProblem {
    Buffer x = Buffer(Case::K), w = Buffer(Case::K * Case::N), bias = Buffer(Case::N);
    std::vector<double> expected = std::vector<double>(Case::N);

    SparseProblem()
    {
        Uniform random(6);
        for (Buffer* buffer : {&x, &w, &bias})
            for (float& value : *buffer) value = random();
        // The smallest go, as pruning has it: values are uniform in [-1, 1).
        for (float& value : w)
            if ((value < 0 ? -value : value) * 100 < static_cast<float>(Case::percent)) value = 0;
        for (std::size_t n = 0; n < Case::N; ++n) {
            expected[n] = static_cast<double>(bias[n]);
            for (std::size_t k = 0; k < Case::K; ++k)
                expected[n] += static_cast<double>(x[k]) * static_cast<double>(w[k * Case::N + n]);
        }
    }
};

template <template <class> class Contestant, class Case>
void time_sparse(benchmark::State& state)
{
    static const SparseProblem<Case> problem;
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
}

template <template <class> class Contestant, class Size, std::size_t... Percents>
bool enlist_shares(const char* name, Role role)
{
    return (
        add({"sparse/" + std::to_string(Size::K) + "x" + std::to_string(Size::N) + "/" + std::to_string(Percents) + "%",
             name, role, Show::time},
            time_sparse<Contestant, Thinned<Size, Percents>>) &&
        ...);
}

template <template <class> class Contestant>
bool enlist_sparse(const char* name, Role role)
{
    return enlist_shares<Contestant, Size<1, 128, 784>, 50, 60, 70, 80, 85, 90, 95, 99>(name, role) &&
           enlist_shares<Contestant, Size<1, 64, 64>, 50, 80, 90, 95>(name, role);
}

}  // namespace contest
