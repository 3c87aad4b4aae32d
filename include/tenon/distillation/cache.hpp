// SPDX-License-Identifier: BSL-1.0
// Cache: a teacher's outputs, computed once for each input.
#pragma once

#include <tenon/distillation/teacher.hpp>

#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

// 128 bits of a row's bytes and of a number: among a million rows two are taken for one with a
// probability below 10^-7.
struct RowKey {
    std::uint64_t first, second;

    friend bool operator==(const RowKey&, const RowKey&) = default;

    struct Hash {
        std::size_t operator()(const RowKey& key) const { return static_cast<std::size_t>(key.first); }
    };
};

// splitmix64's finaliser.
constexpr std::uint64_t mix(std::uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// Eight chains of multiplications, so that none waits for another; both halves of the key are made of all of them.
inline RowKey key_of_row(const void* row, std::size_t bytes, std::uint64_t number)
{
    constexpr std::size_t lanes = 8;
    std::uint64_t state[lanes], words[lanes];
    for (std::size_t i = 0; i < lanes; ++i) state[i] = mix(number + i + 1);
    const auto add = [&] {
        for (std::size_t i = 0; i < lanes; ++i) {
            const std::uint64_t z = (state[i] ^ words[i]) * 0x9e3779b97f4a7c15u;
            state[i] = z ^ (z >> 32);
        }
    };
    // Copies of a constant size are loads; a call for each block took four times as long.
    const auto* p = static_cast<const unsigned char*>(row);
    std::size_t left = bytes;
    for (; left >= sizeof words; left -= sizeof words, p += sizeof words) {
        std::memcpy(words, p, sizeof words);
        add();
    }
    if (left != 0) {
        std::memset(words, 0, sizeof words);
        std::memcpy(words, p, left);
        add();
    }
    RowKey key{mix(bytes), mix(number ^ bytes)};
    for (std::size_t i = 0; i < lanes; ++i) {
        key.first = mix(key.first ^ state[i]);
        key.second = mix(key.second + 0x9e3779b97f4a7c15u * state[i]);
    }
    return key;
}

}  // namespace detail

// A teacher that remembers: Cache cache{teacher}; Objective{cache, …}. Outputs are found by the content of the row, so that
// shuffling, validation sets and augmentation are right without further ado: a row that was never seen runs the teacher.
// With random augmentation most rows are new, and the cache only costs memory. Holds `most_rows` rows at most (each its
// outputs and some 60 bytes); beyond, new rows are computed and forgotten. The teacher's weights must not change, or else:
// clear(). One cache serves any number of objectives and threads, and must outlive them; a row's outputs have the same bits
// in whatever batch it comes.
template <class Teacher>
class Cache {
public:
    using scalar = typename Teacher::scalar;
    using input_shape = typename Teacher::input_shape;
    using output_shape = typename Teacher::output_shape;
    static constexpr bool valid = Teacher::valid;

    explicit Cache(Teacher teacher, std::size_t most_rows = std::size_t{1} << 20) : teacher_{teacher}, most_{most_rows}
    {}
    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;

    // Rows that are kept.
    std::size_t size() const
    {
        const std::lock_guard lock{mutex_};
        return places_.size();
    }

    void clear()
    {
        const std::lock_guard lock{mutex_};
        places_.clear();
        outputs_.clear();
    }

    template <class Loss>
    void outputs(std::size_t rows, const scalar* inputs, scalar* y, const Team& team) const
    {
        constexpr std::size_t in = input_shape::size, out = output_shape::size;
        // With and without its last layer a teacher gives different outputs.
        constexpr std::uint64_t kind = (absorbs<Loss, Softmax>() ? 1 : 0) + (absorbs<Loss, LogSoftmax>() ? 2 : 0) +
                                       (absorbs<Loss, Sigmoid>() ? 4 : 0);
        std::vector<detail::RowKey> keys(rows);
        team.split(rows, least_rows, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t r = begin; r < end; ++r)
                keys[r] = detail::key_of_row(inputs + r * in, in * sizeof(scalar), kind);
        });
        std::vector<std::size_t> missing;
        {
            const std::lock_guard lock{mutex_};
            for (std::size_t r = 0; r < rows; ++r) {
                const auto found = places_.find(keys[r]);
                if (found == places_.end())
                    missing.push_back(r);
                else
                    kernels::copy(out, outputs_.data() + found->second, y + r * out);
            }
        }
        if (missing.empty()) return;

        // A row alone may be summed in another order: it comes twice.
        const std::size_t count = missing.size() == 1 ? 2 : missing.size();
        detail::Scratch<scalar> memory{count * (in + out)};
        scalar *x = memory.data(), *computed = x + count * in;
        for (std::size_t i = 0; i < count; ++i)
            kernels::copy(in, inputs + missing[i < missing.size() ? i : 0] * in, x + i * in);
        teacher_.template outputs<Loss>(count, x, computed, team);
        const std::lock_guard lock{mutex_};
        for (std::size_t i = 0; i < missing.size(); ++i) {
            kernels::copy(out, computed + i * out, y + missing[i] * out);
            if (places_.size() < most_ && places_.try_emplace(keys[missing[i]], outputs_.size()).second)
                outputs_.insert(outputs_.end(), computed + i * out, computed + (i + 1) * out);
        }
    }

private:
    Teacher teacher_;
    std::size_t most_;
    mutable std::mutex mutex_;
    mutable std::unordered_map<detail::RowKey, std::size_t, detail::RowKey::Hash> places_;
    mutable std::vector<scalar> outputs_;
};
template <class Net, class P>
Cache(const Model<Net, P>&) -> Cache<ModelTeacher<Net, P>>;
template <class Net, class P>
Cache(const Model<Net, P>&, std::size_t) -> Cache<ModelTeacher<Net, P>>;

// A cache as an objective holds it.
template <class Teacher>
class CachedTeacher {
public:
    using scalar = typename Teacher::scalar;
    using input_shape = typename Teacher::input_shape;
    using output_shape = typename Teacher::output_shape;
    static constexpr bool valid = Teacher::valid;

    // NOLINTNEXTLINE(google-explicit-constructor): a cache is a teacher
    CachedTeacher(const Cache<Teacher>& cache) : cache_{&cache} {}
    CachedTeacher(const Cache<Teacher>&&) = delete;

    template <class Loss>
    void outputs(std::size_t rows, const scalar* inputs, scalar* y, const Team& team) const
    {
        cache_->template outputs<Loss>(rows, inputs, y, team);
    }

private:
    const Cache<Teacher>* cache_;
};

}  // namespace tenon::inline TENON_ISA::distillation
