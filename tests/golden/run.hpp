// SPDX-License-Identifier: BSL-1.0
// A network with golden inputs and parameters, run forward for inference and through a training step's backward pass.
#pragma once

#include "case.hpp"
#include "sequence.hpp"

#include <tenon/losses/loss.hpp>
#include <tenon/model/parameters.hpp>
#include <tenon/passes/training.hpp>
#include <tenon/training/training_chain.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

namespace golden {

template <class T>
using precision = typename tenon::precision_of<T>::type;

// Slot s, in the order of the topology, holds draws(first + s, 0.5) in logical order; a moving variance 1 + that.
template <class Net, class T>
tenon::Parameters<Net, precision<T>> parameters(std::uint64_t first = 100)
{
    tenon::Parameters<Net, precision<T>> result;
    for (const tenon::SlotInfo& slot : result.slots()) {
        const std::vector<T> values = draws<T>(first++, slot.size, 0.5);
        const T offset = std::string_view{slot.slot} == "moving_variance" ? T(1) : T(0);
        for (std::size_t i = 0; i < slot.size; ++i) result.logical(slot, i) = offset + values[i];
    }
    return result;
}

// Stands for a loss whose gradient is given.
struct GivenGradient {};

template <class T>
struct Trained {
    double loss = 0;  // mean over the rows
    std::vector<T> y, dx, dparameters;
    std::vector<T> statistics;  // after the step
};

// What the network's training chain makes of x: (rows, input). `finish(y, dy)` turns the chain's output into its gradient
// and gives the loss.
template <class Net, class Loss, class T, class Finish>
Trained<T> train(std::size_t rows, const std::vector<T>& x, const tenon::Parameters<Net, precision<T>>& weights,
                 Finish finish)
{
    using Chain = tenon::training_chain<Loss, typename Net::chain>;
    tenon::Tape<Chain, T> tape{rows};
    auto context = tape.context(seed, 1);
    tenon::Parameters<Net, precision<T>> moved = weights;
    context.statistics = tenon::blocks_of<Chain>(moved.data()).statistics;
    tenon::train_forward(rows, weights.data(), x.data(), tape, context);
    Trained<T> result;
    result.y.assign(tape.output(), tape.output() + rows * Chain::output::size);
    result.loss = finish(static_cast<const T*>(tape.output()), tape.output_gradient());
    result.dx.resize(rows * Net::input_shape::size);
    tenon::Parameters<Net, precision<T>> gradients;
    tenon::train_backward(rows, weights.data(), tenon::StoreGradients<T>{gradients.data()}, x.data(), tape, context,
                          result.dx.data());
    for (const tenon::SlotInfo& slot : gradients.slots())
        for (std::size_t i = 0; i < slot.size; ++i) {
            if (slot.role == tenon::Role::learned)
                result.dparameters.push_back(gradients.logical(slot, i));
            else
                result.statistics.push_back(moved.logical(slot, i));
        }
    return result;
}

// The network's output at inference, `Rows` rows at a time.
template <class Net, std::size_t Rows, class T>
std::vector<T> infer(std::size_t rows, const std::vector<T>& x, const tenon::Parameters<Net, precision<T>>& weights)
{
    tenon::AlignedBuffer<T> workspace{Net::template workspace_bytes<precision<T>, Rows> / sizeof(T)};
    std::vector<T> y(rows * Net::output_shape::size);
    for (std::size_t first = 0; first < rows; first += Rows)
        tenon::infer<Net, Rows>(std::min(Rows, rows - first), weights.data(), x.data() + first * Net::input_shape::size,
                                y.data() + first * Net::output_shape::size, workspace.data());
    return y;
}

// |a - e| ≤ tolerance · max(1, |e|) for every value.
template <class T, std::size_t N>
void check_close(const std::vector<T>& actual, const double (&expected)[N], double tolerance)
{
    REQUIRE(actual.size() == N);
    double worst = 0;
    for (std::size_t i = 0; i < N; ++i) {
        const double error = std::abs(static_cast<double>(actual[i]) - expected[i]);
        worst = std::max(worst, error / std::max(1.0, std::abs(expected[i])));
        if (std::isnan(error)) worst = error;
    }
    CHECK(worst <= tolerance);
}

// A training step of a network under given output gradients, dy = draws(11).
template <class Net, class T, std::size_t Outputs, std::size_t Inputs, std::size_t Values>
Trained<T> compare_case(const Case<Outputs, Inputs, Values>& expected, const std::vector<T>& x, double tolerance)
{
    constexpr std::size_t rows = Inputs / Net::input_shape::size;
    static_assert(rows * Net::input_shape::size == Inputs && rows * Net::output_shape::size == Outputs);
    const auto dy = draws<T>(11, Outputs);
    const auto trained = train<Net, GivenGradient>(rows, x, parameters<Net, T>(), [&](const T*, T* gradient) {
        std::copy(dy.begin(), dy.end(), gradient);
        return 0.0;
    });
    check_close(trained.y, expected.y, tolerance);
    check_close(trained.dx, expected.dx, tolerance);
    if constexpr (Net::trainable_count != 0) check_close(trained.dparameters, expected.dparameters, tolerance);
    return trained;
}

}  // namespace golden
