// SPDX-License-Identifier: BSL-1.0
// Who takes which rows, and in which order the sums of shares are added: the parts of distributed training that need no
// second process.
#include <tenon/distributed/share_tree.hpp>
#include <tenon/training/exchange.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace tenon;
using distributed::ShareRange;
using distributed::ShareSums;
using distributed::ShareTree;

TEST_CASE("every row of an epoch falls to one share, in the place it has in the step")
{
    for (const std::size_t rows : {1u, 7u, 64u, 101u})
        for (const std::size_t batch : {1u, 5u, 16u, 200u})
            for (const std::size_t batches : {1u, 3u})
                for (const std::size_t shares : {1u, 2u, 3u, 8u}) {
                    CAPTURE(rows);
                    CAPTURE(batch);
                    CAPTURE(batches);
                    CAPTURE(shares);
                    const detail::Shares plan{rows, batch, batches, shares};
                    CHECK(plan.batch() == std::min(rows, batch));
                    std::vector<int> seen(rows, 0);
                    std::size_t all = 0;
                    for (std::size_t step = 0; step < plan.steps(); ++step) {
                        CHECK(plan.step_at(plan.rows_until(step)) == step);
                        std::vector<int> places(plan.step_rows(step), 0);
                        bool none_empty = true;
                        for (std::size_t b = 0; b < plan.batches(step); ++b)
                            for (std::size_t share = 0; share < shares; ++share) {
                                const detail::Shares::Rows part = plan.rows(step, b, share);
                                CHECK(part.count <= plan.most_rows());
                                if (b + 1 == plan.batches(step) && part.count == 0) none_empty = false;
                                for (std::size_t i = 0; i < part.count; ++i) {
                                    ++seen.at(part.first + i);
                                    ++places.at(part.place + i);
                                    CHECK(part.first == plan.rows_until(step) + part.place);
                                }
                            }
                        CHECK(plan.none_empty(step) == none_empty);
                        CHECK(std::all_of(places.begin(), places.end(), [](int n) { return n == 1; }));
                        all += plan.step_rows(step);
                    }
                    CHECK(all == rows);
                    CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
                }
}

TEST_CASE("ranks with rows of their own make the same steps, and each takes all of its rows")
{
    const std::vector<std::vector<std::size_t>> sizes{{10, 10}, {3, 40, 17}, {1, 1, 1, 200}, {64}};
    for (const auto& own : sizes)
        for (const std::size_t batch : {4u, 16u, 1000u})
            for (const std::size_t batches : {1u, 2u}) {
                CAPTURE(batch);
                CAPTURE(batches);
                std::size_t total = 0, steps = 0;
                for (const std::size_t count : own) total += count;
                std::vector<std::vector<int>> places;
                for (std::size_t rank = 0; rank < own.size(); ++rank) {
                    const detail::Shares plan{own, rank, batch, batches};
                    CHECK(plan.rows() == total);
                    if (rank == 0) {
                        steps = plan.steps();
                        for (std::size_t step = 0; step < steps; ++step) places.emplace_back(plan.step_rows(step), 0);
                    }
                    CHECK(plan.steps() == steps);
                    std::vector<int> seen(own[rank], 0);
                    for (std::size_t step = 0; step < steps; ++step) {
                        std::size_t of_step = 0;
                        for (std::size_t b = 0; b < plan.batches(step); ++b) {
                            const detail::Shares::Rows part = plan.rows(step, b, rank);
                            CHECK(part.count <= plan.most_rows());
                            of_step += part.count;
                            for (std::size_t i = 0; i < part.count; ++i) {
                                ++seen.at(part.first + i);
                                ++places.at(step).at(part.place + i);
                            }
                        }
                        if (plan.none_empty(step)) CHECK(of_step > 0);
                        CHECK(plan.rows_until(plan.step_at(plan.rows_until(step))) == plan.rows_until(step));
                    }
                    CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
                }
                for (const auto& step : places)
                    CHECK(std::all_of(step.begin(), step.end(), [](int n) { return n == 1; }));
            }
}

TEST_CASE("the sum over shares has the same bits for any number of ranks, and only then")
{
    constexpr std::size_t count = 33;
    bool depends_on_order = false;
    for (std::size_t shares = 1; shares <= 13; ++shares) {
        // Values whose sum depends on the order of the additions.
        std::vector<std::vector<float>> values(shares, std::vector<float>(count));
        for (std::size_t s = 0; s < shares; ++s)
            for (std::size_t i = 0; i < count; ++i)
                values[s][i] = std::sin(static_cast<float>(s * 37 + i)) * std::pow(10.0f, static_cast<float>(s % 5));
        std::vector<float> first;
        for (std::size_t ranks = 1; ranks <= shares; ++ranks) {
            const ShareTree tree{shares, ranks};
            std::vector<ShareSums<float>> sums(ranks);
            std::size_t next = 0;
            for (std::size_t rank = 0; rank < ranks; ++rank) {
                const ShareRange own = tree.of_rank(rank);
                CHECK(own.begin == next);
                next = own.end;
                CHECK(own.size() >= 1);
                for (std::size_t share = own.begin; share < own.end; ++share)
                    sums[rank].add(tree, share, values[share].data(), count);
                const std::vector<ShareRange> parts = tree.parts(rank);
                REQUIRE(sums[rank].size() == parts.size());
                for (std::size_t i = 0; i < parts.size(); ++i) CHECK(sums[rank][i].range == parts[i]);
            }
            CHECK(next == shares);
            const float* sum = tree.add<float>(count, [&](ShareRange range) -> float* {
                for (ShareSums<float>& of_rank : sums)
                    for (std::size_t i = 0; i < of_rank.size(); ++i)
                        if (of_rank[i].range == range) return of_rank[i].block.data();
                return nullptr;
            });
            if (ranks == 1) first.assign(sum, sum + count);
            CHECK(std::equal(first.begin(), first.end(), sum));
        }
        for (std::size_t i = 0; i < count; ++i) {
            float in_a_row = 0;
            double exact = 0;
            for (const auto& of_share : values) {
                in_a_row += of_share[i];
                exact += static_cast<double>(of_share[i]);
            }
            CHECK(static_cast<double>(first[i]) == doctest::Approx(exact).epsilon(1e-4));
            depends_on_order = depends_on_order || in_a_row != first[i];
        }
    }
    CHECK(depends_on_order);
}

TEST_CASE("equal ranks hold one block each")
{
    for (const std::size_t shares : {2u, 4u, 8u, 16u})
        for (std::size_t ranks = 1; ranks <= shares; ranks *= 2)
            for (std::size_t rank = 0; rank < ranks; ++rank) CHECK(ShareTree(shares, ranks).parts(rank).size() == 1);
}
