// SPDX-License-Identifier: BSL-1.0
// gemm: c (M, N) = a (M, K) b (K, N), float32, row-major, in the sizes that small networks multiply.
//
// A contestant is a template `Contestant<Size>` with a constructor from b, which it may bring into its own layout (as
// layers do with their weights), and `void run(const float* a, float* c)`.
#pragma once

#include "../../support/contest.hpp"
#include "../../support/data.hpp"

#include <memory>

namespace contest {

template <std::size_t M_, std::size_t N_, std::size_t K_>
struct Size {
    static constexpr std::size_t M = M_, N = N_, K = K_;
    static constexpr std::int64_t flops = 2 * static_cast<std::int64_t>(M * N * K);
    static constexpr std::int64_t bytes = 4 * static_cast<std::int64_t>(M * K + K * N + M * N);

    static std::string name()
    {
        return std::to_string(M).append("x").append(std::to_string(N)).append("x").append(std::to_string(K));
    }
};

template <class... Sizes>
struct SizeList {};

using GemmSizes = SizeList<Size<32, 128, 784>,   // first layer of the Keras MLP, 32 rows
                           Size<32, 784, 128>,   // its input gradient
                           Size<128, 128, 784>,  // the first layer, 128 rows
                           Size<16, 16, 16>,     //
                           Size<64, 64, 64>,     //
                           Size<256, 256, 256>,  //
                           Size<576, 64, 288>>;  // a convolution as a matrix product

template <class Case>
struct GemmProblem {
    Buffer a = Buffer(Case::M * Case::K), b = Buffer(Case::K * Case::N);
    std::vector<double> expected = std::vector<double>(Case::M * Case::N);

    GemmProblem()
    {
        Uniform random(4);
        for (float& value : a) value = random();
        for (float& value : b) value = random();
        for (std::size_t m = 0; m < Case::M; ++m)
            for (std::size_t k = 0; k < Case::K; ++k)
                for (std::size_t n = 0; n < Case::N; ++n)
                    expected[m * Case::N + n] += static_cast<double>(a[m * Case::K + k]) *
                                                 static_cast<double>(b[k * Case::N + n]);
    }
};

template <template <class> class Contestant, class Case>
void time_gemm(benchmark::State& state)
{
    static const GemmProblem<Case> problem;
    static const auto contestant = std::make_unique<Contestant<Case>>(problem.b.data());
    Buffer a = problem.a, c(Case::M * Case::N);

    contestant->run(a.data(), c.data());
    if (!check(state, c.data(), problem.expected.data(), c.size())) return;

    const float* input = a.data();
    float* output = c.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(input);
        contestant->run(input, output);
        forget(output);
    }
    state.SetItemsProcessed(state.iterations() * Case::flops);
    state.SetBytesProcessed(state.iterations() * Case::bytes);
}

template <template <class> class Contestant, class... Sizes>
bool enlist_gemm(const char* name, Role role, SizeList<Sizes...>)
{
    return (add({"gemm/" + Sizes::name(), name, role, Show::flops}, time_gemm<Contestant, Sizes>) && ...);
}

}  // namespace contest
