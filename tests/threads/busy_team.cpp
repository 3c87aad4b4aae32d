// SPDX-License-Identifier: BSL-1.0
// How busy threads are, on threads whose times are known.
#include <tenon/parallel/busy_team.hpp>
#include <tenon/parallel/thread_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <vector>

using namespace tenon;

namespace {

void work(std::chrono::microseconds duration)
{
    const auto end = std::chrono::steady_clock::now() + duration;
    while (std::chrono::steady_clock::now() < end) {
    }
}

// Says that it has four threads and runs everything on one, so that times add up on a busy machine as well.
Team one_for_four()
{
    return {[](void*, std::size_t count, void (*task)(void*, std::size_t), void* data) {
                for (std::size_t i = 0; i < count; ++i) task(data, i);
            },
            nullptr, 4};
}

}  // namespace

TEST_CASE("the share of time within tasks, and of the caller outside of them")
{
    using std::chrono::microseconds;
    BusyTeam busy{one_for_four()};
    const Team team = busy.team();
    CHECK(team.threads == 4);

    // All the time is within tasks, of one thread out of four.
    busy.start();
    for (int i = 0; i < 5; ++i) team.each(2, [](std::size_t) { work(microseconds(1000)); });
    CHECK(busy.stop() == doctest::Approx(0.25).epsilon(0.05));

    // The same outside of them.
    busy.start();
    work(microseconds(5000));
    CHECK(busy.stop() == doctest::Approx(0.25).epsilon(0.05));

    // Waiting for threads is not work.
    struct Idle {
        static void run(void*, std::size_t count, void (*task)(void*, std::size_t), void* data)
        {
            work(microseconds(8000));
            for (std::size_t i = 0; i < count; ++i) task(data, i);
        }
    };
    BusyTeam idle{Team{Idle::run, nullptr, 2}};
    idle.start();
    idle.team().each(2, [](std::size_t) { work(microseconds(1000)); });
    const double share = idle.stop();
    CHECK(share > 0.0);
    CHECK(share < 0.5);  // (2 ms of 10 ms) / 2 threads is 0.1; more where the tasks were interrupted
}

TEST_CASE("tasks run once each, measured or not")
{
    ThreadPool pool{3};
    BusyTeam busy{pool.team()};
    for (const bool measured : {false, true, false}) {
        if (measured) busy.start();
        std::vector<std::atomic<int>> calls(100);
        busy.team().each(calls.size(), [&](std::size_t i) { ++calls[i]; });
        for (const auto& count : calls) CHECK(count == 1);
        if (measured) {
            const double share = busy.stop();
            CHECK(share > 0.0);
            CHECK(share <= 1.0);
        }
    }
}
