// SPDX-License-Identifier: BSL-1.0
// Layers, blocks and small networks against PyTorch: outputs, losses, gradients of inputs and parameters.
#include "data/layers.hpp"
#include "run.hpp"

#include <tenon/layers/layers.hpp>
#include <tenon/losses/binary_cross_entropy.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/mean_squared_error.hpp>

#include <doctest/doctest.h>

using namespace tenon;
namespace data = golden::layers;

namespace {

// A single layer under a given output gradient.
template <class T, class Net, std::size_t Outputs, std::size_t Inputs, std::size_t Values>
void compare_layer(std::size_t rows, double scale, const double (&y)[Outputs], const double (&dx)[Inputs],
                   const double (&dparameters)[Values], double tolerance)
{
    const auto x = golden::draws<T>(10, Inputs, scale), dy = golden::draws<T>(11, Outputs);
    const auto weights = golden::parameters<Net, T>();
    golden::check_close(golden::infer<Net, 2>(rows, x, weights), y, tolerance);
    const auto trained = golden::train<Net, golden::GivenGradient>(rows, x, weights, [&](const T*, T* gradient) {
        std::copy(dy.begin(), dy.end(), gradient);
        return 0.0;
    });
    golden::check_close(trained.y, y, tolerance);
    golden::check_close(trained.dx, dx, tolerance);
    if constexpr (Net::parameter_count != 0) golden::check_close(trained.dparameters, dparameters, tolerance);
}

// Inferred is what makes y; Net is what is trained (Inferred without its Dropout), to the mean loss over the rows.
template <class T, class Inferred, class Net, class Loss, class Target, std::size_t Outputs, std::size_t Inputs,
          std::size_t Values>
void compare_network(std::size_t rows, const Loss& loss, const std::vector<Target>& targets, const double (&y)[Outputs],
                     const double (&dx)[Inputs], const double (&dparameters)[Values], const double (&expected)[1],
                     double tolerance)
{
    const auto x = golden::draws<T>(10, Inputs);
    golden::check_close(golden::infer<Inferred, 3>(rows, x, golden::parameters<Inferred, T>()), y, tolerance);
    const auto trained = golden::train<Net, Loss>(
        rows, x, golden::parameters<Net, T>(), [&](const T* output, T* gradient) {
            using Output = typename training_chain<Loss, typename Net::chain>::output;
            const double count = static_cast<double>(rows);
            return loss_sum<Output>(loss, rows, output, targets.data(), gradient, static_cast<T>(1 / count)) / count;
        });
    CHECK(trained.loss == doctest::Approx(expected[0]).epsilon(tolerance));
    golden::check_close(trained.dx, dx, tolerance);
    golden::check_close(trained.dparameters, dparameters, tolerance);
}

template <class Last, class... Middle>
using ResidualNet = Network<Input<6>, Dense<8>, Tanh, Residual<Dense<8>, GELU, Dense<8>>, LayerNorm,
                            Concat<Sequential<Dense<3>, ReLU>, Dense<4>>, SiLU, Middle..., Last>;

template <class T>
void compare_layers(double tolerance)
{
    compare_layer<T, Network<Input<5>, Dense<7>>>(3, 1.0, data::dense_y, data::dense_dx, data::dense_dparameters,
                                                  tolerance);
    compare_layer<T, Network<Input<6>, LayerNorm>>(4, 1.0, data::layer_norm_y, data::layer_norm_dx,
                                                   data::layer_norm_dparameters, tolerance);
    compare_layer<T, Network<Input<6>, LayerNormWith<VarianceEpsilon<1, 100000>>>>(
        4, 1.0, data::layer_norm_1e5_y, data::layer_norm_1e5_dx, data::layer_norm_1e5_dparameters, tolerance);
    compare_layer<T, Network<Input<10>, Softmax>>(4, 8.0, data::softmax_y, data::softmax_dx, data::softmax_dparameters,
                                                  tolerance);
    compare_layer<T, Network<Input<10>, LogSoftmax>>(4, 8.0, data::log_softmax_y, data::log_softmax_dx,
                                                     data::log_softmax_dparameters, tolerance);
}

template <class T>
void compare_networks(double tolerance)
{
    compare_network<T, ResidualNet<Dense<5>, Dropout<Rate<1, 2>>>, ResidualNet<Dense<5>>>(
        4, CrossEntropy{}, golden::labels(12, 4, 5), data::residual_net_y, data::residual_net_dx,
        data::residual_net_dparameters, data::residual_net_loss, tolerance);

    using Classifier = Network<Input<4>, Dense<16>, ReLU, Dense<16>, ReLU, Dense<3>, Softmax>;
    compare_network<T, Classifier, Classifier>(7, CrossEntropy{}, golden::labels(12, 7, 3), data::classifier_y,
                                               data::classifier_dx, data::classifier_dparameters, data::classifier_loss,
                                               tolerance);

    using Binary = Network<Input<5>, Dense<9>, ELU, Dense<1>, Sigmoid>;
    compare_network<T, Binary, Binary>(6, BinaryCrossEntropy{}, golden::labels(12, 6, 2), data::binary_net_y,
                                       data::binary_net_dx, data::binary_net_dparameters, data::binary_net_loss,
                                       tolerance);

    using Regression = Network<Input<3>, Dense<10>, Softplus, Dense<2>>;
    compare_network<T, Regression, Regression>(5, MeanSquaredError{}, golden::draws<T>(13, 10), data::regression_net_y,
                                               data::regression_net_dx, data::regression_net_dparameters,
                                               data::regression_net_loss, tolerance);
}

}  // namespace

TEST_CASE("layers follow PyTorch")
{
    compare_layers<double>(1e-14);
    compare_layers<float>(5e-6);
}

TEST_CASE("networks follow PyTorch: residual and parallel branches, absorbed Softmax and Sigmoid")
{
    compare_networks<double>(1e-14);
    compare_networks<float>(5e-6);
}
