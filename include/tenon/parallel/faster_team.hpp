// SPDX-License-Identifier: BSL-1.0
// FasterTeam: a team around a team, that leaves work to the calling thread alone where that turns out to be faster.
#pragma once

#include <tenon/parallel/team.hpp>

#include <chrono>
#include <cstdint>
#include <limits>

namespace tenon::inline TENON_ISA {

// Two cores may lie near each other or far apart (on one die or on two, as a hypervisor likes), and what a hand-over takes decides
// whether small tasks are worth one. Only time tells: eight units of work together, eight alone, then the better way for a
// thousand; and again, since a hypervisor may think again. The parts that work is split into stay the same.
class FasterTeam {
public:
    explicit FasterTeam(Team inner) : inner_{inner} {}
    FasterTeam(const FasterTeam&) = delete;
    FasterTeam& operator=(const FasterTeam&) = delete;

    Team team()
    {
        return {[](void* self, std::size_t count, void (*task)(void*, std::size_t), void* data) {
                    static_cast<FasterTeam*>(self)->run(count, task, data);
                },
                this, inner_.threads};
    }

    // The threads themselves, for work that is large.
    Team all() const { return inner_; }

    // Around a unit of work that comes again and again, such as a training step of `size` rows.
    void start() { begin_ = clock::now(); }
    void stop(std::size_t size)
    {
        const double own = std::chrono::duration<double>(clock::now() - begin_).count() / static_cast<double>(size);
        double& least = alone_ ? least_alone_ : least_together_;
        if (own < least) least = own;
        ++units_;
        if (units_ == trial) {
            alone_ = true;
        } else if (units_ == 2 * trial) {
            alone_ = least_alone_ < least_together_;
        } else if (units_ == period) {
            units_ = 0;
            alone_ = false;
            least_together_ = least_alone_ = std::numeric_limits<double>::infinity();
        }
    }

    // Whether work is left to the calling thread now.
    bool alone() const { return alone_; }

    static constexpr std::uint32_t trial = 8, period = 1024;

private:
    using clock = std::chrono::steady_clock;

    void run(std::size_t count, void (*task)(void*, std::size_t), void* data) const
    {
        if (!alone_) return inner_.run(inner_.pool, count, task, data);
        for (std::size_t i = 0; i < count; ++i) task(data, i);
    }

    Team inner_;
    bool alone_ = false;
    std::uint32_t units_ = 0;
    double least_together_ = std::numeric_limits<double>::infinity();
    double least_alone_ = std::numeric_limits<double>::infinity();
    clock::time_point begin_{};
};

}  // namespace tenon
