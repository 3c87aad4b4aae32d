// SPDX-License-Identifier: BSL-1.0
// A golden case of a layer of images, in both precisions, in training and at inference.
#pragma once

#include "run.hpp"

#include <tenon/layers/layers.hpp>

#include <doctest/doctest.h>

namespace golden {

template <class Net, class T, std::size_t Outputs, std::size_t Inputs, std::size_t Values>
void compare_in(const Case<Outputs, Inputs, Values>& expected, const std::vector<T>& x, double tolerance)
{
    static_cast<void>(compare_case<Net, T>(expected, x, tolerance));
    constexpr std::size_t rows = Inputs / Net::input_shape::size;
    check_close(infer<Net, 2>(rows, x, parameters<Net, T>()), expected.y, tolerance);
}

// x = draws(10) and, in the same steps as the generator's, whatever `prepare` makes of each value.
template <class Net, std::size_t Outputs, std::size_t Inputs, std::size_t Values, class Prepare>
void compare(const char* name, const Case<Outputs, Inputs, Values>& expected, Prepare prepare)
{
    INFO(std::string(name));
    std::vector<double> x = draws<double>(10, Inputs);
    for (double& value : x) value = prepare(value);
    compare_in<Net, double>(expected, x, 2e-14);
    compare_in<Net, float>(expected, std::vector<float>(x.begin(), x.end()), 5e-6);
}

template <class Net, std::size_t Outputs, std::size_t Inputs, std::size_t Values>
void compare(const char* name, const Case<Outputs, Inputs, Values>& expected)
{
    compare<Net>(name, expected, [](double value) { return value; });
}

// dx, and the gradient of each learned slot.
template <class Net, class T>
std::vector<std::vector<T>> gradient_tensors(const Trained<T>& trained)
{
    std::vector<std::vector<T>> tensors{trained.dx};
    auto from = trained.dparameters.begin();
    for (const tenon::SlotInfo& slot : tenon::slot_table<Net, T>) {
        if (slot.role != tenon::Role::learned) continue;
        const auto to = from + static_cast<std::ptrdiff_t>(slot.size);
        tensors.emplace_back(from, to);
        from = to;
    }
    return tensors;
}

// Errors are measured against each tensor's norm, or `least` where that is smaller.
template <std::size_t Count, class T>
void check_digest(const Digest<Count>& expected, const std::vector<std::vector<T>>& tensors, double tolerance,
                  double least = 0)
{
    REQUIRE(tensors.size() == Count);
    for (std::size_t number = 0; number < Count; ++number) {
        const auto factors = draws<double>(1000 + number, tensors[number].size());
        double product = 0, square = 0;
        for (std::size_t i = 0; i < factors.size(); ++i) {
            const double value = static_cast<double>(tensors[number][i]);
            product += factors[i] * value;
            square += value * value;
        }
        CAPTURE(number);
        const double norm = std::max(least, std::sqrt(expected.squares[number]));
        CHECK(std::abs(product - expected.products[number]) <= tolerance * norm);
        CHECK(std::abs(square - expected.squares[number]) <= tolerance * norm * norm);
    }
}

template <class Net, class T, std::size_t Count>
void compare_digest_in(const Digest<Count>& expected, std::size_t rows, double tolerance)
{
    const auto x = draws<T>(10, rows * Net::input_shape::size);
    const auto dy = draws<T>(11, rows * Net::output_shape::size);
    const auto weights = parameters<Net, T>();
    const auto trained = train<Net, GivenGradient>(rows, x, weights, [&](const T*, T* gradient) {
        std::copy(dy.begin(), dy.end(), gradient);
        return 0.0;
    });
    auto tensors = gradient_tensors<Net>(trained);
    tensors.insert(tensors.begin(), trained.y);
    check_digest(expected, tensors, tolerance);
    tensors[0] = infer<Net, 2>(rows, x, weights);
    check_digest(expected, tensors, tolerance);
}

// y, dx and the learned slots of `rows` rows of draws(10).
template <class Net, std::size_t Count>
void compare_digest(const char* name, const Digest<Count>& expected, std::size_t rows = 3)
{
    INFO(std::string(name));
    compare_digest_in<Net, double>(expected, rows, 1e-14);
    compare_digest_in<Net, float>(expected, rows, 2e-6);
}

}  // namespace golden
