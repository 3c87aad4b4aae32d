// SPDX-License-Identifier: BSL-1.0
// threads/handover: giving each of two threads one task, and waiting for both, while the pool is hot. The tasks wait for each
// other, so that one thread cannot do both. Beside it the same with a condition variable, as a pool that does not spin does it.
#include "../../support/contest.hpp"

#include <tenon/parallel/thread_pool.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace contest::with_tenon {

const bool enlisted = add({"threads/handover", "tenon", Role::tenon, Show::time, Clock::wall},
                          [](benchmark::State& state) {
                              tenon::ThreadPool pool{2};
                              std::atomic<int> ran{0};
                              int both = 0;
                              for ([[maybe_unused]] auto _ : state) {
                                  both += 2;
                                  pool.run(2, [&](std::size_t) {
                                      ran.fetch_add(1, std::memory_order_relaxed);
                                      while (ran.load(std::memory_order_relaxed) < both) tenon::detail::spin_pause();
                                  });
                              }
                              if (ran != 2 * static_cast<int>(state.iterations()))
                                  state.SkipWithError("tasks were lost");
                          });

}  // namespace contest::with_tenon

namespace contest::with_condition_variable {

class Pool {
public:
    Pool() : worker_{[this] { work(); }} {}
    ~Pool()
    {
        hand_over(end);
        worker_.join();
    }

    template <class F>
    void run_both(F f)
    {
        hand_over(task);
        f();
        std::unique_lock<std::mutex> lock{mutex_};
        changed_.wait(lock, [&] { return state_ == idle; });
    }

    std::atomic<int> ran{0};

private:
    enum State { idle, task, end };

    void hand_over(State state)
    {
        {
            const std::lock_guard<std::mutex> lock{mutex_};
            state_ = state;
        }
        changed_.notify_one();
    }

    void work()
    {
        std::unique_lock<std::mutex> lock{mutex_};
        for (;;) {
            changed_.wait(lock, [&] { return state_ != idle; });
            if (state_ == end) return;
            ran.fetch_add(1, std::memory_order_relaxed);
            state_ = idle;
            changed_.notify_one();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    State state_ = idle;
    std::thread worker_;
};

const bool enlisted = add({"threads/handover", "condition-variable", Role::peer, Show::time, Clock::wall},
                          [](benchmark::State& state) {
                              Pool pool;
                              for ([[maybe_unused]] auto _ : state)
                                  pool.run_both([&] { pool.ran.fetch_add(1, std::memory_order_relaxed); });
                              if (pool.ran != 2 * static_cast<int>(state.iterations()))
                                  state.SkipWithError("tasks were lost");
                          });

}  // namespace contest::with_condition_variable
