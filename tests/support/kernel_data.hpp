// SPDX-License-Identifier: BSL-1.0
// What tests of kernels share: random inputs, buffers whose surroundings are watched, sizes, a call for every type and width.
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace support {

// n values between two rows of canaries, on a heap block of its own, so that AddressSanitizer sees what canaries miss.
// `shift` moves the values off their alignment.
template <class T>
class Guarded {
public:
    explicit Guarded(std::size_t n, std::size_t shift = 0)
        : size_(n), shift_(shift % canaries), block_(new T[n + 2 * canaries])
    {
        for (std::size_t i = 0; i < n + 2 * canaries; ++i) block_[i] = canary(i);
    }

    T* data() { return block_.get() + canaries - shift_; }
    const T* data() const { return block_.get() + canaries - shift_; }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t i) { return data()[i]; }
    const T& operator[](std::size_t i) const { return data()[i]; }
    T* begin() { return data(); }
    T* end() { return data() + size_; }

    bool intact() const
    {
        const std::size_t first = canaries - shift_;
        for (std::size_t i = 0; i < size_ + 2 * canaries; ++i)
            if ((i < first || i >= first + size_) && block_[i] != canary(i)) return false;
        return true;
    }

private:
    static constexpr std::size_t canaries = 40;
    static T canary(std::size_t i) { return static_cast<T>(100 + i % 50); }

    std::size_t size_, shift_;
    std::unique_ptr<T[]> block_;
};

// Exactly n values without anything around them: AddressSanitizer reports the first read or write outside.
template <class T>
std::unique_ptr<T[]> exact(const Guarded<T>& values)
{
    std::unique_ptr<T[]> copy{new T[values.size()]};
    for (std::size_t i = 0; i < values.size(); ++i) copy[i] = values[i];
    return copy;
}

// Values uniform in [low, high), the same for the same stream.
template <class T>
Guarded<T> random_values(std::size_t n, double low, double high, std::uint64_t stream)
{
    Guarded<T> values(n, stream);
    tenon::Random random{tenon::Seed{2024}, stream};
    for (T& value : values) value = static_cast<T>(low + (high - low) * random.uniform());
    return values;
}

// Twins are computed in long double: on x86 it has 11 bits more than double.
using Exact = long double;

template <class T>
std::vector<Exact> as_exact(const Guarded<T>& values)
{
    return {values.data(), values.data() + values.size()};
}

// f<W>() for every pack width that the target has.
template <class T, class F>
void for_each_width(F f)
{
    if constexpr (tenon::simd::has_width<T, 16>) f.template operator()<16>();
    if constexpr (tenon::simd::has_width<T, 8>) f.template operator()<8>();
    if constexpr (tenon::simd::has_width<T, 4>) f.template operator()<4>();
    if constexpr (tenon::simd::has_width<T, 2>) f.template operator()<2>();
    f.template operator()<1>();
}

// f<W>() for the widest pack and for one lane: where the code of a width is the same as that of the next.
template <class T, class F>
void for_widest_and_one(F f)
{
    if constexpr ((tenon::simd::width<T>) > 1) f.template operator()<tenon::simd::width<T>>();
    f.template operator()<1>();
}

// f<N>() for the sizes that find off-by-one mistakes: 1 to 65, 783 and 785.
template <class F>
void for_each_size(F f)
{
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f.template operator()<I + 1>(), ...); }
    (std::make_index_sequence<65>{});
    f.template operator()<783>();
    f.template operator()<785>();
}

}  // namespace support
