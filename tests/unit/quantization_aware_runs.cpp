// SPDX-License-Identifier: BSL-1.0
// Runs of quantisation-aware training: cut into shares for several ranks, stopped and taken up again.
#include <tenon/compression/quantization_aware.hpp>
#include <tenon/tenon.hpp>
#include <tenon/training/checkpoint.hpp>

#include "support/files.hpp"

#include <doctest/doctest.h>

#include <barrier>
#include <thread>
#include <vector>

using namespace tenon;

namespace {

using Mlp = Network<Input<6>, Dense<21>, ReLU, Dense<4>>;

std::vector<float> samples(std::size_t rows)
{
    Random random{Seed{5}};
    std::vector<float> x(rows * 6);
    for (float& value : x) value = static_cast<float>(random.normal());
    return x;
}

Model<QuantizationAware<Mlp>> aware_of()
{
    const std::vector<float> x = samples(64);
    return quantization_aware(Model<Mlp>{Seed{1}}, std::span<const float>(x));
}

// Ranks as threads: two shares of each batch, both one rank's or one each.
class Together {
public:
    static constexpr bool exchanges = true, stores_gradients = true;
    static constexpr std::size_t all = 2;

    struct Hub {
        std::barrier<> gate;
        std::vector<double> sums[all];
        std::vector<float> blocks[all];

        explicit Hub(std::size_t ranks) : gate{static_cast<std::ptrdiff_t>(ranks)} {}
    };

    Together(Hub& hub, std::size_t rank, std::size_t ranks) : hub_{&hub}, rank_{rank}, ranks_{ranks} {}

    std::size_t rank() const { return rank_; }
    std::size_t ranks() const { return ranks_; }
    static constexpr bool own_rows() { return false; }
    static constexpr std::size_t shares() { return all; }
    std::size_t first_share() const { return all * rank_ / ranks_; }
    std::size_t end_share() const { return all * (rank_ + 1) / ranks_; }

    void sum(double* values, std::size_t count)
    {
        hub_->sums[rank_].assign(values, values + count);
        hub_->gate.arrive_and_wait();
        for (std::size_t i = 0; i < count; ++i) {
            values[i] = 0.0;
            for (std::size_t r = 0; r < ranks_; ++r) values[i] += hub_->sums[r][i];
        }
        hub_->gate.arrive_and_wait();
    }
    static void compare(std::uint64_t) {}
    static void share(Run&) {}
    static void failed(const char*) {}
    static GradientsReady watch(float*, std::size_t) { return {}; }
    void add_share(const float* block, std::size_t count)
    {
        hub_->blocks[first_share() + added_++].assign(block, block + count);
    }
    std::size_t combine(float* block, std::size_t count)
    {
        added_ = 0;
        hub_->gate.arrive_and_wait();
        for (std::size_t i = 0; i < count; ++i) block[i] = hub_->blocks[0][i] + hub_->blocks[1][i];
        hub_->gate.arrive_and_wait();
        return all;
    }

private:
    Hub* hub_;
    std::size_t rank_, ranks_, added_ = 0;
};

// Each rank's model after an epoch of four batches of 16 rows and one of a single row, which leaves a share without any.
std::vector<Model<QuantizationAware<Mlp>>> trained_together(std::size_t ranks)
{
    static const std::vector<float> x = [] {
        std::vector<float> made = samples(65);
        for (float& value : made) value *= 3.0f;  // wider than what calibration has seen
        return made;
    }();
    static const std::vector<std::int32_t> labels(65, 1);
    const data::TensorDataset<Shape<6>, data::Label> dataset{x, labels, 4};
    std::vector<Model<QuantizationAware<Mlp>>> models(ranks, aware_of());
    Together::Hub hub{ranks};
    const auto train = [&](std::size_t rank) {
        Trainer{models[rank], CrossEntropy{}, Adam{.learning_rate = 0.01}, Together{hub, rank, ranks}}.fit(
            dataset, {.epochs = 1, .batch_size = 16, .threads = 1, .progress = Progress::silent});
    };
    std::vector<std::thread> others;
    for (std::size_t rank = 1; rank < ranks; ++rank) others.emplace_back(train, rank);
    train(0);
    for (std::thread& other : others) other.join();
    return models;
}

}  // namespace

TEST_CASE("shares of a batch widen the ranges as the whole batch does, with the same bits for any number of ranks")
{
    const auto one = trained_together(1), two = trained_together(2);
    CHECK(two[0].parameters().fingerprint() == two[1].parameters().fingerprint());
    CHECK(one[0].parameters().fingerprint() == two[0].parameters().fingerprint());
    // The input's range is that of all rows; a mean of shares would be narrower.
    float low = 0, high = 0;
    for (float value : samples(65)) {
        low = std::min(low, 3.0f * value);
        high = std::max(high, 3.0f * value);
    }
    const SlotInfo& input = one[0].parameters().slots()[0];
    REQUIRE(input.role == Role::statistics);
    CHECK(one[0].parameters().logical(input, 0) == low);
    CHECK(one[0].parameters().logical(input, 1) == high);
}

TEST_CASE("stopped in any step and taken up again: the bits of a run that was not")
{
    struct Stopped {};
    struct StopIn {
        std::uint64_t number;
        void step(const StepInfo& info) const
        {
            if (info.number == number) throw Stopped{};
        }
    };
    const std::vector<float> x = samples(60);
    std::vector<std::int32_t> labels(60);
    for (std::size_t i = 0; i < 60; ++i) labels[i] = static_cast<std::int32_t>(i % 4);
    const data::TensorDataset<Shape<6>, data::Label> dataset{x, labels, 4};
    const support::Folder folder;
    const auto run = [&](std::uint64_t last, const std::string& path) {
        Model<QuantizationAware<Mlp>> aware = aware_of();
        Trainer trainer{aware, CrossEntropy{}, Adam{.learning_rate = 0.01}};
        callbacks::Checkpoint checkpoint{path, {.every_steps = 2}};
        try {
            trainer.fit(dataset, {.epochs = 2, .batch_size = 8, .threads = 1, .progress = Progress::silent},
                        StopIn{last}, checkpoint);
        } catch (const Stopped&) {
        }
        return aware.parameters().fingerprint();
    };
    const std::uint64_t whole = run(0, folder / "whole");
    for (const std::uint64_t step : {2u, 5u, 8u, 13u}) {
        CAPTURE(step);
        const std::string path = folder / std::to_string(step);
        CHECK(run(step, path) != whole);
        CHECK(run(0, path) == whole);
    }
}
