// SPDX-License-Identifier: BSL-1.0
// Training in several processes, as the Trainer sees it. A modifier with `exchanges = true` connects its Trainer with
// those of other processes (ranks), which train the same model: each takes its shares of a step's rows, the gradients of
// all shares are added up, and every rank makes the same optimiser step. distributed/mpi.hpp has one; Alone stands in
// where there is none, and shows what an exchange consists of.
#pragma once

#include <tenon/config.hpp>
#include <tenon/core/diagnostics.hpp>
#include <tenon/network/slot_table.hpp>
#include <tenon/training/run.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenon::inline TENON_ISA {

// Called by the backward pass: count gradients at `begin` have got their final values.
struct GradientsReady {
    void (*tell)(void* exchange, void* begin, std::size_t count) = nullptr;
    void* exchange = nullptr;
};

// One process: nothing to exchange.
struct Alone {
    static constexpr bool exchanges = false;

    static constexpr std::size_t rank() { return 0; }
    static constexpr std::size_t ranks() { return 1; }
    // Each rank's dataset holds rows of its own. Otherwise all of them hold all rows.
    static constexpr bool own_rows() { return false; }
    // Each batch is cut into that many shares; those of this rank are [first_share, end_share).
    static constexpr std::size_t shares() { return 1; }
    static constexpr std::size_t first_share() { return 0; }
    static constexpr std::size_t end_share() { return 1; }

    // values[i]: its sum over all ranks. Where only one of them has something other than zero the sum is exact.
    static void sum(double*, std::size_t) {}
    // Throws Error where ranks do not agree on a number.
    static void compare(std::uint64_t) {}
    // Every rank's run, and what its callbacks keep, becomes the first one's.
    static void share(Run&) {}
    // A fit of this rank ended by an exception.
    static void failed(const char*) {}

    // For the gradients of one step, in this order; T is float or double, [block, block + count) the same on all calls:
    // the last pass of this rank's only share begins: what it makes may be sent as it is made
    template <class T>
    static GradientsReady watch(T*, std::size_t)
    {
        return {};
    }
    // the block has the sums of one more of this rank's shares (not called in loops without fit)
    template <class T>
    static void add_share(T*, std::size_t)
    {}
    // the block becomes the sum over all shares; their number, that of the ranks where add_share was not called
    template <class T>
    static std::size_t combine(T*, std::size_t)
    {
        return 1;
    }
};

namespace detail {

template <class M>
constexpr bool is_exchange()
{
    if constexpr (requires { M::exchanges; })
        return M::exchanges;
    else
        return false;
}

// The one among a Trainer's modifiers, or Alone.
template <class... Modifiers>
struct ExchangeOf {
    using type = Alone;
};
template <class First, class... More>
struct ExchangeOf<First, More...>
    : std::conditional_t<is_exchange<First>(), std::type_identity<First>, ExchangeOf<More...>> {};

template <class... Modifiers>
struct OneExchange {
    static constexpr bool value = (std::size_t{0} + ... + std::size_t{is_exchange<Modifiers>()}) <= 1;
    static_assert(value, "tenon: a Trainer takes one exchange with other processes (DataParallel), not several.");
};

// Which rows of an epoch each pass of a rank takes. Rows are counted by their position in the epoch's order.
class Shares {
public:
    // The rows of one pass: [first, first + count) of this rank's order, and their place among the rows of the step.
    struct Rows {
        std::size_t first;
        std::size_t count;
        std::size_t place;
    };

    Shares() = default;

    // One order of `rows` for all ranks; steps of `batches` batches.
    Shares(std::size_t rows, std::size_t batch, std::size_t batches, std::size_t shares)
        : rows_{rows}, batch_{batch < rows ? batch : rows}, batches_{batches}, shares_{shares}
    {}
    // An order of its own for each rank. Each spreads its rows evenly over the steps.
    Shares(std::vector<std::size_t> rows_of_rank, std::size_t rank, std::size_t batch, std::size_t batches)
        : batches_{batches}, shares_{rows_of_rank.size()}, rank_{rank}, own_{std::move(rows_of_rank)}
    {
        for (const std::size_t count : own_) rows_ += count;
        batch_ = batch < rows_ ? batch : rows_;
    }

    std::size_t rows() const { return rows_; }
    std::size_t batch() const { return batch_; }
    std::size_t steps() const { return (rows_ + batch_ * batches_ - 1) / (batch_ * batches_); }

    // Rows of all ranks that the first `steps` steps of an epoch take.
    std::size_t rows_until(std::size_t steps) const
    {
        if (own_.empty()) return std::min(steps * batch_ * batches_, rows_);
        std::size_t sum = 0;
        for (const std::size_t count : own_) sum += bound(count, steps);
        return sum;
    }
    // The step that begins after that many rows, or the next one if other ranks made another cut.
    std::size_t step_at(std::size_t rows) const
    {
        if (own_.empty()) return rows / (batch_ * batches_);
        std::size_t step = 0;
        while (rows_until(step) < rows) ++step;
        return step;
    }
    std::size_t step_rows(std::size_t step) const { return rows_until(step + 1) - rows_until(step); }
    // Batches of a step: fewer in the last one.
    std::size_t batches(std::size_t step) const
    {
        return own_.empty() ? (step_rows(step) + batch_ - 1) / batch_ : batches_;
    }
    // share: one of this rank's.
    Rows rows(std::size_t step, std::size_t batch, std::size_t share) const
    {
        if (own_.empty()) {
            const std::size_t start = rows_until(step), at = batch * batch_;
            const std::size_t count = std::min(batch_, step_rows(step) - at);
            const std::size_t begin = at + count * share / shares_, end = at + count * (share + 1) / shares_;
            return {start + begin, end - begin, begin};
        }
        std::size_t place = 0;
        for (std::size_t r = 0; r < rank_; ++r) place += bound(own_[r], step + 1) - bound(own_[r], step);
        const std::size_t start = bound(own_[rank_], step), count = bound(own_[rank_], step + 1) - start;
        const std::size_t begin = count * batch / batches_, end = count * (batch + 1) / batches_;
        return {start + begin, end - begin, place + begin};
    }
    // Of all passes of this rank.
    std::size_t most_rows() const
    {
        if (own_.empty()) return (batch_ + shares_ - 1) / shares_;
        const std::size_t of_step = (own_[rank_] + steps() - 1) / steps();
        return (of_step + batches_ - 1) / batches_;
    }
    // Of this rank's order, in one step: as many lie between the first row that it takes and the last one.
    std::size_t most_step_rows() const
    {
        return own_.empty() ? batch_ * batches_ : (own_[rank_] + steps() - 1) / steps();
    }
    // Whether each share has rows in the step's last batch.
    bool none_empty(std::size_t step) const
    {
        if (own_.empty()) return step_rows(step) - (batches(step) - 1) * batch_ >= shares_;
        for (const std::size_t count : own_)
            if (bound(count, step + 1) == bound(count, step)) return false;
        return true;
    }

private:
    std::size_t bound(std::size_t count, std::size_t step) const { return count * std::min(step, steps()) / steps(); }

    std::size_t rows_ = 0;
    std::size_t batch_ = 0;
    std::size_t batches_ = 1;  // to a step
    std::size_t shares_ = 1;   // of each batch
    std::size_t rank_ = 0;
    std::vector<std::size_t> own_;  // each rank's rows; empty: the same for all
};

// Statistics that are pairs (low, high) of what a layer has seen, as its `statistics_are_ranges` says: of several shares the
// widest, which is what one pass over all their rows would have moved them to. Their places among the statistics.
template <class Net, class T>
constexpr std::size_t count_ranges()
{
    std::size_t count = 0;
    auto visit = [&count]<class B>(std::size_t, std::size_t) {
        if constexpr (requires { B::layer::statistics_are_ranges; })
            count += layer_storage<T, B, Role::statistics>() == 0 ? 0 : 1;
    };
    walk_layers<T, typename Net::chain>(visit, 0, 0);
    return count;
}
template <class Net, class T>
inline constexpr auto range_places = [] {
    std::array<std::size_t, count_ranges<Net, T>()> places{};
    std::size_t next = 0;
    auto visit = [&]<class B>(std::size_t, std::size_t statistics) {
        if constexpr (requires { B::layer::statistics_are_ranges; }) places[next++] = statistics;
    };
    walk_layers<T, typename Net::chain>(visit, 0, 0);
    return places;
}();

struct NoRanges {};

// The widest ranges of a step's shares.
template <class Net, class T>
class SharedRanges {
    static constexpr const auto& places = range_places<Net, T>;

public:
    // Whether there are some since the last join.
    bool any() const { return any_; }
    // Of one more of this rank's shares.
    void widen(const T* statistics)
    {
        if constexpr (places.size() != 0) {
            widest_.resize(2 * places.size());
            for (std::size_t i = 0; i < places.size(); ++i) {
                T &low = widest_[2 * i], &high = widest_[2 * i + 1];
                const T* range = statistics + places[i];
                low = !any_ || range[0] < low ? range[0] : low;
                high = !any_ || range[1] > high ? range[1] : high;
            }
            any_ = true;
        }
    }
    // Of all ranks, into the statistics. Ranks without rows have none.
    template <class Exchange>
    void join(Exchange& exchange, T* statistics)
    {
        if constexpr (places.size() != 0) {
            const std::size_t size = 2 * places.size() + 1;
            all_.assign(exchange.ranks() * size, 0.0);
            double* own = all_.data() + exchange.rank() * size;
            own[0] = any_ ? 1.0 : 0.0;
            for (std::size_t i = 0; any_ && i < widest_.size(); ++i) own[i + 1] = static_cast<double>(widest_[i]);
            exchange.sum(all_.data(), all_.size());
            bool first = true;
            for (std::size_t r = 0; r < exchange.ranks(); ++r) {
                const double* of_rank = all_.data() + r * size;
                if (of_rank[0] == 0.0) continue;
                for (std::size_t i = 0; i < places.size(); ++i) {
                    T* range = statistics + places[i];
                    // A sum with zeros has made both zeros the same.
                    const T low = static_cast<T>(of_rank[2 * i + 1] + 0.0),
                            high = static_cast<T>(of_rank[2 * i + 2] + 0.0);
                    range[0] = first || low < range[0] ? low : range[0];
                    range[1] = first || high > range[1] ? high : range[1];
                }
                first = false;
            }
            any_ = false;
        }
    }

private:
    std::vector<T> widest_;
    std::vector<double> all_;
    bool any_ = false;
};

}  // namespace detail

}  // namespace tenon
