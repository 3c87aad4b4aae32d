// SPDX-License-Identifier: BSL-1.0
// A contest: several contestants solve the same case in one process, and their time slices alternate.
// Every contestant registers itself from its own translation unit, so a peer that is not installed only drops its rows.
//
// Contestants live in namespaces with names of their own (contest::with_eigen): g++ 12 gives a function template with a
// template from an unnamed namespace as its argument external linkage, and the linker then runs one contestant for all.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <string>

namespace contest {

enum class Role {
    tenon,  // ours
    peer,   // the ratio is taken against the fastest of these
    raw,    // a plain loop, shown for comparison only
    limit,  // what the machine can do: the percentage of tenon is taken against it
};

// What a table row shows: time per iteration, or items (as set by State::SetItemsProcessed) per second.
enum class Show { time, samples, flops };

// What is measured: the calling thread's processor time, which other programs hardly disturb, or, where several threads
// work for it, the time that passes.
enum class Clock { cpu, wall };

struct Entry {
    std::string group_and_case;  // "gemm/64x64x64"
    std::string contestant;      // "openblas"
    Role role = Role::peer;
    Show show = Show::time;
    Clock clock = Clock::cpu;  // the same for all contestants of a case
};

// Registers the benchmark "group/case/contestant". `body` prepares, checks its own result, and then times.
bool add(Entry entry, std::function<void(benchmark::State&)> body);

// Adds one line to the head of the report: a peer's version and the settings it runs with.
bool describe(const std::string& contestant, const std::string& version_and_settings);

// The largest |got - expected| / max(1, |expected|) over n values; infinity when a value is not finite.
double worst_error(const float* got, const double* expected, std::size_t n);

// Checks a result against the float64 reference; on failure the contestant is reported as failed and not timed.
bool check(benchmark::State& state, const float* got, const double* expected, std::size_t n, double tolerance = 1e-4);

// Makes the compiler forget what it knows about a pointer and about memory. benchmark::DoNotOptimize(pointer) is not
// used: up to version 1.7 its "+m,r" constraint lets g++ 12 lose the value.
template <class T>
inline void forget(T*& pointer)
{
    asm volatile("" : "+r"(pointer) : : "memory");
}

}  // namespace contest
