// SPDX-License-Identifier: BSL-1.0
// AlignedBuffer: a zero-initialised heap block on a cache-line boundary, for hosted code. Firmware brings its own memory.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace tenon::inline TENON_ISA {

// Bytes.
inline constexpr std::size_t cache_line = 64;

// Owns `size` scalars of a trivial type, 64-byte aligned, all bits zero. Copies deeply, moves by pointer.
template <class T>
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t size) : data_{allocate(size)}, size_{size} { clear(); }
    AlignedBuffer(const AlignedBuffer& other) : data_{allocate(other.size_)}, size_{other.size_}
    {
        if (size_ != 0) std::memcpy(data_, other.data_, size_ * sizeof(T));
    }
    AlignedBuffer(AlignedBuffer&& other) noexcept
        : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)}
    {}
    AlignedBuffer& operator=(AlignedBuffer other) noexcept
    {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~AlignedBuffer()
    {
        if (data_ != nullptr) ::operator delete (data_, std::align_val_t{cache_line});
    }

    void clear()
    {
        if (size_ != 0) std::memset(data_, 0, size_ * sizeof(T));
    }
    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }

private:
    static T* allocate(std::size_t size)
    {
        if (size == 0) return nullptr;
        return static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{cache_line}));
    }

    T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace tenon
