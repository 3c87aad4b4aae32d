// SPDX-License-Identifier: BSL-1.0
// transcendental: y = f(x) over n floats in the first-level cache, spread over [-6, 6). Items are values.
//
// A contestant is `template <class F> struct Loop { static void run(std::size_t n, const float* x, float* y); }` for the
// functions F that it has.
#pragma once

#include "../../support/contest.hpp"
#include "../../support/data.hpp"

#include <cmath>

namespace contest {

struct Exp {
    static constexpr const char* name = "exp";
    static double exact(double x) { return std::exp(x); }
};
struct Tanh {
    static constexpr const char* name = "tanh";
    static double exact(double x) { return std::tanh(x); }
};
struct Sigmoid {
    static constexpr const char* name = "sigmoid";
    static double exact(double x) { return 1 / (1 + std::exp(-x)); }
};
struct Erf {
    static constexpr const char* name = "erf";
    static double exact(double x) { return std::erf(x); }
};
struct Gelu {
    static constexpr const char* name = "gelu";
    static double exact(double x) { return x / 2 * (1 + std::erf(x * 0.70710678118654752440)); }
};
struct Softplus {
    static constexpr const char* name = "softplus";
    static double exact(double x) { return std::log1p(std::exp(x)); }
};

template <class... F>
struct FunctionList {};
using Functions = FunctionList<Exp, Tanh, Sigmoid, Erf, Gelu, Softplus>;

template <template <class> class Loop, class F>
void time_function(benchmark::State& state, std::size_t n)
{
    Buffer x(n), y(n);
    std::vector<double> expected(n);
    Uniform random(11);
    for (std::size_t i = 0; i < n; ++i) {
        x[i] = 6 * random();
        expected[i] = F::exact(static_cast<double>(x[i]));
    }
    Loop<F>::run(n, x.data(), y.data());
    if (!check(state, y.data(), expected.data(), n, 2e-6)) return;

    const float* input = x.data();
    float* output = y.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(input);
        Loop<F>::run(n, input, output);
        forget(output);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}

// 64 values: the hidden layer of a small network; 1024: a batch.
template <template <class> class Loop, class... F>
bool enlist_functions(const char* name, Role role, FunctionList<F...>)
{
    bool all = true;
    for (const std::size_t n : {std::size_t{64}, std::size_t{1024}}) {
        const std::string size = std::string("/").append(std::to_string(n));
        all = (add({std::string("transcendental/").append(F::name).append(size), name, role, Show::time},
                   [n](benchmark::State& state) { time_function<Loop, F>(state, n); }) &&
               ... && all);
    }
    return all;
}

}  // namespace contest
