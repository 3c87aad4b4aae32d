// SPDX-License-Identifier: BSL-1.0
// BatchNorm against PyTorch in training, where it moves its statistics, and at inference; residual blocks; ResNet-8.
#include "data/normalisation.hpp"
#include "images.hpp"

#include <tenon/losses/cross_entropy.hpp>
#include <tenon/network/add.hpp>
#include <tenon/zoo/mlperf_tiny.hpp>

using namespace tenon;
namespace data = golden::normalisation;

namespace {

template <class Net, class T, std::size_t Outputs, std::size_t Inputs, std::size_t Values, std::size_t Moved>
void compare_norm_in(const golden::Case<Outputs, Inputs, Values>& expected, const double (&moved)[Moved],
                     const double (&inferred)[Outputs], double scale, double shift, double tolerance)
{
    auto x = golden::draws<T>(10, Inputs, scale);
    for (T& value : x) value += static_cast<T>(shift);
    const auto trained = golden::compare_case<Net, T>(expected, x, tolerance);
    golden::check_close(trained.statistics, moved, tolerance);
    constexpr std::size_t rows = Inputs / Net::input_shape::size;
    golden::check_close(golden::infer<Net, 2>(rows, x, golden::parameters<Net, T>()), inferred, tolerance);
}

template <class Net, std::size_t Outputs, std::size_t Inputs, std::size_t Values, std::size_t Moved>
void compare_norm(const char* name, const golden::Case<Outputs, Inputs, Values>& expected, const double (&moved)[Moved],
                  const double (&inferred)[Outputs], double scale = 1, double shift = 0, double factor = 1)
{
    INFO(std::string(name));
    compare_norm_in<Net, double>(expected, moved, inferred, scale, shift, 2e-14 * factor);
    compare_norm_in<Net, float>(expected, moved, inferred, scale, shift, 5e-6 * factor);
}

// A classifier: x = draws(10), labels(12), cross entropy as the mean over the rows.
template <class Net, class T, std::size_t Outputs, std::size_t Inputs, std::size_t Values, std::size_t Moved>
void compare_classifier_in(const golden::Case<Outputs, Inputs, Values>& expected, const double (&loss)[1],
                           const double (&moved)[Moved], const double (&inferred)[Outputs], double tolerance)
{
    using Output = typename Net::output_shape;
    constexpr std::size_t rows = Inputs / Net::input_shape::size;
    const auto x = golden::draws<T>(10, Inputs);
    const auto labels = golden::labels(12, rows, Output::size);
    const auto weights = golden::parameters<Net, T>();
    const auto trained = golden::train<Net, CrossEntropy>(rows, x, weights, [&](const T* y, T* gradient) {
        return loss_sum<Output>(CrossEntropy{}, rows, y, labels.data(), gradient, T(1) / static_cast<T>(rows)) /
               static_cast<double>(rows);
    });
    CHECK(trained.loss == doctest::Approx(loss[0]).epsilon(tolerance));
    golden::check_close(trained.y, expected.y, tolerance);
    golden::check_close(trained.dx, expected.dx, tolerance);
    golden::check_close(trained.dparameters, expected.dparameters, tolerance);
    golden::check_close(trained.statistics, moved, tolerance);
    golden::check_close(golden::infer<Net, 2>(rows, x, weights), inferred, tolerance);
}

template <class Net, std::size_t Outputs, std::size_t Inputs, std::size_t Values, std::size_t Moved>
void compare_classifier(const golden::Case<Outputs, Inputs, Values>& expected, const double (&loss)[1],
                        const double (&moved)[Moved], const double (&inferred)[Outputs])
{
    compare_classifier_in<Net, double>(expected, loss, moved, inferred, 1e-13);
    compare_classifier_in<Net, float>(expected, loss, moved, inferred, 2e-5);
}

// As the generator draws them: kernels as large as He's uniform bound allows, to a power of two, and gamma around 1.
template <class Net, class T>
Parameters<Net, golden::precision<T>> he_sized_parameters()
{
    Parameters<Net, golden::precision<T>> result;
    std::uint64_t stream = 100;
    for (const SlotInfo& slot : result.slots()) {
        double scale = 0.5;
        if (slot.rank > 1) {
            const double fan_in = static_cast<double>(slot.size / slot.extents[slot.rank - 1]);
            scale = 1;
            while (scale * scale * fan_in > 6) scale /= 2;
        }
        const std::string_view name = slot.slot;
        const T offset = name == "moving_variance" || name == "gamma" ? T(1) : T(0);
        const std::vector<T> values = golden::draws<T>(stream++, slot.size, scale);
        for (std::size_t i = 0; i < slot.size; ++i) result.logical(slot, i) = offset + values[i];
    }
    return result;
}

template <class T>
void compare_resnet8(double tolerance, double gradient_tolerance)
{
    using Net = zoo::ResNet8;
    using Output = typename Net::output_shape;
    constexpr std::size_t rows = 2, inputs = Net::input_shape::size;
    const auto weights = he_sized_parameters<Net, T>();
    const auto x = golden::draws<T>(10, rows * inputs);
    golden::check_close(golden::infer<Net, 2>(rows, x, weights), data::resnet8_inferred, tolerance);
    golden::check_close(golden::infer<Net, 1>(rows, x, weights), data::resnet8_inferred, tolerance);

    const auto labels = golden::labels(12, rows, Output::size);
    const auto trained = golden::train<Net, CrossEntropy>(rows, x, weights, [&](const T* y, T* gradient) {
        return loss_sum<Output>(CrossEntropy{}, rows, y, labels.data(), gradient, T(0.5)) / 2;
    });
    golden::check_close(trained.y, data::resnet8_logits, tolerance);
    CHECK(trained.loss == doctest::Approx(data::resnet8_loss[0]).epsilon(tolerance));

    // A bias before BatchNorm changes nothing: its gradient is 0 but for rounding. The other norms are 0.05 and above.
    golden::check_digest(data::resnet8_gradients, golden::gradient_tensors<Net>(trained), gradient_tolerance, 0.01);
}

}  // namespace

TEST_CASE("BatchNorm follows PyTorch, and Keras where its statistics move")
{
    compare_norm<Network<Input<5>, BatchNorm>>("features", data::features, data::features_moved,
                                               data::features_inferred);
    compare_norm<Network<Input<4, 3, 3>, BatchNorm>>("image", data::image, data::image_moved, data::image_inferred);
    compare_norm<Network<Input<3, 3, 17>, BatchNorm>>("image_one_row", data::image_one_row, data::image_one_row_moved,
                                                      data::image_one_row_inferred);
    compare_norm<Network<Input<5, 2>, BatchNorm>>("sequence", data::sequence, data::sequence_moved,
                                                  data::sequence_inferred);
    compare_norm<Network<Input<4, 3, 3>, BatchNormWith<VarianceEpsilon<1, 100000>, Momentum<9, 10>>>>(
        "as_pytorch", data::as_pytorch, data::as_pytorch_moved, data::as_pytorch_inferred);
    // Inputs of 64 ± 2: in float the difference to the mean keeps 24 - 6 bits.
    compare_norm<Network<Input<3, 2, 2>, BatchNorm>>("far_from_zero", data::far_from_zero, data::far_from_zero_moved,
                                                     data::far_from_zero_inferred, 2, 64, 64);
}

TEST_CASE("residual blocks follow PyTorch")
{
    using Plain = Network<
        Input<5, 4, 2>, Conv2D<3, Kernel<3>, Padding<Same>>, BatchNorm, ReLU,
        Residual<Conv2D<3, Kernel<3>, Padding<Same>>, BatchNorm, ReLU, Conv2D<3, Kernel<3>, Padding<Same>>, BatchNorm>,
        ReLU, GlobalAveragePool2D, Dense<4>>;
    compare_classifier<Plain>(data::residual, data::residual_loss, data::residual_moved, data::residual_inferred);

    using Projection = Network<Input<6, 5, 2>,
                               Add<Sequential<Conv2D<3, Kernel<3>, Stride<2>, Padding<Same>>, BatchNorm, ReLU,
                                              Conv2D<3, Kernel<3>, Padding<Same>>, BatchNorm>,
                                   Conv2D<3, Kernel<1>, Stride<2>, Padding<Same>>>,
                               ReLU, AveragePool2D<3>, Flatten, Dense<4>>;
    compare_classifier<Projection>(data::projection, data::projection_loss, data::projection_moved,
                                   data::projection_inferred);
}

TEST_CASE("ResNet-8 follows PyTorch: probabilities, and the gradients of a training step")
{
    compare_resnet8<double>(1e-12, 1e-11);
    compare_resnet8<float>(1e-4, 1e-3);
}
