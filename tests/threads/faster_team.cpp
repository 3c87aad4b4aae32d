// SPDX-License-Identifier: BSL-1.0
// Whether work is left to one thread, on threads whose times are known.
#include <tenon/parallel/faster_team.hpp>
#include <tenon/parallel/thread_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

using namespace tenon;

namespace {

void wait(int microseconds) { std::this_thread::sleep_for(std::chrono::microseconds(microseconds)); }

// Runs everything on the caller, after a hand-over of a millisecond.
Team far_away()
{
    return {[](void*, std::size_t count, void (*task)(void*, std::size_t), void* data) {
                wait(1000);
                for (std::size_t i = 0; i < count; ++i) task(data, i);
            },
            nullptr, 4};
}

}  // namespace

TEST_CASE("hand-overs that take too long are given up, and tried again")
{
    FasterTeam team{far_away()};
    std::uint32_t tasks = 0;
    for (std::uint32_t unit = 0; unit < FasterTeam::period; ++unit) {
        CHECK(team.alone() == (unit >= FasterTeam::trial));
        team.start();
        team.team().each(4, [&](std::size_t) { ++tasks; });
        team.stop(32);
    }
    CHECK(tasks == 4 * FasterTeam::period);
    CHECK_FALSE(team.alone());
}

TEST_CASE("threads that help are kept")
{
    ThreadPool pool{4};
    FasterTeam team{pool.team()};
    CHECK(team.team().threads == 4);
    std::atomic<std::uint32_t> tasks{0};
    for (std::uint32_t unit = 0; unit < 3 * FasterTeam::trial; ++unit) {
        team.start();
        team.team().each(4, [&](std::size_t) {
            wait(1000);
            ++tasks;
        });
        team.stop(32);
    }
    CHECK(tasks == 4 * 3 * FasterTeam::trial);
    CHECK_FALSE(team.alone());
}

TEST_CASE("a unit of work counts by its size")
{
    FasterTeam team{far_away()};
    const auto unit = [&](std::size_t size) {
        team.start();
        team.team().each(2, [](std::size_t) {});
        if (team.alone()) wait(2000);
        team.stop(size);
    };
    for (std::uint32_t i = 0; i < FasterTeam::trial; ++i) unit(1);
    // Twice the time for a hundred times the work.
    for (std::uint32_t i = 0; i < FasterTeam::trial; ++i) unit(100);
    CHECK(team.alone());
}

TEST_CASE("an exception of a task that is left to the caller reaches it")
{
    FasterTeam team{far_away()};
    for (std::uint32_t i = 0; i < FasterTeam::trial; ++i) {
        team.start();
        team.team().each(2, [](std::size_t) {});
        team.stop(1);
    }
    REQUIRE(team.alone());
    CHECK_THROWS_AS(team.team().each(2, [](std::size_t) { throw std::runtime_error("full"); }), std::runtime_error);
}
