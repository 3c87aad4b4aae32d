// SPDX-License-Identifier: BSL-1.0
// What a classifier gets right and wrong over a dataset: its confusion matrix, its top-k accuracy, the area under its
// receiver operating characteristic.
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/training/evaluate.hpp>

#include <limits>
#include <span>
#include <vector>

namespace tenon::inline TENON_ISA {

namespace detail {

// visit(rows, logits, labels) over the dataset: a final Softmax is left out, since it rounds near certainties to ties.
template <class Net, class D, class Visit>
void run_classifier(const Model<Net, Float32>& model, const D& dataset, Visit&& visit)
{
    using C = evaluation_chain<CrossEntropy, typename Net::chain>;
    static_assert(C::output::rank == 1, "tenon: a classifier's output is one row of logits or probabilities.");
    run_over<C, 64>(model.parameters().data(), dataset, Team{},
                    [&](std::size_t, std::size_t rows, const float*, const float* logits, const std::int32_t* labels) {
                        for (std::size_t r = 0; r < rows; ++r)
                            if (labels[r] < 0 || static_cast<std::size_t>(labels[r]) >= C::output::size)
                                label_out_of_range(r, labels[r], C::output::size);
                        visit(rows, logits, labels);
                    });
}

}  // namespace detail

// Counts of (label, predicted class) over the dataset. Throws Error for a label that the network has no class for.
template <class Net, data::ReadableLabels D>
ConfusionMatrix<Net::output_shape::size> confusion_matrix(const Model<Net, Float32>& model, const D& dataset)
{
    ConfusionMatrix<Net::output_shape::size> matrix;
    if constexpr (checked<detail::DatasetFits<Net, D>>::value && Net::valid)
        detail::run_classifier(model, dataset, [&](std::size_t rows, const float* logits, const std::int32_t* labels) {
            matrix.add(rows, logits, labels);
        });
    return matrix;
}

// The fraction of rows whose label is among the k largest outputs; NaN for an empty dataset.
template <class Net, data::ReadableLabels D>
double top_k_accuracy(const Model<Net, Float32>& model, const D& dataset, std::size_t k)
{
    std::size_t count = 0;
    if constexpr (checked<detail::DatasetFits<Net, D>>::value && Net::valid)
        detail::run_classifier(model, dataset, [&](std::size_t rows, const float* logits, const std::int32_t* labels) {
            count += count_in_top(k, rows, Net::output_shape::size, logits, labels);
        });
    return dataset.size() == 0 ? std::numeric_limits<double>::quiet_NaN()
                               : static_cast<double>(count) / static_cast<double>(dataset.size());
}

// The area under the receiver operating characteristic of class c against all others, by the model's output for it, as
// predict() gives it. A network with one output (a Sigmoid) has the label 1 as its positive class: c is 0.
template <class Net, data::ReadableLabels D>
double area_under_roc(const Model<Net, Float32>& model, const D& dataset, std::size_t c)
{
    if constexpr (checked<detail::DatasetFits<Net, D>>::value && Net::valid) {
        using C = rewritten_chain<Purpose::inference, typename Net::chain>;
        constexpr std::size_t classes = C::output::size;
        if (c >= classes)
            throw Error(sentence("tenon: area_under_roc: class ", c, " of a network with ", classes, " outputs"));
        std::vector<float> scores(dataset.size());
        std::vector<std::uint8_t> positive(dataset.size());
        detail::run_over<C, 64>(
            model.parameters().data(), dataset, Team{},
            [&](std::size_t chunk, std::size_t rows, const float*, const float* y, const std::int32_t* labels) {
                for (std::size_t r = 0; r < rows; ++r) {
                    scores[chunk * 64 + r] = y[r * classes + c];
                    positive[chunk * 64 + r] = labels[r] == (classes == 1 ? 1 : static_cast<std::int32_t>(c));
                }
            });
        return area_under_roc(std::span<const float>(scores), std::span<const std::uint8_t>(positive));
    }
    return std::numeric_limits<double>::quiet_NaN();
}

// Its mean over the classes that occur in the dataset and are not all of it (one against the rest, as scikit-learn's
// multi_class="ovr", average="macro").
template <class Net, data::ReadableLabels D>
double area_under_roc(const Model<Net, Float32>& model, const D& dataset)
{
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t c = 0; c < Net::output_shape::size; ++c)
        if (const double area = area_under_roc(model, dataset, c); area >= 0) {
            sum += area;
            ++count;
        }
    return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
}

}  // namespace tenon
