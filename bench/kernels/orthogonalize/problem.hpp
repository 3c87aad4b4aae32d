// SPDX-License-Identifier: BSL-1.0
// orthogonalize: five Newton-Schulz iterations of a matrix (K, N), float32, as Muon makes them at each step. The time per call.
//
// A contestant is a template `Contestant<Matrix>` with a constructor from the matrix, row-major, which it may bring into its
// own layout; `void run()`; and `float result(k, n) const`.
#pragma once

#include "../../support/contest.hpp"
#include "../../support/data.hpp"

#include <tenon/kernels/reference/orthogonalize.hpp>

#include <memory>

namespace contest {

template <std::size_t K_, std::size_t N_>
struct Matrix {
    static constexpr std::size_t K = K_, N = N_;
    static std::string name() { return std::to_string(K).append("x").append(std::to_string(N)); }
};

template <class... Matrices>
struct MatrixList {};

using Matrices = MatrixList<Matrix<784, 128>,  // first layer of the Keras MLP
                            Matrix<576, 64>,   // a convolution 3 × 3 of 64 channels, 64 filters
                            Matrix<128, 128>,  //
                            Matrix<128, 512>>;

template <template <class> class Contestant, class Case>
void time_orthogonalize(benchmark::State& state)
{
    constexpr std::size_t size = Case::K * Case::N;
    Uniform random(4);
    Buffer x(size), y(size);
    for (float& value : x) value = random();
    const std::vector<double> wide(x.begin(), x.end());
    std::vector<double> expected(size);
    tenon::kernels::reference::orthogonalize(Case::K, Case::N, wide.data(), expected.data());

    const auto contestant = std::make_unique<Contestant<Case>>(x.data());
    contestant->run();
    for (std::size_t i = 0; i < size; ++i) y[i] = contestant->result(i / Case::N, i % Case::N);
    if (!check(state, y.data(), expected.data(), size)) return;

    auto* running = contestant.get();
    for ([[maybe_unused]] auto _ : state) {
        forget(running);
        running->run();
    }
}

template <template <class> class Contestant, class... Each>
bool enlist_orthogonalize(const char* name, Role role, MatrixList<Each...>)
{
    return (add({"orthogonalize/" + Each::name(), name, role, Show::time}, time_orthogonalize<Contestant, Each>) &&
            ...);
}

}  // namespace contest
