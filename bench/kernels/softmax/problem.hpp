// SPDX-License-Identifier: BSL-1.0
// softmax: y = softmax(x) over rows of C float32 logits in [-4, 4).
//
// A contestant is `template <class Size> struct Loop { static void run(const float* x, float* y); }`.
#pragma once

#include "../../support/contest.hpp"
#include "../../support/data.hpp"

#include <cmath>

namespace contest {

template <std::size_t Rows_, std::size_t Columns_>
struct Size {
    static constexpr std::size_t rows = Rows_, columns = Columns_, count = Rows_ * Columns_;

    static std::string name() { return std::to_string(rows).append("x").append(std::to_string(columns)); }
};

template <class... Sizes>
struct SizeList {};

using SoftmaxSizes = SizeList<Size<1, 10>,      // one row of the Keras MLP
                              Size<32, 10>,     // a batch of it
                              Size<32, 100>,    //
                              Size<32, 1000>>;  // ImageNet's classes

template <template <class> class Loop, class Case>
void time_softmax(benchmark::State& state)
{
    Buffer x(Case::count), y(Case::count);
    std::vector<double> expected(Case::count);
    Uniform random(12);
    for (float& value : x) value = 4 * random();
    for (std::size_t r = 0; r < Case::count; r += Case::columns) {
        double sum = 0;
        for (std::size_t i = r; i < r + Case::columns; ++i) sum += std::exp(static_cast<double>(x[i]));
        for (std::size_t i = r; i < r + Case::columns; ++i) expected[i] = std::exp(static_cast<double>(x[i])) / sum;
    }
    Loop<Case>::run(x.data(), y.data());
    if (!check(state, y.data(), expected.data(), y.size(), 2e-6)) return;

    const float* input = x.data();
    float* output = y.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(input);
        Loop<Case>::run(input, output);
        forget(output);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(Case::rows));
}

template <template <class> class Loop, class... Sizes>
bool enlist_softmax(const char* name, Role role, SizeList<Sizes...>)
{
    return (add({"softmax/" + Sizes::name(), name, role, Show::time}, time_softmax<Loop, Sizes>) && ...);
}

}  // namespace contest
