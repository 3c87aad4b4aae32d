// SPDX-License-Identifier: BSL-1.0
// Every activation and its gradient against PyTorch, as a network of that one layer.
#include "data/activations.hpp"
#include "run.hpp"

#include <tenon/layers/activation.hpp>

#include <doctest/doctest.h>

using namespace tenon;
namespace data = golden::activations;

namespace {

constexpr std::size_t count = 48;

template <class T, class Activation>
void compare(const double (&y)[count], const double (&dx)[count], double tolerance)
{
    using Net = Network<Input<8>, Activation>;
    INFO(std::string(Activation::name));
    const std::vector<T> x = golden::draws<T>(1, count, 8.0), dy = golden::draws<T>(2, count);
    const Parameters<Net, golden::precision<T>> none;
    golden::check_close(golden::infer<Net, 4>(6, x, none), y, tolerance);
    const auto trained = golden::train<Net, golden::GivenGradient>(6, x, none, [&](const T*, T* gradient) {
        std::copy(dy.begin(), dy.end(), gradient);
        return 0.0;
    });
    golden::check_close(trained.y, y, tolerance);
    golden::check_close(trained.dx, dx, tolerance);
}

template <class Activation>
void check(const double (&y)[count], const double (&dx)[count], double factor = 1)
{
    compare<double, Activation>(y, dx, factor * 1e-15);
    compare<float, Activation>(y, dx, factor * 6e-7);
}

template <class T>
void compare_prelu(double tolerance)
{
    using Net = Network<Input<8>, PReLU>;
    const std::vector<T> x = golden::draws<T>(1, count, 8.0), dy = golden::draws<T>(2, count),
                         slope = golden::draws<T>(3, 8);
    Parameters<Net, golden::precision<T>> weights;
    for (std::size_t i = 0; i < 8; ++i) weights.logical(weights.slots()[0], i) = slope[i];
    golden::check_close(golden::infer<Net, 6>(6, x, weights), data::prelu_y, tolerance);
    const auto trained = golden::train<Net, golden::GivenGradient>(6, x, weights, [&](const T*, T* gradient) {
        std::copy(dy.begin(), dy.end(), gradient);
        return 0.0;
    });
    golden::check_close(trained.dx, data::prelu_dx, tolerance);
    golden::check_close(trained.dparameters, data::prelu_dslope, tolerance);
}

}  // namespace

TEST_CASE("activations follow PyTorch")
{
    check<ReLU>(data::relu_y, data::relu_dx);
    check<LeakyReLU>(data::leaky_relu_001_y, data::leaky_relu_001_dx);
    check<LeakyReLUWith<Slope<3, 10>>>(data::leaky_relu_03_y, data::leaky_relu_03_dx);
    check<ELU>(data::elu_y, data::elu_dx);
    check<SELU>(data::selu_y, data::selu_dx);
    check<GELU>(data::gelu_y, data::gelu_dx);
    // Its derivative has x³ · g (1 - g), where 1 - g cancels for large x.
    check<GELUTanh>(data::gelu_tanh_y, data::gelu_tanh_dx, 8);
    check<SiLU>(data::silu_y, data::silu_dx);
    check<HardSwish>(data::hard_swish_y, data::hard_swish_dx);
    check<Sigmoid>(data::sigmoid_y, data::sigmoid_dx);
    check<HardSigmoid>(data::hard_sigmoid_y, data::hard_sigmoid_dx);
    check<Tanh>(data::tanh_y, data::tanh_dx);
    check<Softplus>(data::softplus_y, data::softplus_dx);
}

TEST_CASE("PReLU follows PyTorch")
{
    compare_prelu<double>(2e-15);
    compare_prelu<float>(1e-6);
}
