// SPDX-License-Identifier: BSL-1.0
// Team: the handle through which passes split their work over threads. A ThreadPool gives one; so does anybody who brings
// threads of their own. Without a team everything runs on the calling thread, with the same bits.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>
#include <type_traits>

namespace tenon::inline TENON_ISA {

// `run` calls task(data, i) once for each i in [0, count), on any threads, and returns when all calls have returned.
struct Team {
    void (*run)(void* pool, std::size_t count, void (*task)(void* data, std::size_t i), void* data) = nullptr;
    void* pool = nullptr;
    std::size_t threads = 1;

    // f(i) for each i in [0, count).
    template <class F>
    void each(std::size_t count, F&& f) const
    {
        if (threads <= 1 || count <= 1) {
            for (std::size_t i = 0; i < count; ++i) f(i);
            return;
        }
        run(
            pool, count, [](void* data, std::size_t i) { (*static_cast<std::remove_reference_t<F>*>(data))(i); },
            const_cast<void*>(static_cast<const void*>(&f)));
    }

    // f(begin, end) for nearly equal parts of [0, size), each of at least `least`, bounds at multiples of `step`.
    template <class F>
    void split(std::size_t size, std::size_t least, std::size_t step, F&& f) const
    {
        const std::size_t steps = (size + step - 1) / step;
        std::size_t parts = threads;
        if (parts > size / least) parts = size / least;
        if (parts > steps) parts = steps;
        if (parts <= 1) {
            if (size > 0) f(std::size_t{0}, size);
            return;
        }
        each(parts, [&](std::size_t i) {
            const std::size_t begin = steps * i / parts * step, end = steps * (i + 1) / parts * step;
            f(begin, end < size ? end : size);
        });
    }
};

// Rows that one thread should take at least: a call with a single row may sum in another order than one with several, so
// parts are never that small.
inline constexpr std::size_t least_rows = 8;

}  // namespace tenon
