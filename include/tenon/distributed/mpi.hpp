// SPDX-License-Identifier: BSL-1.0
// Training in many processes over MPI: the same Trainer, one more argument.
//
//     int main(int argc, char** argv)
//     {
//         return distributed::run(argc, argv, [&](const distributed::Mpi& mpi) {
//             …
//             Trainer trainer{model, CrossEntropy{}, Adam{}, distributed::DataParallel{mpi}};
//             trainer.fit(dataset.train, {.epochs = 5, .batch_size = 256});      // 256 rows over all ranks
//         });
//     }
//
// Each rank computes the gradient of its share of every batch; the gradients are added up, and each rank makes the same
// step with the same optimiser, so that weights and moments stay the same bits on all of them.
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/core/random.hpp>
#include <tenon/distributed/share_tree.hpp>
#include <tenon/training/exchange.hpp>
#include <tenon/training/modifiers.hpp>

// The C interface alone: the C++ one left the standard in 2012.
#ifndef OMPI_SKIP_MPICXX
#    define OMPI_SKIP_MPICXX
#endif
#ifndef MPICH_SKIP_MPICXX
#    define MPICH_SKIP_MPICXX
#endif
#include <mpi.h>

#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenon::inline TENON_ISA::distributed {

// The processes of a job. Made once, by run() or at the beginning of main, and alive as long as anything here is used.
// Started without mpirun (or srun) the job is a single rank.
//
// A rank that dies takes the job with it, because the others would wait for it for ever: one killed by a signal or ended
// by std::exit is noticed by mpirun; an exception that leaves run() or a fit says its sentence and ends all ranks, and so
// does, without the sentence, one that leaves the scope of this object.
class Mpi {
public:
    // Initialises MPI, for calls from the main thread alone; finalised with the object. Where the program has done so
    // already, it stays the program's.
    Mpi(int& argc, char**& argv) : Mpi{&argc, &argv, MPI_COMM_WORLD} {}
    // The processes of a communicator of your own.
    explicit Mpi(MPI_Comm communicator) : Mpi{nullptr, nullptr, communicator} {}

    Mpi(const Mpi&) = delete;
    Mpi& operator=(const Mpi&) = delete;
    ~Mpi()
    {
        if (std::uncaught_exceptions() > exceptions_) failed("an exception ends this rank");
        int finished = 0;
        MPI_Finalized(&finished);
        if (finished != 0) return;
        MPI_Comm_free(&communicator_);
        if (initialized_here_) MPI_Finalize();
    }

    std::size_t rank() const { return rank_; }
    std::size_t ranks() const { return ranks_; }
    MPI_Comm communicator() const { return communicator_; }

    // How many threads this rank may use without taking cores from other ranks of its machine: for FitOptions::threads.
    int threads() const
    {
        const int share = static_cast<int>(std::thread::hardware_concurrency()) / ranks_here_;
        return share < 1 ? 1 : share;
    }

    // Says why, and ends all ranks of the job. Returns where there is only one, for its caller to see to.
    void failed(const char* what) const
    {
        if (ranks_ == 1) return;
        char host[MPI_MAX_PROCESSOR_NAME] = "";
        int length = 0;
        MPI_Get_processor_name(host, &length);
        std::fprintf(stderr, "rank %zu of %zu (%s) ends the job: %s\n", rank_, ranks_, host, what);
        std::fflush(stderr);
        MPI_Abort(communicator_, 1);
    }

private:
    Mpi(int* argc, char*** argv, MPI_Comm of) : exceptions_{std::uncaught_exceptions()}
    {
        int initialized = 0;
        MPI_Initialized(&initialized);
        if (initialized == 0) {
            int provided = 0;
            MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
            initialized_here_ = true;
        }
        // Of our own, so that no message can meet one of the program's.
        MPI_Comm_dup(of, &communicator_);
        int number = 0;
        MPI_Comm_rank(communicator_, &number);
        rank_ = static_cast<std::size_t>(number);
        MPI_Comm_size(communicator_, &number);
        ranks_ = static_cast<std::size_t>(number);
        MPI_Comm here = MPI_COMM_NULL;
        MPI_Comm_split_type(communicator_, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
        MPI_Comm_size(here, &ranks_here_);
        MPI_Comm_free(&here);
    }

    MPI_Comm communicator_ = MPI_COMM_NULL;
    std::size_t rank_ = 0;
    std::size_t ranks_ = 1;
    int ranks_here_ = 1;
    int exceptions_ = 0;
    bool initialized_here_ = false;
};

// f(mpi) on every rank; its result, if any, is main's. An exception's sentence is printed, and the job ended.
template <class F>
int run(int& argc, char**& argv, F&& f)
{
    const Mpi mpi{argc, argv};
    try {
        if constexpr (std::is_void_v<decltype(f(mpi))>) {
            f(mpi);
            return 0;
        } else {
            return f(mpi);
        }
    } catch (const std::exception& failure) {
        mpi.failed(failure.what());
        std::fprintf(stderr, "%s\n", failure.what());
        return 1;
    }
}

// How ranks share a batch and its sums.
struct DataParallelOptions {
    // 0: each rank takes one share of a batch, and MPI adds the gradients up in the way it finds fastest: the result depends
    // on the number of ranks by rounding. Otherwise each batch is cut into that many shares, whatever the number of
    // ranks, and all sums have one order: any number of ranks up to that of the shares gives the same bits.
    std::size_t fixed_shares = 0;
    // Each rank's dataset (and validation set) holds rows of its own, as when it reads only its own files. Otherwise all
    // hold the same rows, and each rank takes what falls to it.
    bool own_rows = false;
    // Gradients of a layer are sent while those of the layers below are computed, as soon as that many bytes wait;
    // 0: all at once at the end. For fast networks with hardware that moves data by itself; not with fixed_shares.
    std::size_t overlap_bytes = 0;
};

namespace detail {

template <class T>
MPI_Datatype type_of()
{
    if constexpr (std::is_same_v<T, float>)
        return MPI_FLOAT;
    else
        return MPI_DOUBLE;
}

inline int count_of(std::size_t count)
{
    if (count > INT_MAX)
        throw Error(sentence("tenon: MPI counts in 31 bits, and ", count, " values are to be sent at once"));
    return static_cast<int>(count);
}

// A run as bytes, in logical order.
class PackState final : public State {
public:
    explicit PackState(std::vector<unsigned char>& bytes) : bytes_{bytes} {}
    bool reads() const override { return false; }
    void piece(const std::string&, const Piece& piece) override
    {
        const std::size_t size = piece.kind == Kind::f32 ? 4 : 8, begin = bytes_.size();
        bytes_.resize(begin + piece.count * size);
        for (std::size_t i = 0; i < piece.count; ++i)
            std::memcpy(
                bytes_.data() + begin + i * size,
                static_cast<const unsigned char*>(piece.data) + (piece.index == nullptr ? i : piece.index(i)) * size,
                size);
    }

private:
    std::size_t length(const std::string&, std::size_t in_memory) override
    {
        std::uint64_t count = in_memory;
        const std::size_t extents[] = {1};
        piece("", {Kind::u64, extents, 1, 1, &count});
        return in_memory;
    }
    [[noreturn]] void differs(const char*, const std::string&, const std::string&) override { std::abort(); }

    std::vector<unsigned char>& bytes_;
};

class UnpackState final : public State {
public:
    UnpackState(const std::vector<unsigned char>& bytes, std::size_t rank) : bytes_{bytes}, rank_{rank} {}
    bool reads() const override { return true; }
    void piece(const std::string& name, const Piece& piece) override
    {
        const std::size_t size = piece.kind == Kind::f32 ? 4 : 8;
        if (piece.count * size > bytes_.size() - at_)
            throw Error(sentence("tenon: DataParallel: rank 0 knows nothing of '", name,
                                 "': give all ranks the same callbacks and modifiers"));
        for (std::size_t i = 0; i < piece.count; ++i, at_ += size)
            std::memcpy(static_cast<unsigned char*>(piece.data) + (piece.index == nullptr ? i : piece.index(i)) * size,
                        bytes_.data() + at_, size);
    }
    bool finished() const { return at_ == bytes_.size(); }

private:
    std::size_t length(const std::string& name, std::size_t) override
    {
        std::uint64_t count = 0;
        const std::size_t extents[] = {1};
        piece(name, {Kind::u64, extents, 1, 1, &count});
        return static_cast<std::size_t>(count);
    }
    [[noreturn]] void differs(const char* what, const std::string& first, const std::string& own) override
    {
        throw Error(sentence("tenon: DataParallel: ", what, ": rank 0 has ", first, ", rank ", rank_, " ", own));
    }

    const std::vector<unsigned char>& bytes_;
    std::size_t rank_;
    std::size_t at_ = 0;
};

}  // namespace detail

// The Trainer's further argument. FitOptions::batch_size counts the rows of all ranks; every rank calls fit with the same
// options, modifiers and callbacks. Before the first step all ranks take over the first one's weights, and its whole
// state where a checkpoint was resumed; so a checkpoint needs a folder that rank 0 can see, and may be resumed with any
// number of ranks. Progress, checkpoints and logs are rank 0's; losses, accuracies and validation are those of all rows,
// on all ranks; after each epoch the weights' fingerprints are compared.
//
// BatchNorm looks at a share, not at the batch; running statistics become the mean of the shares'. So a network with it
// depends on the number of shares: fixed_shares keeps that apart from the number of ranks.
//
// Throws Error for options that do not fit together, or ranks that do not. Within a fit every Error ends the job
// (Mpi::failed).
class DataParallel {
public:
    static constexpr bool exchanges = true;
    static constexpr bool stores_gradients = true;

    explicit DataParallel(const Mpi& mpi, DataParallelOptions options = {})
        : mpi_{&mpi},
          options_{options},
          tree_{options.fixed_shares == 0 ? mpi.ranks() : options.fixed_shares, mpi.ranks()},
          ranks_tree_{mpi.ranks(), mpi.ranks()}
    {
        if (options.fixed_shares != 0 && options.fixed_shares < mpi.ranks())
            refuse(sentence("tenon: DataParallel: fixed_shares is ", options.fixed_shares,
                            ", expected at least one for each of the ", mpi.ranks(), " ranks"));
        if (options.fixed_shares != 0 && options.own_rows)
            refuse("tenon: DataParallel: fixed_shares cuts one order of rows, and with own_rows each rank has its own");
        if (options.fixed_shares != 0 && options.overlap_bytes != 0)
            refuse("tenon: DataParallel: overlap_bytes lets MPI order the sums, and fixed_shares fixes it");
    }

    std::size_t rank() const { return mpi_->rank(); }
    std::size_t ranks() const { return mpi_->ranks(); }
    bool own_rows() const { return options_.own_rows; }
    std::size_t shares() const { return options_.fixed_shares == 0 ? ranks() : options_.fixed_shares; }
    std::size_t first_share() const { return tree_.of_rank(rank()).begin; }
    std::size_t end_share() const { return tree_.of_rank(rank()).end; }

    // Added in the order of the ranks, on every rank, so that all see the same bits.
    void sum(double* values, std::size_t count)
    {
        if (ranks() == 1 || count == 0) return;
        gathered_.resize(count * ranks());
        const int size = detail::count_of(count);
        MPI_Allgather(values, size, MPI_DOUBLE, gathered_.data(), size, MPI_DOUBLE, mpi_->communicator());
        for (std::size_t i = 0; i < count; ++i) {
            values[i] = 0.0;
            for (std::size_t r = 0; r < ranks(); ++r) values[i] += gathered_[r * count + i];
        }
    }

    void compare(std::uint64_t fingerprint) { agree("the weights' fingerprint", fingerprint); }

    void share(Run& run)
    {
        if (ranks() == 1) return;
        agree("the network", run.topology());
        agree("the instruction set it was compiled for", instruction_set());
        std::vector<unsigned char> bytes;
        if (rank() == 0) {
            detail::PackState pack{bytes};
            run.state(pack);
        }
        std::uint64_t size = bytes.size();
        MPI_Bcast(&size, 1, MPI_UINT64_T, 0, mpi_->communicator());
        bytes.resize(static_cast<std::size_t>(size));
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t count = bytes.size() - at < (1u << 30) ? bytes.size() - at : 1u << 30;
            MPI_Bcast(bytes.data() + at, static_cast<int>(count), MPI_BYTE, 0, mpi_->communicator());
            at += count;
        }
        if (rank() == 0) return;
        detail::UnpackState unpack{bytes, rank()};
        run.state(unpack);
        if (!unpack.finished())
            throw Error(sentence("tenon: DataParallel: rank 0 has more to keep than rank ", rank(),
                                 ": give all ranks the same callbacks and modifiers"));
    }

    void failed(const char* what) { mpi_->failed(what); }

    template <class T>
    GradientsReady watch(T* block, std::size_t count)
    {
        if (options_.overlap_bytes == 0 || ranks() == 1) return {};
        sent_from_ = ready_from_ = watched_end_ = block + count;
        ready_.clear();
        return {[](void* self, void* begin, std::size_t size) {
                    static_cast<DataParallel*>(self)->ready(static_cast<T*>(begin), size);
                },
                this};
    }

    template <class T>
    void add_share(T* block, std::size_t count)
    {
        // The block of an only share is sent as it is.
        if (options_.fixed_shares != 0 && end_share() - first_share() > 1)
            sums<T>().add(tree_, first_share() + added_, block, count);
        ++added_;
    }

    template <class T>
    std::size_t combine(T* block, std::size_t count)
    {
        // Loops without fit have one share to a rank.
        const bool of_ranks = added_ == 0;
        added_ = 0;
        if (options_.fixed_shares == 0) {
            reduce_in_any_order(block, count);
            return ranks();
        }
        reduce_in_order(of_ranks ? ranks_tree_ : tree_, block, count);
        return of_ranks ? ranks() : shares();
    }

private:
    [[noreturn]] void refuse(const std::string& why) const
    {
        mpi_->failed(why.c_str());
        throw Error(why);
    }

    static std::uint64_t instruction_set()
    {
#define TENON_MPI_TEXT_OF(name) #name
#define TENON_MPI_TEXT(name) TENON_MPI_TEXT_OF(name)
        std::uint64_t hash = 0;
        for (const char* letter = TENON_MPI_TEXT(TENON_ISA); *letter != 0; ++letter)
            hash = mix_bits(hash ^ static_cast<unsigned char>(*letter));
        return hash;
#undef TENON_MPI_TEXT
#undef TENON_MPI_TEXT_OF
    }

    void agree(const char* what, std::uint64_t number)
    {
        if (ranks() == 1) return;
        std::vector<std::uint64_t> all(ranks());
        MPI_Allgather(&number, 1, MPI_UINT64_T, all.data(), 1, MPI_UINT64_T, mpi_->communicator());
        for (std::size_t r = 1; r < all.size(); ++r)
            if (all[r] != all[0])
                throw Error(sentence("tenon: DataParallel: rank ", r, " differs from rank 0 in ", what));
    }

    template <class T>
    ShareSums<T>& sums()
    {
        if constexpr (std::is_same_v<T, float>)
            return floats_;
        else
            return doubles_;
    }

    // Gradients of `count` values are made. What is ready from the end of the block without a gap is sent once it is
    // large enough: layers finish in the same order on all ranks, so that all send the same pieces.
    template <class T>
    void ready(T* begin, std::size_t count)
    {
        ready_.push_back({begin, begin + count});
        T* first = static_cast<T*>(ready_from_);
        for (std::size_t i = 0; i < ready_.size();)
            if (ready_[i].second == first) {
                first = static_cast<T*>(ready_[i].first);
                ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(i));
                i = 0;
            } else {
                ++i;
            }
        ready_from_ = first;
        T* const sent = static_cast<T*>(sent_from_);
        const auto waiting = static_cast<std::size_t>(sent - first);
        if (waiting * sizeof(T) >= options_.overlap_bytes) {
            requests_.emplace_back();
            MPI_Iallreduce(MPI_IN_PLACE, first, detail::count_of(waiting), detail::type_of<T>(), MPI_SUM,
                           mpi_->communicator(), &requests_.back());
            sent_from_ = first;
        } else if (!requests_.empty()) {
            // MPI libraries without a thread of their own move data only when they are called.
            int done = 0;
            MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE);
        }
    }

    template <class T>
    void reduce_in_any_order(T* block, std::size_t count)
    {
        const auto all_reduce = [&](T* begin, T* end) {
            if (begin != end)
                MPI_Allreduce(MPI_IN_PLACE, begin, detail::count_of(static_cast<std::size_t>(end - begin)),
                              detail::type_of<T>(), MPI_SUM, mpi_->communicator());
        };
        if (ranks() == 1) return;
        if (sent_from_ == nullptr) return all_reduce(block, block + count);
        all_reduce(block, static_cast<T*>(sent_from_));
        all_reduce(static_cast<T*>(watched_end_), block + count);
        MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
        requests_.clear();
        sent_from_ = nullptr;
    }

    // Each rank adds up one slice of all blocks, in the order of the tree, and all ranks get all slices: as many bytes as
    // any all-reduce has to move, where each rank has one block.
    template <class T>
    void reduce_in_order(const ShareTree& tree, T* block, std::size_t count)
    {
        ShareSums<T>& own = sums<T>();
        const std::size_t all = ranks(), self = rank();
        // own.size() is 0 where the block itself is this rank's only sum.
        const auto own_part = [&](std::size_t i) { return own.size() == 0 ? block : own[i].block.data(); };
        const auto slice = [&](std::size_t r) { return count * r / all; };
        const std::size_t begin = slice(self), size = slice(self + 1) - begin;

        std::vector<std::vector<ShareRange>> parts(all);
        std::size_t received = 0;
        for (std::size_t r = 0; r < all; ++r) {
            parts[r] = tree.parts(r);
            if (r != self) received += parts[r].size();
        }
        if (slices<T>().size() < received * size) slices<T>() = AlignedBuffer<T>{received * size};

        std::vector<std::pair<ShareRange, T*>> blocks;  // of this rank's slice
        for (std::size_t i = 0; i < parts[self].size(); ++i) blocks.push_back({parts[self][i], own_part(i) + begin});
        std::vector<MPI_Request> requests;
        T* next = slices<T>().data();
        for (std::size_t r = 0; r < all; ++r)
            for (std::size_t i = 0; r != self && i < parts[r].size(); ++i, next += size) {
                blocks.push_back({parts[r][i], next});
                requests.emplace_back();
                MPI_Irecv(next, detail::count_of(size), detail::type_of<T>(), static_cast<int>(r), static_cast<int>(i),
                          mpi_->communicator(), &requests.back());
            }
        for (std::size_t step = 1; step < all; ++step) {
            const std::size_t to = (self + step) % all;
            for (std::size_t i = 0; i < parts[self].size(); ++i) {
                requests.emplace_back();
                MPI_Isend(own_part(i) + slice(to), detail::count_of(slice(to + 1) - slice(to)), detail::type_of<T>(),
                          static_cast<int>(to), static_cast<int>(i), mpi_->communicator(), &requests.back());
            }
        }
        MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);

        const T* sum = tree.add<T>(size, [&](ShareRange range) -> T* {
            for (const auto& [found, values] : blocks)
                if (found == range) return values;
            return nullptr;
        });
        if (sum != block + begin)
            for (std::size_t i = 0; i < size; ++i) block[begin + i] = sum[i];
        own.clear();

        std::vector<int> counts(all), offsets(all);
        for (std::size_t r = 0; r < all; ++r) {
            counts[r] = detail::count_of(slice(r + 1) - slice(r));
            offsets[r] = detail::count_of(slice(r));
        }
        if (all > 1)
            MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, block, counts.data(), offsets.data(),
                           detail::type_of<T>(), mpi_->communicator());
    }

    template <class T>
    AlignedBuffer<T>& slices()
    {
        if constexpr (std::is_same_v<T, float>)
            return float_slices_;
        else
            return double_slices_;
    }

    const Mpi* mpi_;
    DataParallelOptions options_;
    ShareTree tree_;
    ShareTree ranks_tree_;
    std::size_t added_ = 0;  // shares of this step
    ShareSums<float> floats_;
    ShareSums<double> doubles_;
    AlignedBuffer<float> float_slices_;  // received from other ranks
    AlignedBuffer<double> double_slices_;
    std::vector<double> gathered_;

    // Of a step whose gradients are sent as they are made: null in others.
    void* sent_from_ = nullptr;   // [sent_from_, watched_end_) is under way
    void* ready_from_ = nullptr;  // [ready_from_, sent_from_) waits
    void* watched_end_ = nullptr;
    std::vector<std::pair<void*, void*>> ready_;  // made, with a gap behind it
    std::vector<MPI_Request> requests_;
};

// A callback that the first rank alone calls: on_first_rank([](const Epoch& epoch) { … })
template <class Callback>
struct OnFirstRank : Callback {
    static constexpr bool first_rank_only = true;
};
template <class Callback>
OnFirstRank<Callback> on_first_rank(Callback callback)
{
    return {std::move(callback)};
}

}  // namespace tenon::inline TENON_ISA::distributed
