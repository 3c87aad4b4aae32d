// SPDX-License-Identifier: BSL-1.0
// Data in many files: which of a folder's files a process takes, and several datasets as one.
#pragma once

#include <tenon/core/diagnostics.hpp>
#include <tenon/data/dataset.hpp>

#include <algorithm>
#include <filesystem>

namespace tenon::inline TENON_ISA::data {

// Of `ranks` processes that share a folder's files, which one asks: it gets every ranks-th file from its own number on.
struct RankOf {
    std::size_t rank = 0;
    std::size_t ranks = 1;
};

// The paths of a folder's files whose names end like that, by name: the same order on every machine. Fails where the folder
// cannot be read or has fewer of them than there are ranks.
inline Result<std::vector<std::string>> try_list_files(const std::string& folder, const std::string& ending,
                                                       RankOf who = {})
{
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator at{folder, error};
    for (; !error && at != std::filesystem::directory_iterator{}; at.increment(error)) {
        std::string name = at->path().filename().string();
        std::error_code ignored;
        if (name.size() >= ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0 &&
            at->is_regular_file(ignored))
            names.push_back(std::move(name));
    }
    if (error) return Message{folder} << ": cannot read the folder: " << error.message();
    if (names.size() < who.ranks || who.rank >= who.ranks)
        return (Message{folder} << ": expected a file for each of " << who.ranks << " ranks, the asking one "
                                << who.rank << ", found " << names.size() << " whose names end in ")
            .quote(ending);
    std::sort(names.begin(), names.end());
    std::vector<std::string> paths;
    for (std::size_t i = who.rank; i < names.size(); i += who.ranks)
        paths.push_back((std::filesystem::path{folder} / names[i]).string());
    return paths;
}

namespace detail {

template <class D>
struct CanBeJoined {
    static constexpr bool value = !VariesByEpoch<D>;
    static_assert(!VariesByEpoch<D>,
                  "tenon: datasets that vary by epoch are not joined: join them first, then augment what they make.");
};

}  // namespace detail

// Datasets of one type, their rows one after another; made by join.
template <Dataset D>
class Joined {
public:
    using input_shape = typename D::input_shape;
    using target_type = typename D::target_type;
    static constexpr std::size_t target_size = D::target_size;

    Joined() = default;

    static Result<Joined> make(std::vector<D> parts)
    {
        Joined joined;
        std::uint64_t rows = 0;
        if constexpr (checked<detail::CanBeJoined<D>>::value) {
            std::vector<std::uint32_t> ends;
            for (const D& part : parts) {
                rows += part.size();
                if (rows > most_rows) return Message{"tenon: a dataset holds at most 4294967295 rows, found "} << rows;
                ends.push_back(static_cast<std::uint32_t>(rows));
            }
            joined.parts_ = std::make_shared<const Parts>(Parts{std::move(parts), std::move(ends)});
        }
        return joined;
    }

    std::size_t size() const { return parts_ && !parts_->ends.empty() ? parts_->ends.back() : 0; }

    auto input(std::size_t i) const requires requires(const D& d) { d.input(i); }
    {
        const std::size_t p = part_of(i);
        return parts_->of[p].input(i - begin(p));
    }
    auto label(std::size_t i) const requires requires(const D& d) { d.label(i); }
    {
        const std::size_t p = part_of(i);
        return parts_->of[p].label(i - begin(p));
    }
    auto target(std::size_t i) const requires requires(const D& d) { d.target(i); }
    {
        const std::size_t p = part_of(i);
        return parts_->of[p].target(i - begin(p));
    }
    // The most of any part.
    std::size_t classes() const requires requires(const D& d) { d.classes(); }
    {
        std::size_t most = 0;
        for (std::size_t p = 0; parts_ && p < parts_->of.size(); ++p) most = std::max(most, parts_->of[p].classes());
        return most;
    }

    // inputs: (indices, input_shape), targets: (indices, target_size), in the order of the indices. Runs of rows of one part
    // are gathered together.
    void gather(std::span<const std::uint32_t> indices, float* inputs, target_type* targets) const
    {
        static constexpr std::size_t block = 256;
        std::uint32_t rows[block];
        for (std::size_t done = 0; done < indices.size();) {
            const std::size_t p = part_of(indices[done]), from = begin(p), to = parts_->ends[p];
            std::size_t count = 0;
            for (; count < block && done + count < indices.size(); ++count) {
                const std::size_t row = indices[done + count];
                if (row < from || row >= to) break;
                rows[count] = static_cast<std::uint32_t>(row - from);
            }
            parts_->of[p].gather(std::span<const std::uint32_t>(rows, count), inputs + done * input_shape::size,
                                 targets + done * target_size);
            done += count;
        }
    }

private:
    struct Parts {
        std::vector<D> of;
        std::vector<std::uint32_t> ends;  // the rows up to each part's last one
    };

    std::size_t part_of(std::size_t row) const
    {
        return static_cast<std::size_t>(std::upper_bound(parts_->ends.begin(), parts_->ends.end(), row) -
                                        parts_->ends.begin());
    }
    std::size_t begin(std::size_t part) const { return part == 0 ? 0 : parts_->ends[part - 1]; }

    std::shared_ptr<const Parts> parts_;
};

// Datasets one after the other as one, which is empty where there are none; refused are more rows than 32 bits count.
template <Dataset D>
Result<Joined<D>> try_join(std::vector<D> parts)
{
    return Joined<D>::make(std::move(parts));
}

#if TENON_EXCEPTIONS
// As their try_ twins, throwing tenon::Error.
inline std::vector<std::string> list_files(const std::string& folder, const std::string& ending, RankOf who = {})
{
    return try_list_files(folder, ending, who).value_or_throw();
}

template <Dataset D>
Joined<D> join(std::vector<D> parts)
{
    return try_join(std::move(parts)).value_or_throw();
}
#endif

}  // namespace tenon::inline TENON_ISA::data
