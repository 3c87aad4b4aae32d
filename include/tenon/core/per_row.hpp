// SPDX-License-Identifier: BSL-1.0
// PerRow: an amount of training memory.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>

namespace tenon::inline TENON_ISA {

// A number of scalars that is linear in the rows of a batch and in the threads: row · rows + fixed + per_thread · threads.
// Both have run-time sizes, so training memory is planned in this form. `fixed` and `per_thread` are multiples of 16.
struct PerRow {
    std::size_t row = 0;
    std::size_t fixed = 0;
    std::size_t per_thread = 0;

    // `rows` rounded up to a whole number of cache lines' scalars, so that every region starts on a line.
    constexpr std::size_t scalars(std::size_t rows, std::size_t threads = 1) const
    {
        return row * padded_rows(rows) + fixed + per_thread * threads;
    }
    static constexpr std::size_t padded_rows(std::size_t rows) { return (rows + 15) / 16 * 16; }

    friend constexpr PerRow operator+(PerRow a, PerRow b)
    {
        return {a.row + b.row, a.fixed + b.fixed, a.per_thread + b.per_thread};
    }
    // An upper bound of both.
    friend constexpr PerRow max(PerRow a, PerRow b)
    {
        return {a.row > b.row ? a.row : b.row, a.fixed > b.fixed ? a.fixed : b.fixed,
                a.per_thread > b.per_thread ? a.per_thread : b.per_thread};
    }
};

}  // namespace tenon
