// SPDX-License-Identifier: BSL-1.0
// The pool by itself: every task once, exceptions to the caller, joining while busy or asleep.
#include <tenon/parallel/thread_pool.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

using namespace tenon;

TEST_CASE("every task runs exactly once, for many short batches")
{
    for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
        ThreadPool pool{threads};
        CHECK(pool.threads() == threads);
        for (std::size_t count = 0; count < 60; ++count) {
            std::vector<int> hits(count);
            pool.run(count, [&](std::size_t i) { ++hits[i]; });
            for (const int hit : hits) CHECK(hit == 1);
        }
        std::vector<unsigned char> hits(150'000);  // more than one batch of the pool holds
        pool.run(hits.size(), [&](std::size_t i) { ++hits[i]; });
        CHECK(std::count(hits.begin(), hits.end(), 1) == static_cast<std::ptrdiff_t>(hits.size()));
    }
}

TEST_CASE("an exception reaches the caller after all tasks have ended, and the pool goes on")
{
    ThreadPool pool{4};
    for (int round = 0; round < 20; ++round) {
        std::atomic<int> ran{0};
        CHECK_THROWS_WITH_AS(pool.run(10,
                                      [&](std::size_t i) {
                                          ++ran;
                                          if (i == 7) throw std::runtime_error("task seven");
                                      }),
                             "task seven", std::runtime_error);
        CHECK(ran == 10);
        int sum = 0;
        pool.run(1, [&](std::size_t) { sum = 5; });
        CHECK(sum == 5);
    }
}

TEST_CASE("threads that have fallen asleep wake for the next batch, and for the end")
{
    ThreadPool pool{3};
    for (int round = 0; round < 5; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        std::atomic<int> sum{0};
        pool.run(30, [&](std::size_t i) { sum += static_cast<int>(i); });
        CHECK(sum == 435);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
}

TEST_CASE("a pool ends at any moment: at once, after work, while its threads fall asleep")
{
    for (int round = 0; round < 3000; ++round) {
        ThreadPool pool{4};
        if (round % 3 == 1) {
            std::atomic<int> ran{0};
            pool.run(5, [&](std::size_t) { ++ran; });
            CHECK(ran == 5);
        }
        // Around the time at which threads stop spinning.
        if (round % 16 == 15) std::this_thread::sleep_for(std::chrono::microseconds(150 + round % 100));
    }
}

TEST_CASE("a team's parts cover the range without gaps, at its steps")
{
    ThreadPool pool{4};
    for (std::size_t size = 0; size < 100; ++size)
        for (const std::size_t step : {1u, 6u}) {
            std::vector<int> hits(size);
            pool.team().split(size, 8, step, [&](std::size_t begin, std::size_t end) {
                CHECK(begin % step == 0);
                for (std::size_t i = begin; i < end; ++i) ++hits[i];
            });
            for (const int hit : hits) CHECK(hit == 1);
        }
}
