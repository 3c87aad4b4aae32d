// SPDX-License-Identifier: BSL-1.0
// BusyTeam: a team around a team, that can tell which share of their time its threads worked.
#pragma once

#include <tenon/parallel/team.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tenon::inline TENON_ISA {

// Waiting threads spin, so that the system shows all of them busy: what tells is the time within tasks. Two looks at
// the clock per task while it measures, one more call per batch of tasks while it does not.
class BusyTeam {
public:
    explicit BusyTeam(Team inner) : inner_{inner} {}
    BusyTeam(const BusyTeam&) = delete;
    BusyTeam& operator=(const BusyTeam&) = delete;

    Team team()
    {
        return {[](void* self, std::size_t count, void (*task)(void*, std::size_t), void* data) {
                    static_cast<BusyTeam*>(self)->run(count, task, data);
                },
                this, inner_.threads};
    }

    void start()
    {
        for (Slot& slot : tasks_) slot.time.store(0, std::memory_order_relaxed);
        shared_ = 0;
        measures_ = true;
        start_ = now();
    }
    // (time within tasks + time of the calling thread outside of them) / (threads · time since start()), in [0, 1].
    double stop()
    {
        const std::int64_t elapsed = now() - start_;
        measures_ = false;
        std::int64_t busy = elapsed - shared_;
        for (const Slot& slot : tasks_) busy += slot.time.load(std::memory_order_relaxed);
        const double share = elapsed <= 0 ? 1.0
                                          : static_cast<double>(busy) /
                                                (static_cast<double>(elapsed) * static_cast<double>(inner_.threads));
        return share < 1.0 ? share : 1.0;
    }

private:
    static std::int64_t now()
    {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }

    struct Call {
        BusyTeam* self;
        void (*task)(void*, std::size_t);
        void* data;
    };

    void run(std::size_t count, void (*task)(void*, std::size_t), void* data)
    {
        if (!measures_) return inner_.run(inner_.pool, count, task, data);
        Call call{this, task, data};
        const std::int64_t begin = now();
        inner_.run(
            inner_.pool, count,
            [](void* of, std::size_t i) {
                const Call& own = *static_cast<Call*>(of);
                const std::int64_t task_begin = now();
                own.task(own.data, i);
                own.self->tasks_[i % slots].time.fetch_add(now() - task_begin, std::memory_order_relaxed);
            },
            &call);
        shared_ += now() - begin;
    }

    // Tasks of one batch seldom share a cache line.
    static constexpr std::size_t slots = 16;
    struct alignas(64) Slot {
        std::atomic<std::int64_t> time{0};
    };

    Team inner_;
    bool measures_ = false;
    std::int64_t start_ = 0;
    std::int64_t shared_ = 0;  // time in run()
    Slot tasks_[slots];
};

}  // namespace tenon
