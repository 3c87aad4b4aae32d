// SPDX-License-Identifier: BSL-1.0
// ThreadPool: threads that wait for short pieces of work, spinning before they sleep, since waking a sleeping thread takes
// longer than most of a training step's pieces. Usable by itself.
#pragma once

#include <tenon/parallel/team.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace tenon::inline TENON_ISA {

namespace detail {

// Tells the processor that this is a waiting loop.
inline void spin_pause()
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace detail

class ThreadPool {
public:
    // `threads` in all, the calling one included; 0: as many as the machine has cores.
    explicit ThreadPool(std::size_t threads = 0)
    {
        if (threads == 0) threads = std::thread::hardware_concurrency();
        if (threads == 0) threads = 1;
        workers_.reserve(threads - 1);
        for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
    }
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ~ThreadPool()
    {
        stopping_.store(true, std::memory_order_relaxed);
        // A batch of no tasks wakes everybody.
        publish(0);
        for (std::thread& worker : workers_) worker.join();
    }

    std::size_t threads() const { return workers_.size() + 1; }

    // f(i) once for each i in [0, count), the calling thread taking part; returns when all have returned. The first
    // exception of any call is thrown again here, after the others have finished. One caller at a time.
    template <class F>
    void run(std::size_t count, F&& f)
    {
        team().each(count, f);
    }

    Team team()
    {
        return {[](void* pool, std::size_t count, void (*task)(void*, std::size_t), void* data) {
                    static_cast<ThreadPool*>(pool)->run_tasks(count, task, data);
                },
                this, threads()};
    }

private:
    using Task = void (*)(void*, std::size_t);

    // The state in one word: batch number (32 bits), tasks (16), next task (16). Taking a task is one compare-exchange that
    // can succeed for the current batch only, so that a thread which comes late cannot touch the next one's tasks.
    static constexpr std::uint64_t tasks_of(std::uint64_t state) { return state >> 16 & 0xffff; }
    static constexpr std::uint64_t next_of(std::uint64_t state) { return state & 0xffff; }
    static constexpr std::size_t most_tasks = 0xffff;

    void run_tasks(std::size_t count, Task task, void* data)
    {
        for (std::size_t first = 0; first < count; first += most_tasks) {
            const std::size_t batch = count - first < most_tasks ? count - first : most_tasks;
            task_ = task;
            data_ = data;
            first_ = first;
            finished_.store(0, std::memory_order_relaxed);
            publish(batch);
            take_tasks();
            // On a busy machine the last task may be a thread's that does not run: then it may have this one's core.
            for (int spins = 1; finished_.load(std::memory_order_acquire) != batch; ++spins) {
                detail::spin_pause();
                if (spins % 1024 == 0) std::this_thread::yield();
            }
        }
        if (failure_) {
            const std::exception_ptr failure = std::exchange(failure_, nullptr);
            failed_.clear();
#if TENON_EXCEPTIONS
            std::rethrow_exception(failure);
#endif
        }
    }

    void publish(std::size_t count)
    {
        const std::uint64_t batch = (state_.load(std::memory_order_relaxed) >> 32) + 1;
        // Either this thread sees the sleeper, or the sleeper sees the new state: both orders are of one total order.
        state_.store(batch << 32 | static_cast<std::uint64_t>(count) << 16, std::memory_order_seq_cst);
        if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
        // Between its last look at the state and its sleep a worker holds the mutex.
        { const std::lock_guard<std::mutex> lock{mutex_}; }
        wake_.notify_all();
    }

    // Until none of the current batch is left; the state that showed this.
    std::uint64_t take_tasks()
    {
        std::uint64_t state = state_.load(std::memory_order_acquire);
        while (next_of(state) < tasks_of(state)) {
            if (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire, std::memory_order_acquire))
                continue;
            call(first_ + next_of(state));
            finished_.fetch_add(1, std::memory_order_acq_rel);
            state = state_.load(std::memory_order_acquire);
        }
        return state;
    }

    void call(std::size_t i)
    {
#if TENON_EXCEPTIONS
        try {
            task_(data_, i);
        } catch (...) {
            if (!failed_.test_and_set()) failure_ = std::current_exception();
        }
#else
        task_(data_, i);
#endif
    }

    void work()
    {
        for (;;) {
            // What is waited for is a batch later than the one seen here, and the end is looked for after seeing it: nothing
            // published in between can be missed.
            const std::uint64_t seen = take_tasks() >> 32;
            if (stopping_.load(std::memory_order_relaxed)) return;
            if (!spin_until_after(seen)) sleep_until_after(seen);
        }
    }

    bool spin_until_after(std::uint64_t seen) const
    {
        using Clock = std::chrono::steady_clock;
        // About the longest pause between two pieces of a training step.
        constexpr auto patience = std::chrono::microseconds(200);
        const auto start = Clock::now();
        for (int round = 1; Clock::now() - start < patience; ++round) {
            for (int i = 0; i < 64; ++i) {
                if (state_.load(std::memory_order_acquire) >> 32 != seen) return true;
                detail::spin_pause();
            }
            if (round % 16 == 0) std::this_thread::yield();
        }
        return false;
    }

    void sleep_until_after(std::uint64_t seen)
    {
        std::unique_lock<std::mutex> lock{mutex_};
        sleepers_.fetch_add(1, std::memory_order_seq_cst);
        wake_.wait(lock, [&] { return state_.load(std::memory_order_seq_cst) >> 32 != seen; });
        sleepers_.fetch_sub(1, std::memory_order_relaxed);
    }

    std::atomic<std::uint64_t> state_{0};
    std::atomic<std::size_t> finished_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> sleepers_{0};
    std::mutex mutex_;
    std::condition_variable wake_;
    Task task_ = nullptr;
    void* data_ = nullptr;
    std::size_t first_ = 0;
    std::atomic_flag failed_ = ATOMIC_FLAG_INIT;
    std::exception_ptr failure_;
    std::vector<std::thread> workers_;
};

}  // namespace tenon
