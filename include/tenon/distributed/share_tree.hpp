// SPDX-License-Identifier: BSL-1.0
// A sum over the shares of a batch that has the same bits whoever computes which of them: additions follow a binary
// tree over the shares' numbers, fixed by their count alone. A range of shares is cut after its largest power of two, so
// that 2, 4, 8 ranks with equal parts each hold one subtree, and send one block.
#pragma once

#include <tenon/core/storage.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace tenon::inline TENON_ISA::distributed {

// Shares [begin, end).
struct ShareRange {
    std::size_t begin;
    std::size_t end;

    std::size_t size() const { return end - begin; }
    friend bool operator==(ShareRange, ShareRange) = default;
};

// The binary tree by which the sums of shares are added: the same whatever rank holds them.
class ShareTree {
public:
    ShareTree(std::size_t shares, std::size_t ranks) : shares_{shares}, ranks_{ranks} {}

    // The shares of a rank: numbers that differ by at most one from rank to rank.
    ShareRange of_rank(std::size_t rank) const { return {shares_ * rank / ranks_, shares_ * (rank + 1) / ranks_}; }

    // Where a range of the tree is cut.
    static std::size_t cut(ShareRange range)
    {
        std::size_t left = 1;
        while (left * 2 < range.size()) left *= 2;
        return range.begin + left;
    }

    // The largest ranges of the tree that lie within a rank's shares, in order: what it can add up alone.
    std::vector<ShareRange> parts(std::size_t rank) const
    {
        std::vector<ShareRange> found;
        collect({0, shares_}, of_rank(rank), found);
        return found;
    }

    // Whether two neighbours are the halves of a range of the tree.
    bool siblings(ShareRange left, ShareRange right) const
    {
        ShareRange range{0, shares_};
        while (range.size() > 1) {
            const std::size_t middle = cut(range);
            if (left == ShareRange{range.begin, middle} && right == ShareRange{middle, range.end}) return true;
            range = right.end <= middle ? ShareRange{range.begin, middle} : ShareRange{middle, range.end};
            if (left.begin < range.begin || right.end > range.end) return false;
        }
        return false;
    }

    // The whole sum of values[0, count): part(range) is the block of a range that somebody has added up, or null. Blocks
    // are written over; the one returned holds the sum.
    template <class T, class Part>
    T* add(std::size_t count, Part&& part) const
    {
        return add<T>({0, shares_}, count, part);
    }

private:
    static void collect(ShareRange range, ShareRange within, std::vector<ShareRange>& found)
    {
        if (range.end <= within.begin || within.end <= range.begin) return;
        if (within.begin <= range.begin && range.end <= within.end) return found.push_back(range);
        const std::size_t middle = cut(range);
        collect({range.begin, middle}, within, found);
        collect({middle, range.end}, within, found);
    }

    template <class T, class Part>
    static T* add(ShareRange range, std::size_t count, Part& part)
    {
        if (T* block = part(range); block != nullptr) return block;
        const std::size_t middle = cut(range);
        T* left = add<T>({range.begin, middle}, count, part);
        const T* right = add<T>({middle, range.end}, count, part);
        for (std::size_t i = 0; i < count; ++i) left[i] += right[i];
        return left;
    }

    std::size_t shares_;
    std::size_t ranks_;
};

// The sums of one rank's shares, put in one after the other: as few blocks as the tree allows, about log2(shares) at a
// time.
template <class T>
class ShareSums {
public:
    // The sum over a range of shares.
    struct Sum {
        ShareRange range;
        AlignedBuffer<T> block;
    };

    void add(const ShareTree& tree, std::size_t share, const T* values, std::size_t count)
    {
        if (used_ == sums_.size()) sums_.push_back({{0, 0}, AlignedBuffer<T>{count}});
        Sum& next = sums_[used_++];
        next.range = {share, share + 1};
        for (std::size_t i = 0; i < count; ++i) next.block[i] = values[i];
        while (used_ > 1 && tree.siblings(sums_[used_ - 2].range, sums_[used_ - 1].range)) {
            Sum& left = sums_[used_ - 2];
            const Sum& right = sums_[used_ - 1];
            for (std::size_t i = 0; i < count; ++i) left.block[i] += right.block[i];
            left.range.end = right.range.end;
            --used_;
        }
    }

    std::size_t size() const { return used_; }
    Sum& operator[](std::size_t i) { return sums_[i]; }
    void clear() { used_ = 0; }

private:
    std::vector<Sum> sums_;
    std::size_t used_ = 0;
};

}  // namespace tenon::inline TENON_ISA::distributed
