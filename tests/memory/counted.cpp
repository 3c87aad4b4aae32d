// SPDX-License-Identifier: BSL-1.0
#include "counted.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> live_bytes{0}, peak_bytes{0};
thread_local long countdown = -1;
thread_local bool has_failed = false;

// In front of each block: its size and its start, at the block's own alignment.
struct Prefix {
    std::size_t size;
    void* start;
};

void* allocate(std::size_t size, std::size_t alignment)
{
    if (countdown >= 0 && countdown-- == 0) {
        has_failed = true;
        return nullptr;
    }
    void* start = std::malloc(size + alignment + sizeof(Prefix));
    if (start == nullptr) return nullptr;
    const auto address = reinterpret_cast<std::uintptr_t>(start) + sizeof(Prefix) + alignment - 1;
    auto* block = reinterpret_cast<Prefix*>(address / alignment * alignment);
    block[-1] = {size, start};
    const std::size_t now = live_bytes += size;
    for (std::size_t seen = peak_bytes; seen < now && !peak_bytes.compare_exchange_weak(seen, now);) {
    }
    return block;
}

void release(void* pointer)
{
    if (pointer == nullptr) return;
    const Prefix prefix = static_cast<Prefix*>(pointer)[-1];
    live_bytes -= prefix.size;
    std::free(prefix.start);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment)
{
    if (void* block = allocate(size, alignment)) return block;
    throw std::bad_alloc{};
}

}  // namespace

namespace counted {

std::size_t live() { return live_bytes; }
std::size_t peak() { return peak_bytes; }
void reset_peak() { peak_bytes = live_bytes.load(); }
void fail_at(long nth)
{
    countdown = nth;
    if (nth >= 0) has_failed = false;
}
bool failed() { return has_failed; }

}  // namespace counted

void* operator new(std::size_t size) { return allocate_or_throw(size, alignof(std::max_align_t)); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment)
{
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment)
{
    return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    return allocate(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept
{
    return allocate(size, alignof(std::max_align_t));
}
void operator delete(void* pointer) noexcept { release(pointer); }
void operator delete[](void* pointer) noexcept { release(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { release(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { release(pointer); }
void operator delete(void* pointer, std::align_val_t) noexcept { release(pointer); }
void operator delete[](void* pointer, std::align_val_t) noexcept { release(pointer); }
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept { release(pointer); }
void operator delete[](void* pointer, std::size_t, std::align_val_t) noexcept { release(pointer); }
void operator delete(void* pointer, const std::nothrow_t&) noexcept { release(pointer); }
void operator delete[](void* pointer, const std::nothrow_t&) noexcept { release(pointer); }

TEST_CASE("counted: the counting heap counts and fails on time")
{
    // By the function, not by a new-expression, which a compiler may leave out.
    const std::size_t before = counted::live();
    counted::reset_peak();
    void* block = ::operator new(1000);
    const std::size_t during = counted::live();
    ::operator delete(block);
    const std::size_t after = counted::live(), peak = counted::peak();
    CHECK(during == before + 1000);
    CHECK(after == before);
    CHECK(peak >= before + 1000);
    counted::fail_at(1);
    void* first = nullptr;
    void* second = nullptr;
    bool thrown = false;
    try {
        first = ::operator new(1);
        second = ::operator new(1);
    } catch (const std::bad_alloc&) {
        thrown = true;
    }
    counted::fail_at(-1);
    CHECK(thrown);
    CHECK(first != nullptr);
    ::operator delete(first);
    ::operator delete(second);
}
