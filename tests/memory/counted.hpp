// SPDX-License-Identifier: BSL-1.0
// A heap that counts: bytes live and at their peak, and a failure at the n-th allocation. In a program of its own, since
// operator new is replaced for all of it.
#pragma once

#include <cstddef>

namespace counted {

// Bytes that are allocated now, and the most there were since reset_peak().
std::size_t live();
std::size_t peak();
void reset_peak();

// The n-th allocation from now (0: the next) throws std::bad_alloc; negative: none does. Counts in this thread only.
void fail_at(long nth);
// Whether it has, since the last n from 0.
bool failed();

}  // namespace counted
