// SPDX-License-Identifier: BSL-1.0
// Streams: training, evaluation and checkpoints on them against the same rows as a dataset, bit by bit; what is shuffled and
// how; how much is held; sources that end early, throw, or are stopped.
#include <tenon/data/augment.hpp>
#include <tenon/data/stream.hpp>
#include <tenon/data/transforms.hpp>
#include <tenon/layers/layers.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/losses/mean_squared_error.hpp>
#include <tenon/optimizers/adam.hpp>
#include <tenon/training/checkpoint.hpp>
#include <tenon/training/predict.hpp>
#include <tenon/training/trainer.hpp>

#include "support/files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace tenon;

namespace {

using Table = data::TensorDataset<Shape<3>, data::Label>;
using Stream = data::Stream<Shape<3>, data::Label>;
using Sample = data::Sample<Shape<3>, data::Label>;
using Net = Network<Input<3>, Dense<9>, Tanh, Dropout<Rate<1, 5>>, Dense<4>, Softmax>;

Table rows_of(std::size_t rows, std::uint64_t seed = 1)
{
    Random random{Seed{seed}};
    std::vector<float> inputs(3 * rows);
    std::vector<std::int32_t> labels(rows);
    for (float& value : inputs) value = static_cast<float>(random.normal());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(4));
    return {inputs, labels, 4};
}

struct Trained {
    std::uint64_t fingerprint;
    History history;
};

template <class D, class... Callbacks>
Trained train(const D& data, FitOptions<D> options, Callbacks&&... callbacks)
{
    Model<Net> model{Seed{3}};
    Trainer trainer{model, CrossEntropy{}, Adam{.learning_rate = 0.01}};
    options.progress = Progress::silent;
    History history = trainer.fit(data, options, callbacks...);
    return {model.parameters().fingerprint(), std::move(history)};
}

void same(const Trained& a, const Trained& b)
{
    CHECK(a.fingerprint == b.fingerprint);
    REQUIRE(a.history.size() == b.history.size());
    for (std::size_t i = 0; i < a.history.size(); ++i) {
        CHECK(a.history[i].training.loss == b.history[i].training.loss);
        CHECK(a.history[i].training.accuracy == b.history[i].training.accuracy);
        // NaN on both sides where nothing was validated.
        CHECK((a.history[i].validation.loss == b.history[i].validation.loss ||
               (std::isnan(a.history[i].validation.loss) && std::isnan(b.history[i].validation.loss))));
    }
}

template <class F>
std::string error_of(F&& f)
{
    try {
        f();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

// A source that counts: rows read, passes opened and ended; it can fail, end early, and give few rows at once.
struct Counts {
    std::atomic<std::size_t> read{0}, skipped{0}, opened{0}, ended{0}, least_epoch{99}, most_epoch{0};
};
template <bool Skips>
struct Counted {
    using input_shape = Shape<3>;
    using target_type = std::int32_t;
    static constexpr std::size_t target_size = 1;

    struct PlainReader {
        const Counted& source;
        std::size_t at = 0;

        explicit PlainReader(const Counted& from) : source{from} { ++source.counts->opened; }
        PlainReader(const PlainReader&) = delete;
        ~PlainReader() { ++source.counts->ended; }
        std::size_t read(std::size_t most, float* inputs, std::int32_t* targets)
        {
            if (at >= source.throws_at) throw std::runtime_error("the cursor broke");
            const std::size_t count = std::min({most, source.at_once, source.ends_at - at});
            for (std::size_t i = 0; i < count; ++i) {
                const auto number = static_cast<std::uint32_t>(at + i);
                source.rows.gather(std::span<const std::uint32_t>(&number, 1), inputs + 3 * i, targets + i);
            }
            at += count;
            source.counts->read += count;
            return count;
        }
    };
    struct SkippingReader : PlainReader {
        using PlainReader::PlainReader;
        void skip(std::size_t count)
        {
            this->at += count;
            this->source.counts->skipped += count;
        }
    };
    using Reader = std::conditional_t<Skips, SkippingReader, PlainReader>;

    Table rows;
    Counts* counts;
    std::size_t at_once = 7, ends_at = ~std::size_t{0}, throws_at = ~std::size_t{0};

    std::size_t size() const { return rows.size(); }
    Reader open(const data::EpochDraw& draw) const
    {
        counts->least_epoch = std::min<std::size_t>(counts->least_epoch, draw.epoch);
        counts->most_epoch = std::max<std::size_t>(counts->most_epoch, draw.epoch);
        return Reader{*this};
    }
};

}  // namespace

TEST_CASE("in order, any window trains to the bits of the dataset")
{
    const Table rows = rows_of(203), other = rows_of(70, 2);
    const Trained expected = train(
        rows, {.epochs = 3, .batch_size = 32, .validation = &other, .shuffle = false, .seed = Seed{5}});
    const Stream validation{other, {.window = 50}};
    for (const std::size_t window : {1u, 20u, 32u, 45u, 64u, 203u, 1000u}) {
        CAPTURE(window);
        const Stream stream{rows, {.window = window}};
        same(train(stream,
                   {.epochs = 3, .batch_size = 32, .validation = &validation, .shuffle = false, .seed = Seed{5}}),
             expected);
    }
}

TEST_CASE("shuffled, a window of all rows trains to the bits of the dataset; smaller ones to their own, each time")
{
    const Table rows = rows_of(203);
    const std::vector<float> weights = [] {
        std::vector<float> all(203);
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = 0.5f + static_cast<float>(i % 3);
        return all;
    }();
    // By number: rows of a stream have those of their source.
    const Trained expected = train(rows, {.epochs = 2, .batch_size = 30, .sample_weights = weights});
    const Stream whole{rows, {.window = 203}}, parts{rows, {.window = 40}};
    same(train(whole, {.epochs = 2, .batch_size = 30, .sample_weights = weights}), expected);
    const Trained one = train(parts, {.epochs = 2, .batch_size = 30, .sample_weights = weights});
    same(train(parts, {.epochs = 2, .batch_size = 30, .sample_weights = weights}), one);
    CHECK(one.fingerprint != expected.fingerprint);
    CHECK(train(parts, {.epochs = 2, .batch_size = 30, .seed = Seed{1}}).fingerprint !=
          train(parts, {.epochs = 2, .batch_size = 30, .seed = Seed{2}}).fingerprint);
}

TEST_CASE("rows are shuffled within their window, otherwise in each epoch, and all of them come")
{
    const Stream stream{rows_of(100), {.window = 32}};
    const auto order = [&](std::uint64_t epoch) {
        auto reader = stream.start({.draw = {Seed{1}, epoch}, .shuffle = true, .held_rows = 10});
        std::vector<std::uint32_t> numbers(100);
        for (std::size_t first = 0; first < 100; first += 10) {
            float inputs[30];
            std::int32_t targets[10];
            reader.wait(first + 10);
            reader.gather(first, 10, inputs, targets, numbers.data() + first);
            reader.release(first + 10);
        }
        return numbers;
    };
    const auto first = order(1), second = order(2);
    CHECK(order(1) == first);
    CHECK(first != second);
    CHECK(std::set<std::uint32_t>(first.begin(), first.end()).size() == 100);
    for (std::size_t i = 0; i < 100; ++i) CHECK(first[i] / 32 == i / 32);
    CHECK(!std::is_sorted(first.begin() + 32, first.begin() + 64));
}

TEST_CASE("an augmented dataset varies by epoch as a stream as well, and evaluation sees it as it is")
{
    using Images = data::TensorDataset<Shape<6, 6, 1>, data::Label>;
    std::vector<float> pixels(40 * 36);
    std::vector<std::int32_t> labels(40);
    Random random{Seed{4}};
    for (float& pixel : pixels) pixel = static_cast<float>(random.uniform());
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 3);
    const auto images = data::Augment{data::Shift{0.2}, data::Noise{0.1}}(Images{pixels, labels});
    const data::Stream stream{images, {.window = 40}};
    using ImageNet = Network<Input<6, 6, 1>, Flatten, Dense<3>>;
    const auto run = [](const auto& rows) {
        Model<ImageNet> model{Seed{1}};
        Trainer trainer{model, CrossEntropy{}, Adam{}};
        const History history = trainer.fit(
            rows, {.epochs = 3, .batch_size = 16, .validation = &rows, .progress = Progress::silent});
        return std::pair{model.parameters().fingerprint(), history.back().validation.loss};
    };
    CHECK(run(images) == run(stream));
}

TEST_CASE("evaluate and predict")
{
    const Table rows = rows_of(333);
    const Stream stream{rows, {.window = 70}};
    const Model<Net> model{Seed{8}};
    CHECK(evaluate(model, stream, CrossEntropy{}).loss == evaluate(model, rows, CrossEntropy{}).loss);
    CHECK(evaluate(model, stream, CrossEntropy{}).accuracy == evaluate(model, rows, CrossEntropy{}).accuracy);
    CHECK(predict(model, stream) == predict(model, rows));
}

TEST_CASE("a run that was stopped in the middle of an epoch goes on to the same bits")
{
    const support::Folder folder;
    const Table rows = rows_of(203);
    Counts counts;
    const FitOptions<Stream> options{.epochs = 3, .batch_size = 16};
    const auto check = [&](const Stream& stream) {
        const Trained expected = train(stream, options);
        for (const std::uint64_t stop : {1u, 4u, 13u, 20u, 30u}) {
            CAPTURE(stop);
            struct Stop {
                std::uint64_t at;
                void step(const StepInfo& info) const
                {
                    if (info.number == at) throw Error("stopped");
                }
            };
            const std::string path = folder / "run.safetensors";
            std::filesystem::remove(path);
            CHECK(error_of([&] {
                      train(stream, options, callbacks::Checkpoint{path, {.every_steps = 1, .keep = 0}}, Stop{stop});
                  }) == "stopped");
            counts.read = counts.skipped = 0;
            same(train(stream, options, callbacks::Checkpoint{path, {.keep = 0}}, Stop{0}), expected);
        }
    };
    SUBCASE("of a dataset") { check(Stream{rows, {.window = 40}}); }
    SUBCASE("of a source that reads what it passes over")
    {
        check(Stream{Counted<false>{rows, &counts}, {.window = 40}});
        // Stopped after 29 steps: in the third epoch, after 3 · 16 rows.
        CHECK(counts.skipped == 0);
        CHECK(counts.read == 203);
    }
    SUBCASE("of a source that can skip")
    {
        check(Stream{Counted<true>{rows, &counts}, {.window = 40}});
        CHECK(counts.skipped == 40);
        CHECK(counts.read == 163);
    }
    SUBCASE("and is refused with another window")
    {
        const std::string path = folder / "run.safetensors";
        train(Stream{rows, {.window = 40}}, {.epochs = 1}, callbacks::Checkpoint{path});
        CHECK(error_of([&] {
                  train(Stream{rows, {.window = 41}}, {.epochs = 2}, callbacks::Checkpoint{path});
              }) == path + ": rows of the stream's window: the checkpoint has 40, this run 41");
    }
}

TEST_CASE("no more is read than two windows hold, and a step larger than a window gets what it needs")
{
    Counts counts;
    const Counted<false> source{rows_of(500), &counts};
    const Stream stream{source, {.window = 50}};
    {
        auto reader = stream.start({.held_rows = 20});
        reader.wait(20);
        CHECK(reader.capacity() == 100);
        // The reader runs into its bound at 100 rows, and stays there.
        while (counts.read < 100) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        CHECK(counts.read == 100);
        reader.release(49);
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        CHECK(counts.read == 100);
        reader.release(50);
        while (counts.read < 150) std::this_thread::yield();
        reader.wait(150);
        CHECK(error_of([&] { reader.wait(151); }) ==
              "tenon: stream: rows up to 151 are waited for, and those before them, from 50, not released: there is "
              "memory "
              "for 100");
    }
    CHECK(counts.opened == counts.ended);
    CHECK(stream.start({.held_rows = 51}).capacity() == 150);
    const Trained expected = train(rows_of(500), {.batch_size = 130, .shuffle = false});
    same(train(stream, {.batch_size = 130, .shuffle = false}), expected);
}

TEST_CASE("each epoch and each evaluation is a pass of its own, which ends")
{
    Counts counts;
    const Stream stream{Counted<false>{rows_of(90), &counts}, {.window = 16}};
    train(stream, {.epochs = 3});
    CHECK(counts.opened == 3);
    CHECK(counts.ended == 3);
    CHECK(counts.least_epoch == 1);
    CHECK(counts.most_epoch == 3);
    evaluate(Model<Net>{Seed{1}}, stream, CrossEntropy{});
    CHECK(counts.opened == 4);
    CHECK(counts.least_epoch == 0);
    CHECK(counts.read == 4 * 90);
}

TEST_CASE("what a source throws reaches the caller of fit, and its pass is over")
{
    Counts counts;
    Counted<false> source{rows_of(90), &counts};
    source.throws_at = 60;
    std::size_t steps = 0;
    struct Count {
        std::size_t& steps;
        void step(const StepInfo&) const { ++steps; }
    };
    try {
        train(Stream{source, {.window = 20}}, {.batch_size = 10}, Count{steps});
        FAIL("nothing was thrown");
    } catch (const std::runtime_error& error) {
        CHECK(std::string{error.what()} == "the cursor broke");
    }
    CHECK(steps == 6);  // what came before it has been trained on
    CHECK(counts.opened == counts.ended);

    source.throws_at = ~std::size_t{0};
    source.ends_at = 70;
    CHECK(error_of([&] {
              train(Stream{source, {.window = 20}}, {});
          }) == "tenon: stream: epoch 1: expected 90 rows, found 70");
    CHECK(error_of([&] { evaluate(Model<Net>{Seed{1}}, Stream{source}, CrossEntropy{}); }) ==
          "tenon: stream: evaluation: expected 90 rows, found 70");
    CHECK(counts.opened == counts.ended);
    CHECK(error_of([&] {
              Stream{source, {.window = 0}};
          }) == "tenon: stream: expected a window of 1 or more rows, found 0");
    CHECK(error_of([&] { train(Stream{rows_of(0)}, {}); }) == "tenon: fit: the dataset is empty");
}

TEST_CASE("any input range of samples, made anew for each pass")
{
    const Table rows = rows_of(120);
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < rows.size(); ++i) samples.push_back({rows.input(i), rows.label(i)});
    const Trained expected = train(rows, {.epochs = 2});

    SUBCASE("a container, by reference")
    {
        const auto stream = data::stream<Shape<3>, data::Label>(
            samples.size(), [&]() -> const std::vector<Sample>& { return samples; }, {.window = 120});
        same(train(stream, {.epochs = 2}), expected);
    }
    SUBCASE("a cursor: read once, moved only when its next row is wanted")
    {
        struct Cursor {
            const std::vector<Sample>* from;
            std::size_t* moved;
            struct Iterator {
                const Cursor* cursor;
                std::size_t at;
                Sample operator*() const { return (*cursor->from)[at]; }
                Iterator& operator++()
                {
                    ++*cursor->moved;
                    ++at;
                    return *this;
                }
                bool operator!=(std::nullptr_t) const { return at < cursor->from->size(); }
            };
            Iterator begin() const { return {this, 0}; }
            std::nullptr_t end() const { return nullptr; }
        };
        std::size_t moved = 0;
        std::vector<std::uint64_t> epochs;
        const auto stream = data::stream<Shape<3>, data::Label>(100,
                                                                [&](const data::EpochDraw& draw) {
                                                                    epochs.push_back(draw.epoch);
                                                                    return Cursor{&samples, &moved};
                                                                },
                                                                {.window = 30});
        train(stream, {.epochs = 2});
        CHECK(moved == 2 * 99);
        CHECK(epochs == std::vector<std::uint64_t>{1, 2});
    }
    SUBCASE("that ends before its time: nothing beyond its end is looked at")
    {
        const std::vector<Sample> few(samples.begin(), samples.begin() + 70);
        const auto stream = data::stream<Shape<3>, data::Label>(90, [&]() -> const std::vector<Sample>& { return few; },
                                                                {.window = 20});
        CHECK(error_of([&] { train(stream, {}); }) == "tenon: stream: epoch 1: expected 90 rows, found 70");
    }
    SUBCASE("with rows of numbers as targets")
    {
        using Pair = data::Sample<Shape<1>, Shape<2>>;
        std::vector<Pair> pairs;
        std::vector<float> x, y;
        for (int i = 0; i < 50; ++i) {
            const auto at = static_cast<float>(i) / 50;
            pairs.push_back({{at}, {at * at, 1 - at}});
            x.push_back(at);
            y.insert(y.end(), {at * at, 1 - at});
        }
        const auto run = [](const auto& data) {
            Model<Network<Input<1>, Dense<5>, Tanh, Dense<2>>> model{Seed{1}};
            Trainer{model, MeanSquaredError{}, Adam{}}.fit(data, {.epochs = 2, .progress = Progress::silent});
            return model.parameters().fingerprint();
        };
        CHECK(run(data::stream<Shape<1>, Shape<2>>(50, [&] { return pairs; })) ==
              run(data::TensorDataset<Shape<1>, Shape<2>>{x, y}));
    }
}
