// SPDX-License-Identifier: BSL-1.0
// Datasets: rows of typed inputs with labels or float targets. A copy of a dataset shares its rows, so that views
// (subsets, splits, standardised rows) hold a dataset by value, cost nothing and never dangle.
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/core/shape.hpp>
#include <tenon/core/status.hpp>
#include <tenon/core/tensor.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenon::inline TENON_ISA::data {

// What a trainer needs of a dataset. `target_type` is std::int32_t for one class index per row (target_size 1) or float
// for target_size values per row. gather copies the chosen rows, in order: inputs (indices, input_shape), targets
// (indices, target_size); indices are below size(), unchecked. It is called from many threads at once.
template <class D>
concept Dataset = requires(const D& dataset, std::span<const std::uint32_t> indices, float* inputs,
                           typename D::target_type* targets)
{
    requires AnyShape<typename D::input_shape>;
    requires std::same_as<typename D::target_type, std::int32_t> || std::same_as<typename D::target_type, float>;
    {std::size_t{D::target_size}};
    {
        dataset.size()
        } -> std::convertible_to<std::size_t>;
    dataset.gather(indices, inputs, targets);
};

// One pass over the data, for datasets that look a little different in each (data/augment.hpp).
struct EpochDraw {
    Seed seed;
    std::uint64_t epoch;  // from 1

    // What is drawn for one row: the same whoever asks, and whatever was drawn for others. purpose: keeps steps apart.
    Random random(std::uint32_t index, std::uint64_t purpose) const
    {
        return Random{Seed{mix_bits(seed.value ^ mix_bits(epoch + mix_bits(purpose)))}, index};
    }
};

// Such a dataset has a second gather, which a Trainer calls; all others call the first.
template <class D>
concept VariesByEpoch = Dataset<D> && requires(const D& dataset, std::span<const std::uint32_t> indices, float* inputs,
                                               typename D::target_type* targets, const EpochDraw& draw)
{
    dataset.gather(indices, inputs, targets, draw);
};

// Rows as they are in an epoch; draw: null where there is none.
template <Dataset D>
void gather_rows(const D& dataset, std::span<const std::uint32_t> indices, float* inputs,
                 typename D::target_type* targets, [[maybe_unused]] const EpochDraw* draw)
{
    if constexpr (VariesByEpoch<D>) {
        if (draw != nullptr) return dataset.gather(indices, inputs, targets, *draw);
    }
    dataset.gather(indices, inputs, targets);
}

// A dataset whose targets are class indices.
template <class D>
concept LabelledDataset = Dataset<D> && std::same_as<typename D::target_type, std::int32_t>;

// One pass over a stream (data/stream.hpp).
struct StreamPass {
    EpochDraw draw{};           // epoch 0: an evaluation
    bool shuffle = false;       // within the stream's windows
    std::size_t first_row = 0;  // of the pass's order: where it begins
    std::size_t held_rows = 1;  // most rows that are waited for and not released
};

// What a trainer needs of rows that come one after another. start begins a pass, whose rows are counted in its own order: after
// wait(end), called by one thread, all threads may gather rows [first, first + count) up to that end, with their numbers in
// the source where `numbers` is not null, until release(end) gives those before it back. wait throws what reading threw.
template <class D>
concept Streamed = requires(const D& stream, const StreamPass& pass, std::size_t row, float* inputs,
                            typename D::target_type* targets, std::uint32_t* numbers)
{
    requires AnyShape<typename D::input_shape>;
    requires std::same_as<typename D::target_type, std::int32_t> || std::same_as<typename D::target_type, float>;
    {std::size_t{D::target_size}};
    {
        stream.size()
        } -> std::convertible_to<std::size_t>;
    stream.start(pass).wait(row);
    stream.start(pass).gather(row, row, inputs, targets, numbers);
    stream.start(pass).release(row);
};

// What a network can be trained and evaluated on.
template <class D>
concept Readable = Dataset<D> || Streamed<D>;

// Such rows whose targets are class indices.
template <class D>
concept ReadableLabels = Readable<D> && std::same_as<typename D::target_type, std::int32_t>;

// Rows are numbered in 32 bits throughout.
inline constexpr std::uint64_t most_rows = 0xffff'ffff;

namespace detail {

// Shuffled rows come from memory, not from the caches: asking for a row two rows ahead halves gather's time (28x28
// bytes, one of 60,000: 0.29 to 0.14 us per row on Zen 3; one row ahead 0.16, three 0.14).
inline constexpr std::size_t rows_ahead = 2;

inline void prefetch_row([[maybe_unused]] const void* row, [[maybe_unused]] std::size_t bytes)
{
#if defined(__GNUC__) || defined(__clang__)
    const char* line = static_cast<const char*>(row);
    if (bytes > 4096) bytes = 4096;  // the hardware follows a stream by then
    for (std::size_t i = 0; i < bytes; i += 64) __builtin_prefetch(line + i);
#endif
}

template <class T>
inline void copy_row(const T* TENON_RESTRICT from, T* TENON_RESTRICT to, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
}

}  // namespace detail

// Images as bytes with one label each. Pixels stay bytes in memory (a quarter of their floats) and are scaled to [0, 1],
// byte / 255 as in Keras and torchvision, when they are gathered into a batch.
template <AnyShape S>
class LabelledImages {
public:
    using input_shape = S;
    using target_type = std::int32_t;
    static constexpr std::size_t target_size = 1;

    LabelledImages() = default;

    // pixels: (rows, S) row-major; labels: (rows), each below `classes`. Fails where the sizes or a label do not fit.
    static Result<LabelledImages> make(std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels,
                                       std::size_t classes)
    {
        if (labels.size() > most_rows)
            return Message{"tenon: a dataset holds at most 4294967295 rows, found "} << labels.size();
        if (pixels.size() != labels.size() * S::size)
            return Message{"tenon: "} << labels.size() << " images of " << S::size << " bytes need "
                                      << labels.size() * S::size << " bytes, found " << pixels.size();
        for (std::size_t i = 0; i < labels.size(); ++i)
            if (labels[i] >= classes)
                return Message{"tenon: label "} << i << ": expected a class below " << classes << ", found "
                                                << labels[i];
        const auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(pixels));
        return over(*owner, owner, std::move(labels), classes);
    }

    // Pixels that somebody else holds, such as a mapped file (data/mapped.hpp): owner keeps them alive. Unchecked: sizes and
    // labels agree.
    static LabelledImages over(std::span<const std::uint8_t> pixels, std::shared_ptr<const void> owner,
                               std::vector<std::uint8_t> labels, std::size_t classes)
    {
        LabelledImages images;
        images.rows_ = std::make_shared<const Rows>(Rows{pixels.data(), std::move(owner), std::move(labels), classes});
        return images;
    }

#if TENON_EXCEPTIONS
    LabelledImages(std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels, std::size_t classes)
        : LabelledImages{make(std::move(pixels), std::move(labels), classes).value_or_throw()}
    {}
#endif

    std::size_t size() const { return rows_ ? rows_->labels.size() : 0; }
    std::size_t classes() const { return rows_ ? rows_->classes : 0; }

    // The bytes of image `i`, as stored.
    std::span<const std::uint8_t> pixels(std::size_t i) const { return {rows_->pixels + i * S::size, S::size}; }

    std::int32_t label(std::size_t i) const { return rows_->labels[i]; }

    // Image `i`, scaled to [0, 1].
    Tensor<float, S> input(std::size_t i) const
    {
        Tensor<float, S> image;
        scale(pixels(i).data(), image.data());
        return image;
    }

    // inputs: (indices, S) in [0, 1], targets: (indices), in the order of the indices.
    void gather(std::span<const std::uint32_t> indices, float* inputs, std::int32_t* targets) const
    {
        for (std::size_t row = 0; row < indices.size(); ++row) {
            if (row + detail::rows_ahead < indices.size())
                detail::prefetch_row(pixels(indices[row + detail::rows_ahead]).data(), S::size);
            scale(rows_->pixels + std::size_t{indices[row]} * S::size, inputs + row * S::size);
            targets[row] = rows_->labels[indices[row]];
        }
    }

private:
    struct Rows {
        const std::uint8_t* pixels;
        std::shared_ptr<const void> owner;
        std::vector<std::uint8_t> labels;
        std::size_t classes;
    };

    // Divided, not multiplied by 1 / 255: the same floats as other libraries get, and memory is slower than either.
    static void scale(const std::uint8_t* TENON_RESTRICT from, float* TENON_RESTRICT to)
    {
        for (std::size_t i = 0; i < S::size; ++i) to[i] = static_cast<float>(from[i]) / 255.0f;
    }

    std::shared_ptr<const Rows> rows_;
};

// The target of a classification dataset: one class index per row.
struct Label {};

// Float rows with a target each: TensorDataset<Shape<13>, Shape<1>> for regression, TensorDataset<Shape<13>, Label> for
// classification.
template <AnyShape S, class Target>
class TensorDataset {
    static constexpr bool labelled = std::is_same_v<Target, Label>;
    static_assert(labelled || is_shape<Target>, "tenon: a dataset's target is data::Label or a Shape of floats.");

    template <class T>
    struct size_of_target : std::integral_constant<std::size_t, 1> {};
    template <std::size_t... Extents>
    struct size_of_target<Shape<Extents...>> : std::integral_constant<std::size_t, Shape<Extents...>::size> {};

public:
    using input_shape = S;
    using target_shape = std::conditional_t<labelled, Shape<>, Target>;
    using target_type = std::conditional_t<labelled, std::int32_t, float>;
    static constexpr std::size_t target_size = size_of_target<Target>::value;

    TensorDataset() = default;

    // inputs: (rows, S), targets: (rows, target_size), row-major. With labels, `classes` bounds them; 0 takes the largest
    // label + 1. Fails where the sizes do not agree or a label is out of range.
    static Result<TensorDataset> make(std::vector<float> inputs, std::vector<target_type> targets,
                                      std::size_t classes = 0)
    {
        const std::size_t rows = target_size == 0 ? 0 : targets.size() / target_size;
        if (rows > most_rows) return Message{"tenon: a dataset holds at most 4294967295 rows, found "} << rows;
        if (targets.size() != rows * target_size || inputs.size() != rows * S::size)
            return Message{"tenon: expected inputs of "} << S::size << " and targets of " << target_size
                                                         << " values per row, found " << inputs.size() << " input and "
                                                         << targets.size() << " target values";
        if constexpr (labelled) {
            const std::size_t bound = classes == 0 ? std::size_t{1} << 31 : classes;
            for (std::size_t i = 0; i < rows; ++i) {
                if (targets[i] < 0 || static_cast<std::size_t>(targets[i]) >= bound)
                    return Message{"tenon: label "} << i << ": expected a class below " << bound << ", found "
                                                    << targets[i];
                if (static_cast<std::size_t>(targets[i]) >= classes) classes = static_cast<std::size_t>(targets[i]) + 1;
            }
        }
        TensorDataset dataset;
        dataset.rows_ = std::make_shared<const Rows>(Rows{std::move(inputs), std::move(targets), classes});
        return dataset;
    }

#if TENON_EXCEPTIONS
    TensorDataset(std::vector<float> inputs, std::vector<target_type> targets, std::size_t classes = 0)
        : TensorDataset{make(std::move(inputs), std::move(targets), classes).value_or_throw()}
    {}
    // Copies the values: the spans need not outlive the call.
    TensorDataset(std::span<const float> inputs, std::span<const target_type> targets, std::size_t classes = 0)
        : TensorDataset{std::vector<float>(inputs.begin(), inputs.end()),
                        std::vector<target_type>(targets.begin(), targets.end()), classes}
    {}
#endif

    std::size_t size() const { return rows_ ? rows_->targets.size() / target_size : 0; }

    std::size_t classes() const requires labelled { return rows_ ? rows_->classes : 0; }

    Tensor<float, S> input(std::size_t i) const
    {
        Tensor<float, S> row;
        detail::copy_row(rows_->inputs.data() + i * S::size, row.data(), S::size);
        return row;
    }

    std::int32_t label(std::size_t i) const requires labelled { return rows_->targets[i]; }

    Tensor<float, target_shape> target(std::size_t i) const requires(!labelled)
    {
        Tensor<float, target_shape> row;
        detail::copy_row(rows_->targets.data() + i * target_size, row.data(), target_size);
        return row;
    }

    // inputs: (indices, S), targets: (indices, target_size), in the order of the indices.
    void gather(std::span<const std::uint32_t> indices, float* inputs, target_type* targets) const
    {
        for (std::size_t row = 0; row < indices.size(); ++row) {
            if (row + detail::rows_ahead < indices.size())
                detail::prefetch_row(rows_->inputs.data() + std::size_t{indices[row + detail::rows_ahead]} * S::size,
                                     S::size * sizeof(float));
            detail::copy_row(rows_->inputs.data() + std::size_t{indices[row]} * S::size, inputs + row * S::size,
                             S::size);
            detail::copy_row(rows_->targets.data() + std::size_t{indices[row]} * target_size,
                             targets + row * target_size, target_size);
        }
    }

private:
    struct Rows {
        std::vector<float> inputs;
        std::vector<target_type> targets;
        std::size_t classes;
    };

    std::shared_ptr<const Rows> rows_;
};

}  // namespace tenon::inline TENON_ISA::data
