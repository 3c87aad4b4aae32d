// SPDX-License-Identifier: BSL-1.0
// predict for a whole dataset, shared by threads.
#pragma once

#include <tenon/training/evaluate.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tenon::inline TENON_ISA {

// What the network answers to every sample: (dataset.size(), output) row-major, in the dataset's order. A team
// (thread_pool.team()) shares the work; the result is the same.
template <class Net, class P, data::Readable D>
    requires std::is_same_v<typename P::scalar, float> std::vector<float> predict(const Model<Net, P>& model,
                                                                                  const D& dataset,
                                                                                  const Team& team = {})
    {
        std::vector<float> answers;
        if constexpr (checked<detail::DatasetFits<Net, D>>::value && Net::valid) {
            using C = typename Net::chain;
            constexpr std::size_t size = C::output::size, rows_at_once = 64;
            answers.resize(dataset.size() * size);
            detail::run_over<C, rows_at_once>(
                model.parameters().data(), dataset, team,
                [&](std::size_t chunk, std::size_t rows, const float*, const float* outputs, const auto*) {
                    std::copy(outputs, outputs + rows * size,
                              answers.begin() + static_cast<std::ptrdiff_t>(chunk * rows_at_once * size));
                });
        }
        return answers;
    }

}  // namespace tenon
