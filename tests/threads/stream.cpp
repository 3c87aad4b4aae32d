// SPDX-License-Identifier: BSL-1.0
// Streams under threads: the same bits for any number of training threads, passes that end wherever they are, and sources that
// throw while others work.
#include <tenon/data/stream.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

using namespace tenon;

namespace {

using Table = data::TensorDataset<Shape<5>, data::Label>;
using Net = Network<Input<5>, Dense<20>, ReLU, Dropout<Rate<1, 4>>, Dense<3>, Softmax>;

Table table(std::size_t rows)
{
    Random random{Seed{rows}};
    std::vector<float> inputs(5 * rows);
    std::vector<std::int32_t> labels(rows);
    for (float& value : inputs) value = static_cast<float>(random.normal());
    for (std::int32_t& label : labels) label = static_cast<std::int32_t>(random.below(3));
    return {inputs, labels, 3};
}

// Throws at a row, if asked to.
struct Cursor {
    using input_shape = Shape<5>;
    using target_type = std::int32_t;
    static constexpr std::size_t target_size = 1;

    struct Reader {
        const Cursor& source;
        std::size_t at = 0;
        std::size_t read(std::size_t most, float* inputs, std::int32_t* targets)
        {
            if (at >= source.throws_at) throw std::runtime_error("broken");
            const std::size_t count = std::min({most, std::size_t{3}, source.size() - at});
            for (std::size_t i = 0; i < count; ++i) {
                const auto number = static_cast<std::uint32_t>(at++);
                source.rows.gather(std::span<const std::uint32_t>(&number, 1), inputs + 5 * i, targets + i);
            }
            return count;
        }
    };

    Table rows;
    std::size_t throws_at = ~std::size_t{0};
    std::size_t size() const { return rows.size(); }
    Reader open(const data::EpochDraw&) const { return {*this}; }
};

}  // namespace

TEST_CASE("the same bits for any number of threads")
{
    const data::Stream stream{Cursor{table(400)}, {.window = 90}};
    std::uint64_t fingerprint = 0;
    double loss = 0;
    for (const int threads : {1, 2, 3, 8}) {
        Model<Net> model{Seed{1}};
        Trainer trainer{model, CrossEntropy{}, Adam{}};
        const History history = trainer.fit(
            stream,
            {.epochs = 2, .batch_size = 64, .validation = &stream, .threads = threads, .progress = Progress::silent});
        if (threads == 1) {
            fingerprint = model.parameters().fingerprint();
            loss = history.back().validation.loss;
        }
        CHECK(model.parameters().fingerprint() == fingerprint);
        CHECK(history.back().validation.loss == loss);
    }
}

TEST_CASE("a pass may end at any of its rows, before the first one as well")
{
    const data::Stream stream{Cursor{table(300)}, {.window = 16}};
    for (std::size_t end = 0; end < 300; end += 7) {
        auto reader = stream.start({.draw = {Seed{1}, 1}, .shuffle = true, .first_row = end / 2});
        for (std::size_t row = end / 2; row < end; ++row) {
            float inputs[5];
            std::int32_t target;
            reader.wait(row + 1);
            reader.gather(row, 1, inputs, &target, nullptr);
            reader.release(row + 1);
        }
    }
}

TEST_CASE("a source that throws while threads train")
{
    for (const std::size_t at : {0u, 50u, 130u, 300u}) {
        Model<Net> model{Seed{1}};
        Trainer trainer{model, CrossEntropy{}, Adam{}};
        const data::Stream stream{Cursor{table(400), at}, {.window = 32}};
        CHECK_THROWS_WITH_AS(trainer.fit(stream, {.batch_size = 16, .threads = 3, .progress = Progress::silent}),
                             "broken", std::runtime_error);
    }
}

TEST_CASE("several passes over one stream at the same time")
{
    const data::Stream stream{Cursor{table(200)}, {.window = 20}};
    auto one = stream.start({.draw = {Seed{1}, 1}}), other = stream.start({.draw = {Seed{1}, 2}});
    for (std::size_t row = 0; row < 200; ++row) {
        float a[5], b[5];
        std::int32_t target;
        one.wait(row + 1);
        one.gather(row, 1, a, &target, nullptr);
        one.release(row + 1);
        other.wait(row + 1);
        other.gather(row, 1, b, &target, nullptr);
        other.release(row + 1);
        CHECK(std::equal(a, a + 5, b));
    }
}
