// SPDX-License-Identifier: BSL-1.0
// Buffers and random numbers that all contestants share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

namespace contest {

// 64-byte aligned storage, so that no contestant is handicapped by where its buffer happens to lie.
template <class T>
struct AlignedAllocator {
    using value_type = T;
    AlignedAllocator() = default;
    template <class U>
    AlignedAllocator(const AlignedAllocator<U>&)
    {}
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64})); }
    void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{64}); }
    template <class U>
    bool operator==(const AlignedAllocator<U>&) const
    {
        return true;
    }
    template <class U>
    bool operator!=(const AlignedAllocator<U>&) const
    {
        return false;
    }
};
using Buffer = std::vector<float, AlignedAllocator<float>>;

// SplitMix64 (Steele, Lea & Flood 2014), uniform in [-1, 1).
class Uniform {
public:
    explicit Uniform(std::uint64_t seed) : state_(seed) {}
    float operator()()
    {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return static_cast<float>(static_cast<double>((z ^ (z >> 31)) >> 40) * 0x1p-23 - 1.0);
    }

private:
    std::uint64_t state_;
};

}  // namespace contest
