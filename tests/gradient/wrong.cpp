// SPDX-License-Identifier: BSL-1.0
// The check can fail: layers and losses with a mistake of the kind that people make are caught, and the report names it.
#include <support/gradients.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace tenon;

namespace mine {

enum class Mistake { none, factor, sign, no_sum, forgotten, input_missing, input_small, nan, last_nan };

// y = scale · x, with a mistake in its backward pass.
template <Mistake M>
struct Scale {
    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<In>("scale", init::ones));
    };
};

template <Mistake M, class In, class Scalar>
void forward(Bound<Scale<M>, In>, std::size_t rows, auto parameters, const Scalar* x, Scalar* y)
{
    const auto scale = parameters.template get<0>();
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < In::size; ++i) y[r * In::size + i] = scale[i] * x[r * In::size + i];
}

template <Mistake M, class In, class Scalar>
void backward(Bound<Scale<M>, In>, std::size_t rows, auto parameters, auto gradients, const Scalar* x, const Scalar*,
              const Scalar* dy, Scalar* dx)
{
    const auto scale = parameters.template get<0>();
    auto dscale = gradients.template get<0>();
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < In::size; ++i) {
            const std::size_t at = r * In::size + i;
            const Scalar d = dy[at] * x[at];
            if (M == Mistake::no_sum)
                dscale[i] = d;
            else if (M == Mistake::factor)
                dscale[i] += d * 1.0001;
            else if (M == Mistake::sign)
                dscale[i] -= d;
            else if (M == Mistake::nan || (M == Mistake::last_nan && i == 0))
                dscale[i] = std::numeric_limits<Scalar>::quiet_NaN();
            else if (M != Mistake::forgotten)
                dscale[i] += d;
            if (dx == nullptr) continue;
            dx[at] = scale[i] * dy[at];
            if (M == Mistake::input_missing && at == 0) dx[at] = 0;
            if (M == Mistake::input_small && at == 0) dx[at] *= 1.0001;
        }
}

// MeanSquaredError with the factor 2 forgotten, or the mean over outputs.
struct Forgetful : MeanSquaredError {
    double factor = 0.5;

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const
    {
        const double loss = MeanSquaredError::operator()<Output>(rows, y, target, dy, scale);
        if (dy != nullptr)
            for (std::size_t i = 0; i < rows * Output::size; ++i) dy[i] *= static_cast<T>(factor);
        return loss;
    }
};

}  // namespace mine

namespace {

using mine::Mistake;
using mine::Scale;

template <Mistake M>
GradientReport report_of()
{
    return check_gradients<Network<Input<4>, Dense<3>, Tanh, Scale<M>, Dense<2>>>(MeanSquaredError{},
                                                                                  {.seed = 2, .rows = 3});
}

bool names(const GradientReport& report, const std::string& place) { return report.where.rfind(place, 0) == 0; }

}  // namespace

TEST_CASE("a right layer of a user passes")
{
    const GradientReport report = report_of<Mistake::none>();
    CHECK(report.worst < 1e-9);
    CHECK(report.checked == 4 * 3 + 3 + 3 + 3 * 2 + 2 + 3 * 4);
    CHECK(!report.where.empty());
    CHECK(report.analytic == doctest::Approx(report.numeric));
}

TEST_CASE("mistakes in a parameter's gradient")
{
    for (const GradientReport& report : {report_of<Mistake::factor>(), report_of<Mistake::sign>(),
                                         report_of<Mistake::no_sum>(), report_of<Mistake::forgotten>()})
    {
        CHECK(report.worst > 5e-5);
        CHECK(names(report, "Scale_1/scale["));
        CHECK(std::fabs(report.analytic - report.numeric) > 0.0);
    }
    CHECK(report_of<Mistake::factor>().worst == doctest::Approx(1e-4).epsilon(0.01));
    CHECK(report_of<Mistake::sign>().worst == doctest::Approx(2.0).epsilon(0.01));
}

TEST_CASE("a NaN is never agreement, whatever is compared after it")
{
    for (const GradientReport& report : {report_of<Mistake::nan>(), report_of<Mistake::last_nan>()}) {
        CHECK(report.worst > 1.0);
        CHECK(names(report, "Scale_1/scale[0]"));
        CHECK(std::isnan(report.analytic));
    }
}

TEST_CASE("mistakes in the input's gradient show in the layers before and in the input")
{
    CHECK(report_of<Mistake::input_missing>().worst > 1e-3);
    CHECK(report_of<Mistake::input_small>().worst > 1e-7);
    const auto alone = [](auto report) {
        CHECK(report.worst > 5e-5);
        CHECK(names(report, "input[0]"));
    };
    alone(check_gradients<Network<Input<4>, Scale<Mistake::input_missing>>>(MeanSquaredError{}));
    alone(check_gradients<Network<Input<4>, Scale<Mistake::input_small>>>(MeanSquaredError{}));
}

TEST_CASE("mistakes in a loss")
{
    CHECK(check_gradients<Network<Input<4>, Dense<3>>>(mine::Forgetful{}).worst == doctest::Approx(0.5).epsilon(0.01));
    CHECK(check_gradients<Network<Input<4>, Dense<3>>>(mine::Forgetful{{}, 1.0}).worst < 1e-9);
}

TEST_CASE("options: seeds, rows and how much is checked")
{
    using Net = Network<Input<30>, Dense<20>>;
    const auto all = check_gradients<Net>(MeanSquaredError{}, {.rows = 2, .samples_per_slot = 10000});
    CHECK(all.checked == 30 * 20 + 20 + 2 * 30);
    const auto some = check_gradients<Net>(MeanSquaredError{}, {.rows = 2, .samples_per_slot = 7});
    CHECK(some.checked <= 3 * 7);
    CHECK(some.checked >= 3 * 6);
    const auto few = check_gradients<Net>(MeanSquaredError{}, {.rows = 2, .samples_per_slot = 0});
    CHECK(few.checked == 3);
    const auto again = check_gradients<Net>(MeanSquaredError{}, {.rows = 2, .samples_per_slot = 10000});
    CHECK(again.worst == all.worst);
    CHECK(again.where == all.where);
    const auto other = check_gradients<Net>(MeanSquaredError{}, {.seed = 2, .rows = 2, .samples_per_slot = 10000});
    CHECK(other.analytic != all.analytic);
}

TEST_CASE("the parameters' gradients do not depend on whether the input's is asked for")
{
    using Net =
        Network<Input<6>, Dense<5>, Tanh, LayerNorm, Residual<PReLU, Dense<5>>, Concat<Dense<2>, ReLU>, Softmax>;
    const auto compare = []<class N>() {
        using C = rewritten_chain<Purpose::training, typename N::chain>;
        constexpr std::size_t rows = 5, out = N::output_shape::size;
        Parameters<N, Float64> parameters, with, without;
        initialize(parameters, Seed{5});
        std::vector<double> x(rows * 6), dx(rows * 6);
        Random random{Seed{6}};
        for (double& value : x) value = random.normal();
        Tape<C, double> tape{rows};
        const auto run = [&](Parameters<N, Float64>& into, double* input_gradient) {
            const auto context = tape.context(Seed{7}, 1);
            train_forward(rows, static_cast<const double*>(parameters.data()), static_cast<const double*>(x.data()),
                          tape, context);
            for (std::size_t i = 0; i < rows * out; ++i) tape.output_gradient()[i] = std::sin(static_cast<double>(i));
            train_backward(rows, static_cast<const double*>(parameters.data()), StoreGradients<double>{into.data()},
                           static_cast<const double*>(x.data()), tape, context, input_gradient);
        };
        run(with, dx.data());
        run(without, nullptr);
        CHECK(with.fingerprint() == without.fingerprint());
    };
    compare.operator()<Net>();
    compare.operator()<Network<Input<6>, ReLU, PReLU, Dense<5>>>();
    compare.operator()<Network<Input<6>, Concat<PReLU, Sequential<Dense<3>, Tanh>>, Dense<5>>>();
    compare.operator()<Network<Input<6>, LayerNorm, Residual<LayerNorm, Dense<6>, ELU>, LogSoftmax>>();
}
