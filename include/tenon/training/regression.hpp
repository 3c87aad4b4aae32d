// SPDX-License-Identifier: BSL-1.0
// How far a regression is off over a dataset.
#pragma once

#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/training/evaluate.hpp>

namespace tenon::inline TENON_ISA {

// Mean absolute and squared errors, and R², over all rows: regression_errors(model, test).r_squared().
template <class Net, data::Readable D>
    requires std::same_as<typename D::target_type, float> RegressionErrors<Net::output_shape::size> regression_errors(
        const Model<Net, Float32>& model, const D& dataset)
    {
        RegressionErrors<Net::output_shape::size> errors;
        if constexpr (checked<detail::DatasetFits<Net, D>>::value && Net::valid) {
            using C = evaluation_chain<MeanSquaredError, typename Net::chain>;
            static_assert(D::target_size == Net::output_shape::size,
                          "tenon: the dataset's targets have another size than the network's outputs.");
            detail::run_over<C, 64>(model.parameters().data(), dataset, Team{},
                                    [&](std::size_t, std::size_t rows, const float*, const float* y,
                                        const float* targets) { errors.add(rows, y, targets); });
        }
        return errors;
    }

}  // namespace tenon
