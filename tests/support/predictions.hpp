// SPDX-License-Identifier: BSL-1.0
// What holds for every network at inference: one row or many, the values are those of an evaluation in double precision
// that shares no code with the library, and nothing outside the buffers is touched.
#pragma once

#include <tenon/model/model.hpp>

#include <doctest/doctest.h>

#include <support/naive.hpp>

#include <cmath>
#include <vector>

namespace predictions {

using namespace tenon;

// Biases and scales away from 0 and 1.
template <class Parameters>
void shake(Parameters& parameters)
{
    Random random{Seed{77}};
    for (const SlotInfo& slot : parameters.slots())
        for (std::size_t i = 0; i < slot.size; ++i)
            parameters.logical(slot, i) += static_cast<typename Parameters::scalar>(0.5 * (random.uniform() - 0.5));
}

// Largest difference of two rows, relative to the larger of 1 and the largest value.
template <class T>
double difference(const T* got, const std::vector<double>& wanted)
{
    double scale = 1.0, most = 0.0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const double error = std::fabs(static_cast<double>(got[i]) - wanted[i]);
        if (!(error <= most)) most = error;  // NaN stays
        scale = std::fmax(scale, std::fabs(wanted[i]));
    }
    return most / scale;
}

// What is compared, compiled once for each precision.
template <class T>
struct Case {
    static constexpr std::size_t rows = 7;
    std::size_t in, out;
    std::vector<double> weights;
    std::vector<T> x, y;

    Case(std::size_t inputs, std::size_t outputs, std::vector<double> logical)
        : in{inputs}, out{outputs}, weights{std::move(logical)}, x(rows * in), y((rows + 2) * out, canary)
    {
        Random random{Seed{5}};
        for (T& value : x) value = static_cast<T>(random.normal());
    }

    static constexpr T canary = static_cast<T>(12345.0);

    // Six rows written by a session, three at a time; nothing before, nothing behind.
    T* many() { return y.data() + out; }
    void check_canaries() const
    {
        for (std::size_t i = 0; i < out; ++i) CHECK((y[i] == canary && y[7 * out + i] == canary));
    }
    // One row predicted, and the same row among many: the sums of one row alone run in another order.
    void check(std::size_t row, const T* single, const std::vector<double>& wanted)
    {
        constexpr double tolerance = sizeof(T) == sizeof(float) ? 2e-5 : 1e-12;
        REQUIRE(wanted.size() == out);
        CHECK(difference(single, wanted) < tolerance);
        if (row < 6) CHECK(difference(many() + row * out, wanted) < tolerance);
    }
    std::vector<double> sample(std::size_t row) const
    {
        return {x.begin() + static_cast<std::ptrdiff_t>(row * in),
                x.begin() + static_cast<std::ptrdiff_t>((row + 1) * in)};
    }
};

template <class Net, class P>
void check_precision()
{
    using T = typename P::scalar;
    Model<Net, P> made{Seed{11}};
    shake(made.parameters());
    const Model<Net, P>& model = made;
    Case<T> test{Net::input_shape::size, Net::output_shape::size, naive::logical(model.parameters())};
    CHECK(test.weights.size() == Net::parameter_count);
    Session<Net, Rows<3>, P> batched{model.parameters()};
    batched.run_rows(6, test.x.data(), test.many());
    test.check_canaries();
    for (std::size_t r = 0; r < test.rows; ++r) {
        const auto y = model.predict(TensorView<const T, typename Net::input_shape>{test.x.data() + r * test.in});
        test.check(r, y.data(), naive::predict<Net>(test.weights, test.sample(r)));
    }
}

template <class Net>
void check()
{
    const char* which = __PRETTY_FUNCTION__;
    CAPTURE(which);
    check_precision<Net, Float64>();
    check_precision<Net, Float32>();
}

}  // namespace predictions
