// SPDX-License-Identifier: BSL-1.0
// Views of datasets: subset, split, shuffle, one-hot targets, standardised inputs. A view holds its dataset by value
// (copies share their rows) and is a dataset itself, so views nest.
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/data/dataset.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::data {

// Chosen rows of a dataset, in a chosen order; a row may occur more than once. The index list is shared by copies.
template <Dataset D>
class Subset {
public:
    using input_shape = typename D::input_shape;
    using target_type = typename D::target_type;
    static constexpr std::size_t target_size = D::target_size;

    // Indices below dataset.size(), unchecked: subset() checks.
    Subset(D dataset, std::vector<std::uint32_t> indices)
        : dataset_{std::move(dataset)}, indices_{std::make_shared<const std::vector<std::uint32_t>>(std::move(indices))}
    {}

    std::size_t size() const { return indices_->size(); }
    // The row of the underlying dataset that is row `i` here.
    std::uint32_t index(std::size_t i) const { return (*indices_)[i]; }
    const D& dataset() const { return dataset_; }

    auto input(std::size_t i) const requires requires(const D& d) { d.input(i); }
    {
        return dataset_.input(index(i));
    }
    auto label(std::size_t i) const requires requires(const D& d) { d.label(i); }
    {
        return dataset_.label(index(i));
    }
    auto target(std::size_t i) const requires requires(const D& d) { d.target(i); }
    {
        return dataset_.target(index(i));
    }
    std::size_t classes() const requires requires(const D& d) { d.classes(); }
    {
        return dataset_.classes();
    }

    // inputs: (rows, input_shape), targets: (rows, target_size), in the order of `rows`.
    void gather(std::span<const std::uint32_t> rows, float* inputs, target_type* targets) const
    {
        gather_as(rows, inputs, targets, nullptr);
    }
    // The same rows as they are in an epoch.
    void gather(std::span<const std::uint32_t> rows, float* inputs, target_type* targets,
                const EpochDraw& draw) const requires VariesByEpoch<D>
    {
        gather_as(rows, inputs, targets, &draw);
    }

private:
    void gather_as(std::span<const std::uint32_t> rows, float* inputs, target_type* targets,
                   const EpochDraw* draw) const
    {
        // Through a block on the stack: gather allocates nothing.
        static constexpr std::size_t block = 256;
        std::uint32_t chosen[block];
        for (std::size_t done = 0; done < rows.size(); done += block) {
            const std::size_t count = rows.size() - done < block ? rows.size() - done : block;
            for (std::size_t i = 0; i < count; ++i) chosen[i] = (*indices_)[rows[done + i]];
            gather_rows(dataset_, std::span<const std::uint32_t>(chosen, count), inputs + done * input_shape::size,
                        targets + done * target_size, draw);
        }
    }

    D dataset_;
    std::shared_ptr<const std::vector<std::uint32_t>> indices_;
};

// The rows at `indices`. Fails where an index is not below dataset.size().
template <Dataset D>
Result<Subset<D>> try_subset(const D& dataset, std::vector<std::uint32_t> indices)
{
    for (std::size_t i = 0; i < indices.size(); ++i)
        if (indices[i] >= dataset.size())
            return Message{"tenon: subset index "} << i << ": expected a row below " << dataset.size() << ", found "
                                                   << indices[i];
    return Subset<D>{dataset, std::move(indices)};
}

// The first `rows` rows of a dataset, or all where it has fewer.
template <Dataset D>
Subset<D> take(const D& dataset, std::size_t rows)
{
    std::vector<std::uint32_t> indices(rows < dataset.size() ? rows : dataset.size());
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::uint32_t>(i);
    return {dataset, std::move(indices)};
}

// The dataset in an order drawn by `seed` (Fisher-Yates): the same order on every platform.
template <Dataset D>
Subset<D> shuffle(const D& dataset, Seed seed)
{
    std::vector<std::uint32_t> indices(dataset.size());
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::uint32_t>(i);
    Random{seed}.shuffle(indices.data(), indices.size());
    return {dataset, std::move(indices)};
}

// Two parts of a dataset that share no row: auto [train, validation] = split(dataset, 0.1, Seed{1});
template <Dataset D>
struct Split {
    Subset<D> train;
    Subset<D> validation;
};

// Draws round(validation * size) rows for validation by `seed`; both parts keep the dataset's order. Fails where a part
// would be empty or the fraction is not within (0, 1).
template <Dataset D>
Result<Split<D>> try_split(const D& dataset, double validation, Seed seed)
{
    const std::size_t rows = dataset.size();
    if (!(validation > 0 && validation < 1))
        return Message{"tenon: split: expected a validation fraction between 0 and 1, found "}
               << std::to_string(validation);
    const auto drawn = static_cast<std::size_t>(std::round(validation * static_cast<double>(rows)));
    if (drawn == 0 || drawn >= rows)
        return Message{"tenon: split: a fraction of "} << std::to_string(validation) << " of " << rows
                                                       << " rows leaves no row for "
                                                       << (drawn == 0 ? "validation" : "training");
    std::vector<std::uint32_t> order(rows);
    for (std::size_t i = 0; i < rows; ++i) order[i] = static_cast<std::uint32_t>(i);
    Random{seed}.shuffle(order.data(), rows);
    std::vector<bool> chosen(rows);
    for (std::size_t i = 0; i < drawn; ++i) chosen[order[i]] = true;
    std::vector<std::uint32_t> train, validating;
    train.reserve(rows - drawn);
    validating.reserve(drawn);
    for (std::size_t i = 0; i < rows; ++i) (chosen[i] ? validating : train).push_back(static_cast<std::uint32_t>(i));
    return Split<D>{{dataset, std::move(train)}, {dataset, std::move(validating)}};
}

// `label` as a row of Classes values: 1 at the label, 0 elsewhere; all 0 where the label is out of range.
template <std::size_t Classes>
constexpr Tensor<float, Shape<Classes>> one_hot(std::int32_t label)
{
    Tensor<float, Shape<Classes>> row{};
    if (label >= 0 && static_cast<std::size_t>(label) < Classes) row[static_cast<std::size_t>(label)] = 1.0f;
    return row;
}

// A labelled dataset with its labels as one-hot float rows of Classes values.
template <LabelledDataset D, std::size_t Classes>
class OneHot {
public:
    using input_shape = typename D::input_shape;
    using target_shape = Shape<Classes>;
    using target_type = float;
    static constexpr std::size_t target_size = Classes;

    explicit OneHot(D dataset) : dataset_{std::move(dataset)} {}

    std::size_t size() const { return dataset_.size(); }
    auto input(std::size_t i) const { return dataset_.input(i); }
    Tensor<float, target_shape> target(std::size_t i) const { return one_hot<Classes>(dataset_.label(i)); }

    void gather(std::span<const std::uint32_t> rows, float* inputs, float* targets) const
    {
        gather_as(rows, inputs, targets, nullptr);
    }
    void gather(std::span<const std::uint32_t> rows, float* inputs, float* targets,
                const EpochDraw& draw) const requires VariesByEpoch<D>
    {
        gather_as(rows, inputs, targets, &draw);
    }

private:
    void gather_as(std::span<const std::uint32_t> rows, float* inputs, float* targets, const EpochDraw* draw) const
    {
        static constexpr std::size_t block = 256;
        std::int32_t labels[block];
        for (std::size_t done = 0; done < rows.size(); done += block) {
            const std::size_t count = rows.size() - done < block ? rows.size() - done : block;
            gather_rows(dataset_, rows.subspan(done, count), inputs + done * input_shape::size, labels, draw);
            for (std::size_t i = 0; i < count; ++i) {
                const auto row = one_hot<Classes>(labels[i]);
                detail::copy_row(row.data(), targets + (done + i) * Classes, Classes);
            }
        }
    }

    D dataset_;
};

// Fails where the dataset has more classes than the rows have places.
template <std::size_t Classes, LabelledDataset D>
Result<OneHot<D, Classes>> try_one_hot(const D& dataset)
{
    if (dataset.classes() > Classes)
        return Message{"tenon: one_hot: expected at most "} << Classes << " classes, found " << dataset.classes();
    return OneHot<D, Classes>{dataset};
}

// What mean and deviation are taken over.
enum class Over {
    feature,  // each value of a sample by itself, as scikit-learn's StandardScaler
    channel,  // each position of the last axis: the colours of an image
    sample    // all values of all samples together
};

template <Dataset D>
class Standardised;

// x -> (x - mean) / deviation, with the mean and the population standard deviation (divisor N) of the dataset it is made
// from, so that training, validation and live inputs all get the training set's numbers. A constant feature (deviation 0)
// is centred only. Sums run in double, in row order; mean first, deviations from it in a second pass.
//   const data::Standardise standard{train};   auto a = standard(train), b = standard(test);
template <AnyShape S>
class Standardise {
public:
    template <Dataset D>
        requires std::same_as<typename D::input_shape, S>
    explicit Standardise(const D& dataset, Over over = Over::feature)
    {
        const std::size_t groups = over == Over::feature ? S::size : over == Over::channel ? S::last : 1;
        std::vector<double> mean(groups), variance(groups);
        const double per_group = static_cast<double>(dataset.size()) * static_cast<double>(S::size / groups);
        each_row(dataset, [&](const float* row) {
            for (std::size_t i = 0; i < S::size; ++i) mean[i % groups] += static_cast<double>(row[i]);
        });
        for (double& value : mean) value = per_group > 0 ? value / per_group : 0;
        each_row(dataset, [&](const float* row) {
            for (std::size_t i = 0; i < S::size; ++i) {
                const double difference = static_cast<double>(row[i]) - mean[i % groups];
                variance[i % groups] += difference * difference;
            }
        });
        auto moments = std::make_shared<Moments>();
        moments->mean.resize(S::size);
        moments->deviation.resize(S::size);
        for (std::size_t i = 0; i < S::size; ++i) {
            const double deviation = per_group > 0 ? std::sqrt(variance[i % groups] / per_group) : 0;
            moments->mean[i] = static_cast<float>(mean[i % groups]);
            // Rounding alone gives a constant feature a deviation of some 1e-17 of its size.
            const bool constant = deviation <= 1e-12 * std::fabs(mean[i % groups]);
            moments->deviation[i] = constant || static_cast<float>(deviation) == 0.0f ? 1.0f
                                                                                      : static_cast<float>(deviation);
        }
        moments_ = std::move(moments);
    }

    // One value per value of a sample, whatever they were taken over.
    std::span<const float> mean() const { return moments_->mean; }
    std::span<const float> deviation() const { return moments_->deviation; }

    // One sample of S values, in place.
    void apply(float* row) const
    {
        const float* TENON_RESTRICT mean = moments_->mean.data();
        const float* TENON_RESTRICT deviation = moments_->deviation.data();
        for (std::size_t i = 0; i < S::size; ++i) row[i] = (row[i] - mean[i]) / deviation[i];
    }

    // A live sample, scaled as the training rows were.
    Tensor<float, S> operator()(Tensor<float, S> input) const
    {
        apply(input.data());
        return input;
    }

    template <Dataset D>
        requires std::same_as<typename D::input_shape, S> Standardised<D>
    operator()(const D& dataset) const { return Standardised<D>{dataset, *this}; }

private:
    struct Moments {
        std::vector<float> mean;
        std::vector<float> deviation;
    };

    // visit(row) for every row, in order, gathered in blocks.
    template <class D, class Visit>
    static void each_row(const D& dataset, Visit visit)
    {
        static constexpr std::size_t block = 32;
        std::vector<float> inputs(block * S::size);
        std::vector<typename D::target_type> targets(block * D::target_size);
        std::uint32_t indices[block];
        for (std::size_t done = 0; done < dataset.size(); done += block) {
            const std::size_t count = dataset.size() - done < block ? dataset.size() - done : block;
            for (std::size_t i = 0; i < count; ++i) indices[i] = static_cast<std::uint32_t>(done + i);
            dataset.gather({indices, count}, inputs.data(), targets.data());
            for (std::size_t i = 0; i < count; ++i) visit(inputs.data() + i * S::size);
        }
    }

    std::shared_ptr<const Moments> moments_;
};

template <Dataset D>
explicit Standardise(const D&, Over = Over::feature) -> Standardise<typename D::input_shape>;

// A dataset whose inputs are standardised as they are gathered.
template <Dataset D>
class Standardised {
public:
    using input_shape = typename D::input_shape;
    using target_type = typename D::target_type;
    static constexpr std::size_t target_size = D::target_size;

    Standardised(D dataset, Standardise<input_shape> standardise)
        : dataset_{std::move(dataset)}, standardise_{std::move(standardise)}
    {}

    std::size_t size() const { return dataset_.size(); }

    auto input(std::size_t i) const requires requires(const D& d) { d.input(i); }
    {
        return standardise_(dataset_.input(i));
    }
    auto label(std::size_t i) const requires requires(const D& d) { d.label(i); }
    {
        return dataset_.label(i);
    }
    auto target(std::size_t i) const requires requires(const D& d) { d.target(i); }
    {
        return dataset_.target(i);
    }
    std::size_t classes() const requires requires(const D& d) { d.classes(); }
    {
        return dataset_.classes();
    }

    void gather(std::span<const std::uint32_t> rows, float* inputs, target_type* targets) const
    {
        gather_as(rows, inputs, targets, nullptr);
    }
    void gather(std::span<const std::uint32_t> rows, float* inputs, target_type* targets,
                const EpochDraw& draw) const requires VariesByEpoch<D>
    {
        gather_as(rows, inputs, targets, &draw);
    }

private:
    void gather_as(std::span<const std::uint32_t> rows, float* inputs, target_type* targets,
                   const EpochDraw* draw) const
    {
        gather_rows(dataset_, rows, inputs, targets, draw);
        for (std::size_t row = 0; row < rows.size(); ++row) standardise_.apply(inputs + row * input_shape::size);
    }

    D dataset_;
    Standardise<input_shape> standardise_;
};

#if TENON_EXCEPTIONS
// As their try_ twins, throwing tenon::Error.
template <Dataset D>
Subset<D> subset(const D& dataset, std::vector<std::uint32_t> indices)
{
    return try_subset(dataset, std::move(indices)).value_or_throw();
}

template <Dataset D>
Split<D> split(const D& dataset, double validation, Seed seed)
{
    return try_split(dataset, validation, seed).value_or_throw();
}

template <std::size_t Classes, LabelledDataset D>
OneHot<D, Classes> one_hot(const D& dataset)
{
    return try_one_hot<Classes>(dataset).value_or_throw();
}
#endif

}  // namespace tenon::inline TENON_ISA::data
