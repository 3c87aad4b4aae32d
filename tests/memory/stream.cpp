// SPDX-License-Identifier: BSL-1.0
// What training on a stream holds in memory: two windows, however many rows there are.
#include "counted.hpp"

#include <tenon/data/stream.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

using namespace tenon;

namespace {

// Rows that are made when they are read.
struct Endless {
    using input_shape = Shape<64>;
    using target_type = std::int32_t;
    static constexpr std::size_t target_size = 1;

    struct Reader {
        Random random{Seed{1}};
        std::size_t read(std::size_t count, float* inputs, std::int32_t* targets)
        {
            for (std::size_t i = 0; i < 64 * count; ++i) inputs[i] = static_cast<float>(random.uniform());
            for (std::size_t i = 0; i < count; ++i) targets[i] = static_cast<std::int32_t>(random.below(2));
            return count;
        }
    };

    std::size_t rows;
    std::size_t size() const { return rows; }
    Reader open(const data::EpochDraw&) const { return {}; }
};

}  // namespace

TEST_CASE("training on a stream holds two windows, however many rows there are")
{
    // A row: 64 inputs, the target, its place in the order.
    static constexpr std::size_t row = 64 * 4 + 4 + 4, window = 256;
    const auto peak = [](std::size_t rows) {
        const data::Stream stream{Endless{rows}, {.window = window}};
        Model<Network<Input<64>, Dense<2>>> model{Seed{1}};
        Trainer trainer{model, CrossEntropy{}, SGD{}};
        const std::size_t before = counted::live();
        counted::reset_peak();
        trainer.fit(stream, {.batch_size = 32, .validation = &stream, .progress = Progress::silent});
        return counted::peak() - before;
    };
    const std::size_t small = peak(4 * window), large = peak(64 * window);
    CHECK(large >= 2 * window * row);
    CHECK(large < 3 * window * row);
    // Sums of the validation, by 64 rows.
    CHECK(large - small < 64 * window / 64 * 4 * sizeof(double));
}
