// SPDX-License-Identifier: BSL-1.0
// How long a prediction takes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

// Median over 21 rounds of the time that one of Rows rows takes. The inputs are already in memory as floats; they change
// from call to call, so that the processor cannot learn them.
template <class Session, std::size_t Rows, class Model, class Dataset>
double seconds_per_row(const Model& model, const Dataset& dataset)
{
    constexpr std::size_t in = Model::network::input_shape::size, out = Model::network::output_shape::size;
    const std::size_t images = std::min<std::size_t>(dataset.size(), 1024) / Rows * Rows;
    std::vector<float> inputs(images * in), outputs(Rows * out);
    std::vector<std::int32_t> labels(images);
    std::vector<std::uint32_t> indices(images);
    std::iota(indices.begin(), indices.end(), 0u);
    dataset.gather(indices, inputs.data(), labels.data());

    Session session{model.parameters()};
    std::vector<double> rounds;
    volatile float sink = 0;
    for (int round = 0; round < 21; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < images; i += Rows) {
            session.run_rows(Rows, inputs.data() + i * in, outputs.data());
            sink = outputs[0];
        }
        rounds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    static_cast<void>(sink);
    std::nth_element(rounds.begin(), rounds.begin() + 10, rounds.end());
    return rounds[10] / static_cast<double>(images == 0 ? 1 : images);
}
