// SPDX-License-Identifier: BSL-1.0
// The law of gradients: every network with every loss agrees with finite differences to a millionth.
#pragma once

#include <tenon/layers/layers.hpp>
#include <tenon/losses/binary_cross_entropy.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/huber.hpp>
#include <tenon/losses/mean_absolute_error.hpp>
#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/network/add.hpp>
#include <tenon/network/separable.hpp>
#include <tenon/training/gradient_check.hpp>

#include <doctest/doctest.h>

namespace gradients {

using namespace tenon;

inline void check(const GradientReport& report, const char* network, std::size_t rows)
{
    CAPTURE(network);
    CAPTURE(rows);
    CAPTURE(report.where);
    CAPTURE(report.analytic);
    CAPTURE(report.numeric);
    CHECK(report.checked > 0);
    CHECK(report.worst <= 1e-6);
}

// Few samples of each slot for many rows: all of them are tried with one row.
template <class Net, class Loss = MeanSquaredError>
void check(const Loss& loss = {}, std::initializer_list<std::size_t> row_counts = {5})
{
    for (const std::size_t rows : row_counts)
        check(check_gradients<Net>(loss, {.seed = 3 + rows, .rows = rows, .samples_per_slot = rows > 5 ? 12u : 40u}),
              __PRETTY_FUNCTION__, rows);
}

}  // namespace gradients
