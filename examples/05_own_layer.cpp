// SPDX-License-Identifier: BSL-1.0
//
// 5. A layer of your own, in your own namespace. tenon is not touched: it finds the passes by your namespace.
//
// Snake (Ziyin, Hartwig & Ueda 2020): y = x + sin²(a · x) / a, with one learned frequency a per feature. Unlike tanh and
// ReLU it can carry on a periodic signal beyond the data that it was trained on.
#include <tenon/tenon.hpp>

#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

namespace mine {

// What the layer is: the shape it gives for an input, and the parameters it asks for (name, shape, first values).
struct Snake {
    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(tenon::slot<In>("frequency", tenon::init::ones));
    };
};

// What it computes. x, y: (rows, In), row by row. Scalar is float in training and double in a gradient check.
template <class In, class Scalar>
void forward(tenon::Bound<Snake, In>, std::size_t rows, auto parameters, const Scalar* x, Scalar* y)
{
    const auto a = parameters.template get<0>();
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < In::size; ++i) {
            const Scalar value = x[r * In::size + i], sine = std::sin(a[i] * value);
            y[r * In::size + i] = value + sine * sine / a[i];
        }
}

// How it learns: with dy = d loss/d y given, add d loss/d a to the gradients, and write dx unless nobody wants it.
//   dy/dx = 1 + sin(2 a x);   dy/da = (a x sin(2 a x) - sin²(a x)) / a²
template <class In, class Scalar>
void backward(tenon::Bound<Snake, In>, std::size_t rows, auto parameters, auto gradients, const Scalar* x,
              const Scalar* /*y*/, const Scalar* dy, Scalar* dx)
{
    const auto a = parameters.template get<0>();
    const auto da = gradients.template get<0>();
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < In::size; ++i) {
            const std::size_t at = r * In::size + i;
            const Scalar sine = std::sin(a[i] * x[at]), twice = std::sin(2 * a[i] * x[at]);
            da[i] += dy[at] * (a[i] * x[at] * twice - sine * sine) / (a[i] * a[i]);
            if (dx) dx[at] = dy[at] * (1 + twice);
        }
}

}  // namespace mine

using namespace tenon;

template <class Activation>
using Net = Network<Input<1>, Dense<16>, Activation, Dense<1>>;
static_assert(Net<mine::Snake>::parameter_count == (16 + 16) + 16 + (16 + 1));

// A sine between two points.
data::TensorDataset<Shape<1>, Shape<1>> wave(float from, float to)
{
    std::vector<float> x, y;
    for (int i = 0; i < 256; ++i) {
        x.push_back(from + (to - from) * static_cast<float>(i) / 255.0f);
        y.push_back(std::sin(x.back()));
    }
    return {x, y};
}

// Trains on two periods, and returns the mean squared error there and on half a period beyond.
template <class Activation>
std::pair<double, double> errors()
{
    Model<Net<Activation>> model{Seed{4}};
    Trainer trainer{model, MeanSquaredError{}, Adam{.learning_rate = 1e-2}};
    trainer.fit(wave(-6, 6), {.epochs = 300, .batch_size = 32, .progress = Progress::silent});
    return {evaluate(model, wave(-6, 6), MeanSquaredError{}).loss,
            evaluate(model, wave(6, 9), MeanSquaredError{}).loss};
}

int main()
{
    // The formulas above against differences, in double: a mistake in a sign shows as an error of order 1.
    const GradientReport report = check_gradients<Net<mine::Snake>>(MeanSquaredError{}, {.seed = 3, .rows = 5});
    std::printf("gradients: %zu values checked, worst relative error %.1e at %s\n", report.checked, report.worst,
                report.where.c_str());

    const auto [snake, snake_beyond] = errors<mine::Snake>();
    const auto [tanh, tanh_beyond] = errors<Tanh>();
    std::printf("mean squared error   where trained   beyond\n");
    std::printf("  Snake              %13.5f   %6.3f\n", snake, snake_beyond);
    std::printf("  Tanh               %13.5f   %6.3f\n", tanh, tanh_beyond);
    return report.worst < 1e-6 && snake < 0.01 ? 0 : 1;
}
