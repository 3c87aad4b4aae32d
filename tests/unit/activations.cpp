// SPDX-License-Identifier: BSL-1.0
// Every activation and its derivative against the naive twin, and the values at kinks, infinities and NaN.
#include <tenon/kernels/activations.hpp>
#include <tenon/kernels/reference/activations.hpp>

#include <doctest/doctest.h>
#include <support/kernel_data.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using namespace tenon;
using simd::Pack;
using support::Exact;

// One activation beside its twin.
template <class Kernel, class Reference>
struct Case {
    const char* name;
    Kernel kernel;
    Reference reference;
};
template <class Kernel, class Reference>
Case(const char*, Kernel, Reference) -> Case<Kernel, Reference>;  // clang 14 does not find it by itself

template <class F>
void for_each_activation(F f)
{
    namespace r = kernels::reference;
    f(Case{"identity", kernels::Identity{}, r::Identity{}});
    f(Case{"relu", kernels::ReLU{}, r::ReLU{}});
    f(Case{"leaky_relu", kernels::LeakyReLU{}, r::LeakyReLU{}});
    f(Case{"leaky_relu 0.3", kernels::LeakyReLU{.slope = 0.3}, r::LeakyReLU{.slope = 0.3}});
    f(Case{"elu", kernels::ELU{}, r::ELU{}});
    f(Case{"elu 0.5", kernels::ELU{.alpha = 0.5}, r::ELU{.alpha = 0.5}});
    f(Case{"selu", kernels::SELU{}, r::SELU{}});
    f(Case{"gelu", kernels::GELU{}, r::GELU{}});
    f(Case{"gelu_tanh", kernels::GELUTanh{}, r::GELUTanh{}});
    f(Case{"silu", kernels::SiLU{}, r::SiLU{}});
    f(Case{"hard_sigmoid", kernels::HardSigmoid{}, r::HardSigmoid{}});
    f(Case{"hard_swish", kernels::HardSwish{}, r::HardSwish{}});
    f(Case{"sigmoid", kernels::Sigmoid{}, r::Sigmoid{}});
    f(Case{"tanh", kernels::Tanh{}, r::Tanh{}});
    f(Case{"softplus", kernels::Softplus{}, r::Softplus{}});
}

template <class T>
T value(auto kernel, T x)
{
    return kernel(Pack<T, 1>(x)).lanes;
}
template <class T>
T slope(auto kernel, T x)
{
    return kernel.derivative(Pack<T, 1>(x), kernel(Pack<T, 1>(x))).lanes;
}

}  // namespace

TEST_CASE_TEMPLATE("activations and derivatives agree with their twins", T, float, double)
{
    constexpr double epsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
    const auto x = support::random_values<T>(4800, -12, 12, 3);
    for_each_activation([&](auto each) {
        const std::string name = each.name;
        CAPTURE(name);
        support::for_widest_and_one<T>([&]<std::size_t W>() {
            CAPTURE(W);
            double worst = 0, worst_slope = 0;
            T y[W], dy[W];
            for (std::size_t i = 0; i < x.size(); i += W) {
                const auto in = Pack<T, W>::load(&x[i]);
                const auto out = each.kernel(in);
                out.store(y);
                each.kernel.derivative(in, out).store(dy);
                for (std::size_t lane = 0; lane < W; ++lane) {
                    const Exact at = x[i + lane], exact = each.reference(at),
                                exact_slope = each.reference.derivative(at);
                    worst = std::max(worst,
                                     static_cast<double>(std::abs(y[lane] - exact) / std::max(Exact(1), std::abs(at))));
                    worst_slope = std::max(worst_slope, static_cast<double>(std::abs(dy[lane] - exact_slope)));
                }
            }
            // Relative to max(1, |x|): what an activation adds to the rounding of its argument.
            CHECK(worst <= 2 * epsilon);
            CHECK(worst_slope <= 8 * epsilon);
        });
    });
}

TEST_CASE_TEMPLATE("derivatives from the output do not look at the input", T, float, double)
{
    for_each_activation([](auto each) {
        const std::string name = each.name;
        CAPTURE(name);
        if constexpr (decltype(each.kernel)::from_output)
            for (const T x : {T(-2), T(-0.5), T(0.25), T(3.5)}) {
                const Pack<T, 1> y = each.kernel(Pack<T, 1>(x));
                CHECK(each.kernel.derivative(Pack<T, 1>(T(99)), y).lanes ==
                      each.kernel.derivative(Pack<T, 1>(x), y).lanes);
            }
    });
}

TEST_CASE_TEMPLATE("NaN passes through every activation", T, float, double)
{
    constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    for_each_activation([&](auto each) {
        const std::string name = each.name;
        CAPTURE(name);
        support::for_widest_and_one<T>([&]<std::size_t W>() {
            T y[W];
            each.kernel(Pack<T, W>(nan)).store(y);
            for (const T v : y) CHECK(std::isnan(v));
        });
    });
}

TEST_CASE_TEMPLATE("activations have their limits at infinity and at very large arguments", T, float, double)
{
    constexpr T infinity = std::numeric_limits<T>::infinity(), most = std::numeric_limits<T>::max();
    for (const T large : {infinity, most}) {
        const auto check = [&](auto kernel, T left, T left_slope, T right, T right_slope) {
            CHECK(value(kernel, -large) == left);
            CHECK(slope(kernel, -large) == left_slope);
            CHECK(value(kernel, large) == right);
            CHECK(slope(kernel, large) == right_slope);
        };
        check(kernels::ReLU{}, T(0), T(0), large, T(1));
        check(kernels::ELU{}, T(-1), T(0), large, T(1));
        check(kernels::GELU{}, T(0), T(0), large, T(1));
        check(kernels::GELUTanh{}, T(0), T(0), large, T(1));
        check(kernels::SiLU{}, T(0), T(0), large, T(1));
        check(kernels::HardSigmoid{}, T(0), T(0), T(1), T(0));
        check(kernels::HardSwish{}, T(0), T(0), large, T(1));
        check(kernels::Sigmoid{}, T(0), T(0), T(1), T(0));
        check(kernels::Tanh{}, T(-1), T(0), T(1), T(0));
        check(kernels::Softplus{}, T(0), T(0), large, T(1));
        CHECK(value(kernels::LeakyReLU{}, -large) == -large * T(0.01));
        CHECK(slope(kernels::SELU{}, -large) == T(0));
    }
}

TEST_CASE_TEMPLATE("kinks have their stated derivatives", T, float, double)
{
    CHECK(slope(kernels::ReLU{}, T(0)) == T(0));
    CHECK(slope(kernels::LeakyReLU{}, T(0)) == T(0.01));
    CHECK(slope(kernels::ELU{}, T(0)) == T(1));
    CHECK(slope(kernels::HardSigmoid{}, T(-3)) == T(0));
    CHECK(slope(kernels::HardSigmoid{}, T(3)) == T(0));
    CHECK(slope(kernels::HardSwish{}, T(-3)) == T(0));
    CHECK(slope(kernels::HardSwish{}, T(3)) == T(1));
    CHECK(value(kernels::HardSigmoid{}, T(0)) == T(0.5));
}

TEST_CASE_TEMPLATE("PReLU takes its slope as a pack", T, float, double)
{
    support::for_widest_and_one<T>([]<std::size_t W>() {
        using P = Pack<T, W>;
        const kernels::PReLU prelu;
        const auto first = [](P p) {
            T lanes[W];
            p.store(lanes);
            return lanes[0];
        };
        CHECK(first(prelu(P(T(-2)), P(T(0.25)))) == T(-0.5));
        CHECK(first(prelu(P(T(2)), P(T(0.25)))) == T(2));
        CHECK(first(prelu.derivative(P(T(-2)), P(T(0.25)))) == T(0.25));
        CHECK(first(prelu.derivative(P(T(2)), P(T(0.25)))) == T(1));
        CHECK(first(prelu.slope_derivative(P(T(-2)))) == T(-2));
        CHECK(first(prelu.slope_derivative(P(T(2)))) == T(0));
    });
}

namespace {

constexpr bool near(Pack<float, 1> got, float expected)
{
    const float difference = got.lanes - expected;
    return difference < 1e-6f && difference > -1e-6f;
}

constexpr Pack<float, 1> one = 1.0f;
static_assert(kernels::ReLU{}(-one).lanes == 0.0f && kernels::ReLU{}(one).lanes == 1.0f);
static_assert(near(kernels::GELU{}(one), 0.8413447f) && near(kernels::GELUTanh{}(one), 0.8411920f));
static_assert(near(kernels::SiLU{}(one), 0.7310586f) && near(kernels::Softplus{}(one), 1.3132617f));
static_assert(near(kernels::ELU{}(-one), -0.6321206f) && near(kernels::SELU{}(-one), -1.1113307f));
static_assert(near(kernels::Tanh{}(one), 0.7615942f) && near(kernels::Sigmoid{}(one), 0.7310586f));
static_assert(near(kernels::HardSwish{}(one), 0.6666667f) && near(kernels::HardSigmoid{}(one), 0.6666667f));

}  // namespace
