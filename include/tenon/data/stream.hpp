// SPDX-License-Identifier: BSL-1.0
// Streams: rows that come one after another, from a database cursor, a decoder, a network, or from files on a disk that is slow
// to jump on. A Trainer takes a stream where it takes a dataset:
//     const data::Stream train{data::map_raw<Shape<28, 28, 1>, data::Label>(paths), {.window = 20'000}};
//     trainer.fit(train, {.epochs = 5, .validation = &test});
// A thread of its own reads ahead, window by window, and no more than the windows that the steps touch are in memory. In
// training the rows of a window are shuffled, by (seed, epoch, window): one window of all rows gives the order, and so the bits,
// that the same rows give as a dataset; without shuffling any window does.
#pragma once

#include <tenon/core/diagnostics.hpp>
#include <tenon/core/error.hpp>
#include <tenon/data/dataset.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>

namespace tenon::inline TENON_ISA::data {

// Where a stream's rows come from. open begins a pass: draw has the seed and the epoch of a training, and epoch 0 for an
// evaluation. read then fills up to `rows` rows, inputs (rows, input_shape) and targets (rows, target_size), and returns how many
// it did; 0: there are no more. A reader may have skip(rows), which passes over rows without making them. size() is the number
// of rows of an epoch: an error if fewer come, and more are left unread. A pass is opened, read and ended by one thread, which is
// not the caller's.
//
// A checkpoint in the middle of an epoch is taken up by reading the epoch's rows again, or skipping them: to the same bits, if
// the source gives the same rows in the same order whenever it is opened with the same draw.
template <class Q>
concept Source = requires(const Q& source, const EpochDraw& draw, std::size_t rows, float* inputs,
                          typename Q::target_type* targets)
{
    requires AnyShape<typename Q::input_shape>;
    requires std::same_as<typename Q::target_type, std::int32_t> || std::same_as<typename Q::target_type, float>;
    {std::size_t{Q::target_size}};
    {
        source.size()
        } -> std::convertible_to<std::size_t>;
    {
        source.open(draw).read(rows, inputs, targets)
        } -> std::convertible_to<std::size_t>;
};

// How a stream reads.
struct StreamOptions {
    // Rows that are read together and shuffled among each other: the more, the better they are mixed. Memory holds two windows,
    // or more where a step has more rows than one, until the stream and its copies are gone.
    std::size_t window = 4096;
};

namespace detail {

// A source whose type is forgotten.
template <class TargetType>
struct AnyRows {
    virtual ~AnyRows() = default;
    virtual std::size_t read(std::size_t rows, float* inputs, TargetType* targets) = 0;
    // False: it cannot, and the rows must be read.
    virtual bool skip(std::size_t rows) = 0;
};
template <class TargetType>
struct AnySource {
    virtual ~AnySource() = default;
    virtual std::size_t size() const = 0;
    virtual std::unique_ptr<AnyRows<TargetType>> open(const EpochDraw& draw) const = 0;
};

template <class Q>
class SourceOf final : public AnySource<typename Q::target_type> {
    using TargetType = typename Q::target_type;

    class Rows final : public AnyRows<TargetType> {
    public:
        Rows(const Q& source, const EpochDraw& draw) : reader_(source.open(draw)) {}
        std::size_t read(std::size_t rows, float* inputs, TargetType* targets) override
        {
            return reader_.read(rows, inputs, targets);
        }
        bool skip([[maybe_unused]] std::size_t rows) override
        {
            if constexpr (requires { reader_.skip(rows); }) {
                reader_.skip(rows);
                return true;
            } else {
                return false;
            }
        }

    private:
        decltype(std::declval<const Q&>().open(std::declval<const EpochDraw&>())) reader_;
    };

public:
    explicit SourceOf(Q source) : source_{std::move(source)} {}
    std::size_t size() const override { return source_.size(); }
    std::unique_ptr<AnyRows<TargetType>> open(const EpochDraw& draw) const override
    {
        return std::make_unique<Rows>(source_, draw);
    }

private:
    Q source_;
};

// A dataset's rows in their order.
template <Dataset D>
class InOrder {
public:
    using input_shape = typename D::input_shape;
    using target_type = typename D::target_type;
    static constexpr std::size_t target_size = D::target_size;

    class Rows {
    public:
        Rows(const D& dataset, const EpochDraw& draw) : dataset_{dataset}, draw_{draw} {}

        std::size_t read(std::size_t rows, float* inputs, target_type* targets)
        {
            static constexpr std::size_t block = 256;
            std::uint32_t indices[block];
            rows = std::min({rows, block, dataset_.size() - at_});
            std::iota(indices, indices + rows, static_cast<std::uint32_t>(at_));
            gather_rows(dataset_, std::span<const std::uint32_t>(indices, rows), inputs, targets,
                        draw_.epoch == 0 ? nullptr : &draw_);
            at_ += rows;
            return rows;
        }
        void skip(std::size_t rows) { at_ += rows; }

    private:
        const D& dataset_;
        EpochDraw draw_;
        std::size_t at_ = 0;
    };

    explicit InOrder(D dataset) : dataset_{std::move(dataset)} {}
    std::size_t size() const { return dataset_.size(); }
    Rows open(const EpochDraw& draw) const { return {dataset_, draw}; }

private:
    D dataset_;
};

// Rows that were read together. Vectors: a window is made in the memory of an earlier one.
template <class TargetType>
struct Window {
    std::vector<float> inputs;
    std::vector<TargetType> targets;
    std::vector<std::uint32_t> order;
};

// Windows that no pass uses: what one pass leaves the next one takes, since memory from the system costs more than what is read
// into it (12 MB by window and epoch: 784-128-10 on 28x28 images took 2.8 times as long).
template <class TargetType>
class WindowStore {
public:
    std::vector<Window<TargetType>> take(std::size_t count)
    {
        std::vector<Window<TargetType>> windows;
        const std::lock_guard lock{mutex_};
        for (; windows.size() < count && !kept_.empty(); kept_.pop_back()) windows.push_back(std::move(kept_.back()));
        windows.resize(count);
        return windows;
    }
    void give_back(std::vector<Window<TargetType>>& windows)
    {
        const std::lock_guard lock{mutex_};
        // Those of one pass: of several at the same time, the others' go.
        if (kept_.size() < windows.size()) kept_.swap(windows);
    }

private:
    std::mutex mutex_;
    std::vector<Window<TargetType>> kept_;
};

template <class Q>
using target_of = std::conditional_t<std::is_integral_v<typename Q::target_type>, Label, Shape<Q::target_size>>;

}  // namespace detail

// One pass: what a trainer calls. The thread ends with it; a read that has begun is waited for.
template <AnyShape S, class Target>
class StreamReader {
    using target_type = typename TensorDataset<S, Target>::target_type;
    static constexpr std::size_t target_size = TensorDataset<S, Target>::target_size;
    using Source = detail::AnySource<target_type>;
    using Store = detail::WindowStore<target_type>;
    using Window = detail::Window<target_type>;

public:
    StreamReader(std::shared_ptr<const Source> source, std::shared_ptr<Store> store, std::size_t window,
                 const StreamPass& pass)
        : state_{std::make_unique<State>(std::move(source), std::move(store), window, pass)}
    {}

    void wait(std::size_t end) { state_->wait(end); }

    void gather(std::size_t first, std::size_t count, float* inputs, target_type* targets, std::uint32_t* numbers) const
    {
        // A run of rows of one window at a time: no division by row.
        for (std::size_t row = 0; row < count;) {
            const std::size_t at = first + row, place = at % state_->window, begin = at - place;
            const Window& window = state_->windows[at / state_->window % state_->windows.size()];
            const std::size_t run = std::min(count - row, window.order.size() - place);
            gather_of(window, place, run, inputs + row * S::size, targets + row * target_size);
            for (std::size_t i = 0; numbers != nullptr && i < run; ++i)
                numbers[row + i] = static_cast<std::uint32_t>(begin + window.order[place + i]);
            row += run;
        }
    }

    void release(std::size_t end) { state_->release(end); }

    // Rows that there is memory for.
    std::size_t capacity() const { return state_->windows.size() * state_->window; }

private:
    static void gather_of(const Window& window, std::size_t place, std::size_t count, float* inputs,
                          target_type* targets)
    {
        for (std::size_t row = 0; row < count; ++row) {
            if (row + detail::rows_ahead < count)
                detail::prefetch_row(
                    window.inputs.data() + std::size_t{window.order[place + row + detail::rows_ahead]} * S::size,
                    S::size * sizeof(float));
            const std::size_t from = window.order[place + row];
            detail::copy_row(window.inputs.data() + from * S::size, inputs + row * S::size, S::size);
            detail::copy_row(window.targets.data() + from * target_size, targets + row * target_size, target_size);
        }
    }

    // Window w of the pass is kept in windows[w % windows.size()], from when it has been read (w < read) until it is released
    // (w < released).
    struct State {
        State(std::shared_ptr<const Source> from, std::shared_ptr<Store> memory, std::size_t rows_of_window,
              const StreamPass& how)
            : source{std::move(from)},
              store{std::move(memory)},
              pass{how},
              rows{source->size()},
              window{std::max<std::size_t>(std::min(rows_of_window, rows), 1)},
              windows{store->take(std::min((rows + window - 1) / window, 1 + (pass.held_rows + window - 1) / window))},
              read{pass.first_row / window},
              released{read},
              thread{[this] { run(); }}
        {}
        ~State()
        {
            {
                const std::lock_guard lock{mutex};
                stopping = true;
            }
            changed.notify_all();
            thread.join();
            store->give_back(windows);
        }

        void wait(std::size_t end)
        {
            const std::size_t wanted = (std::min(end, rows) + window - 1) / window;
            std::unique_lock lock{mutex};
            if (wanted > released + windows.size())
                throw Error(sentence("tenon: stream: rows up to ", end, " are waited for, and those before them, from ",
                                     released * window, ", not released: there is memory for ",
                                     windows.size() * window));
            changed.wait(lock, [&] { return read >= wanted || failure; });
            if (read < wanted) std::rethrow_exception(failure);
        }

        void release(std::size_t end)
        {
            {
                const std::lock_guard lock{mutex};
                if (end / window <= released) return;
                released = end / window;
            }
            changed.notify_all();
        }

        void run()
        {
            try {
                const std::unique_ptr<detail::AnyRows<target_type>> reader = source->open(pass.draw);
                pass_over(*reader, read * window);
                for (std::size_t w = read; w * window < rows; ++w) {
                    {
                        std::unique_lock lock{mutex};
                        changed.wait(lock, [&] { return stopping || w < released + windows.size(); });
                    }
                    if (stopping || !fill(*reader, w)) return;
                    {
                        const std::lock_guard lock{mutex};
                        read = w + 1;
                    }
                    changed.notify_all();
                }
            } catch (...) {
                {
                    const std::lock_guard lock{mutex};
                    failure = std::current_exception();
                }
                changed.notify_all();
            }
        }

        void pass_over(detail::AnyRows<target_type>& reader, std::size_t count)
        {
            if (count == 0 || reader.skip(count)) return;
            Window scratch;
            for (std::size_t done = 0; done < count && !stopping;)
                done += some(reader, std::min(count - done, window), scratch, 0, done);
        }

        // False: there is no time left.
        bool fill(detail::AnyRows<target_type>& reader, std::size_t w)
        {
            Window& to = windows[w % windows.size()];
            const std::size_t first = w * window, count = std::min(window, rows - first);
            for (std::size_t done = 0; done < count;) {
                done += some(reader, count - done, to, done, first + done);
                if (stopping) return false;
            }
            to.order.resize(count);
            std::iota(to.order.begin(), to.order.end(), std::uint32_t{0});
            // The first window in the order that a dataset of its rows would have.
            if (pass.shuffle)
                Random{Seed{pass.draw.seed.value ^ mix_bits(w)}, pass.draw.epoch}.shuffle(to.order.data(), count);
            return true;
        }

        // Some rows, to `place` of the window: few at a time, so that who stops a pass need not wait long.
        std::size_t some(detail::AnyRows<target_type>& reader, std::size_t most, Window& to, std::size_t place,
                         std::size_t number)
        {
            to.inputs.resize(window * S::size);
            to.targets.resize(window * target_size);
            most = std::min<std::size_t>(most, 256);
            const std::size_t got = reader.read(most, to.inputs.data() + place * S::size,
                                                to.targets.data() + place * target_size);
            if (got == 0 || got > most)
                throw Error(
                    got == 0
                        ? sentence("tenon: stream: ",
                                   pass.draw.epoch == 0 ? "evaluation" : sentence("epoch ", pass.draw.epoch),
                                   ": expected ", rows, " rows, found ", number)
                        : sentence("tenon: stream: row ", number, ": expected at most ", most, " rows, found ", got));
            return got;
        }

        const std::shared_ptr<const Source> source;
        const std::shared_ptr<Store> store;
        const StreamPass pass;
        const std::size_t rows;
        const std::size_t window;
        std::vector<Window> windows;
        std::mutex mutex;
        std::condition_variable changed;
        std::size_t read;      // windows
        std::size_t released;  // windows
        std::exception_ptr failure;
        std::atomic<bool> stopping{false};
        std::thread thread;
    };

    std::unique_ptr<State> state_;
};

// A source or a dataset, read in order. A copy shares what it was made from; the type tells shapes only, so that training and
// validation data of different origin may both be streams of one type.
template <AnyShape S, class Target>
class Stream {
public:
    using input_shape = S;
    using target_shape = typename TensorDataset<S, Target>::target_shape;
    using target_type = typename TensorDataset<S, Target>::target_type;
    static constexpr std::size_t target_size = TensorDataset<S, Target>::target_size;

    // Throws Error for a window of no rows.
    template <Source Q>
    explicit Stream(Q source, StreamOptions options = {}) requires(
        std::is_same_v<typename Q::input_shape, S>&& std::is_same_v<detail::target_of<Q>, Target>)
        : Stream{std::make_shared<const detail::SourceOf<Q>>(std::move(source)), options}
    {}
    template <Dataset D>
    explicit Stream(D dataset, StreamOptions options = {}) requires(
        std::is_same_v<typename D::input_shape, S>&& std::is_same_v<detail::target_of<D>, Target>)
        : Stream{detail::InOrder<D>{std::move(dataset)}, options}
    {}

    // Rows of an epoch.
    std::size_t size() const { return source_->size(); }
    std::size_t window() const { return window_; }

    StreamReader<S, Target> start(const StreamPass& pass) const { return {source_, store_, window_, pass}; }

private:
    Stream(std::shared_ptr<const detail::AnySource<target_type>> source, StreamOptions options)
        : source_{std::move(source)},
          store_{std::make_shared<detail::WindowStore<target_type>>()},
          window_{options.window}
    {
        if (window_ == 0) throw Error("tenon: stream: expected a window of 1 or more rows, found 0");
        if (size() > most_rows)
            throw Error(sentence("tenon: stream: an epoch has at most 4294967295 rows, found ", size()));
    }

    std::shared_ptr<const detail::AnySource<target_type>> source_;
    std::shared_ptr<detail::WindowStore<target_type>> store_;
    std::size_t window_;
};

// From a source or a dataset, with the types that it names.
template <class Q>
    requires Source<Q> || Dataset<Q> Stream(Q, StreamOptions = {})
->Stream<typename Q::input_shape, detail::target_of<Q>>;

// What a range of samples is made of: sample.input has S::size floats at data(), sample.target is a class or has data() as well.
template <AnyShape S, class Target>
struct Sample {
    Tensor<float, S> input;
    std::conditional_t<std::is_same_v<Target, Label>, std::int32_t,
                       Tensor<float, typename TensorDataset<S, Target>::target_shape>>
        target;
};

namespace detail {

using std::begin;
using std::end;

template <class Open>
decltype(auto) open_range(const Open& open, [[maybe_unused]] const EpochDraw& draw)
{
    if constexpr (std::is_invocable_v<const Open&, const EpochDraw&>)
        return open(draw);
    else
        return open();
}

// A tensor of that size, or, where `size` is 0, a class.
template <class Values, std::size_t Size>
concept ValuesOf = (Size == 0 && std::is_integral_v<Values>) || requires(const Values& values)
{
    requires Values::size()
    == Size;
    static_cast<const float*>(values.data());
};

template <AnyShape S, class Target, class Range>
struct RangeOfSamples {
    static constexpr bool value = requires(Range & range)
    {
        requires ValuesOf<std::remove_cvref_t<decltype((*begin(range)).input)>, S::size>;
        requires ValuesOf < std::remove_cvref_t<decltype((*begin(range)).target)>, std::is_same_v<Target, Label>
        ? 0 : TensorDataset<S, Target>::target_size > ;
        begin(range) != end(range);
    };
    static_assert(value, "tenon: data::stream takes a function that returns a range of data::Sample<S, Target>.");
};

template <AnyShape S, class Target, class Open>
class RangeSource {
    using Range = decltype(open_range(std::declval<const Open&>(), std::declval<const EpochDraw&>()));
    using Rows = TensorDataset<S, Target>;

public:
    using input_shape = S;
    using target_type = typename Rows::target_type;
    static constexpr std::size_t target_size = Rows::target_size;

    class Reader {
    public:
        Reader(const Open& open, const EpochDraw& draw) : range_(open_range(open, draw)) {}

        std::size_t read(std::size_t rows, float* inputs, target_type* targets)
        {
            std::size_t got = 0;
            while (got < rows && !ended_) {
                // A cursor moves when its next row is wanted, not before, and not beyond its end.
                if (at_)
                    ++*at_;
                else
                    at_.emplace(begin(range_));
                ended_ = !(*at_ != end(range_));
                if (ended_) break;
                auto&& sample = **at_;
                copy_row(sample.input.data(), inputs + got * S::size, S::size);
                if constexpr (std::is_same_v<Target, Label>)
                    targets[got] = static_cast<std::int32_t>(sample.target);
                else
                    copy_row(sample.target.data(), targets + got * target_size, target_size);
                ++got;
            }
            return got;
        }

    private:
        Range range_;
        std::optional<decltype(begin(std::declval<std::add_lvalue_reference_t<Range>>()))> at_;
        bool ended_ = false;
    };

    RangeSource(std::size_t rows, Open open) : rows_{rows}, open_{std::move(open)} {}
    std::size_t size() const { return rows_; }
    Reader open(const EpochDraw& draw) const { return {open_, draw}; }

private:
    std::size_t rows_;
    Open open_;
};

}  // namespace detail

// A stream of what open() or open(const EpochDraw&) returns: any input range of samples, made anew for each pass, of which an
// epoch takes the first `rows`.
template <AnyShape S, class Target, class Open>
Stream<S, Target> stream(std::size_t rows, Open open, StreamOptions options = {})
{
    using Range = decltype(detail::open_range(open, std::declval<const EpochDraw&>()));
    if constexpr (checked<detail::RangeOfSamples<S, Target, std::remove_reference_t<Range>>>::value)
        return Stream<S, Target>{detail::RangeSource<S, Target, Open>{rows, std::move(open)}, options};
    else
        return Stream<S, Target>{TensorDataset<S, Target>{}, options};
}

}  // namespace tenon::inline TENON_ISA::data
