// SPDX-License-Identifier: BSL-1.0
// Checkpoint: a callback that writes a run down while it goes on, and takes it up again after the process was killed, in the
// middle of an epoch, to the same bits as a run that was never interrupted.
//
// A checkpoint is one safetensors file: the parameters as save() writes them (so load() takes a checkpoint), the
// optimiser's moments as moment_1/dense_1/kernel and so on, counters, history and what callbacks keep. Its last eight bytes, the
// tensor "checksum", are a hash of all bytes before them.
#pragma once

#include <tenon/io/safetensors.hpp>
#include <tenon/training/run.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace tenon::inline TENON_ISA {

// When Checkpoint writes, and what it keeps.
struct CheckpointOptions {
    int every_epochs = 1;           // 0: not by epochs
    std::uint64_t every_steps = 0;  // 0: not by steps. A run's end is always written down
    int keep = 1;        // checkpoints before the last one: path.1 is the last but one, path.2 the one before it
    bool resume = true;  // take up what is found at the path; otherwise it is written over
};

namespace detail {

// 64 bits of all bytes so far: words of eight, the last one filled up with zeros, then the length.
class Checksum {
public:
    void add(const void* bytes, std::size_t count)
    {
        const auto* at = static_cast<const unsigned char*>(bytes);
        length_ += count;
        while (count > 0 && filled_ > 0) {
            word_ |= std::uint64_t{*at++} << (8 * filled_);
            --count;
            if (++filled_ == 8) mix();
        }
        for (; count >= 8; count -= 8, at += 8) {
            std::memcpy(&word_, at, 8);
            mix();
        }
        for (; count > 0; --count) word_ |= std::uint64_t{*at++} << (8 * filled_++);
    }
    std::uint64_t value() const { return mix_bits(mix_bits(hash_ ^ word_) ^ length_); }

private:
    void mix()
    {
        hash_ = mix_bits(hash_ ^ word_) + 0x9e3779b97f4a7c15u;
        word_ = 0;
        filled_ = 0;
    }

    std::uint64_t hash_ = 0x74656e6f6e;
    std::uint64_t word_ = 0;
    std::uint64_t length_ = 0;
    unsigned filled_ = 0;
};

inline void throw_failure(Status status)
{
    if (!status) throw Error(status.error());
}

inline io::Dtype dtype_of_kind(State::Kind kind)
{
    return kind == State::Kind::u64 ? io::Dtype::U64 : kind == State::Kind::f32 ? io::Dtype::F32 : io::Dtype::F64;
}
inline std::size_t bytes_of_kind(State::Kind kind) { return kind == State::Kind::f32 ? 4 : 8; }

inline constexpr const char* checksum_name = "checksum";

// The names and shapes of all pieces: the beginning of the file.
class DescribeState final : public State {
public:
    explicit DescribeState(io::SafetensorsPrefix& prefix) : prefix_{prefix} {}
    bool reads() const override { return false; }
    void piece(const std::string& name, const Piece& piece) override
    {
        std::vector<std::uint64_t> extents(piece.extents, piece.extents + piece.rank);
        prefix_.tensor(name, dtype_of_kind(piece.kind), extents.data(), extents.size());
    }

private:
    std::size_t length(const std::string&, std::size_t in_memory) override { return in_memory; }
    [[noreturn]] void differs(const char*, const std::string&, const std::string&) override { std::abort(); }

    io::SafetensorsPrefix& prefix_;
};

// Their values, in the same order.
template <class File>
class WriteState final : public State {
public:
    explicit WriteState(File& file) : file_{file}, block_(io::block_bytes) {}
    bool reads() const override { return false; }

    void write(const void* bytes, std::size_t count)
    {
        checksum_.add(bytes, count);
        throw_failure(file_.write(bytes, count));
    }
    std::uint64_t checksum() const { return checksum_.value(); }

    // Small pieces wait for each other.
    void piece(const std::string&, const Piece& piece) override
    {
        const std::size_t size = bytes_of_kind(piece.kind);
        const auto* data = static_cast<const unsigned char*>(piece.data);
        for (std::size_t i = 0; i < piece.count; ++i) {
            if (filled_ + size > block_.size()) flush();
            std::memcpy(block_.data() + filled_, data + (piece.index == nullptr ? i : piece.index(i)) * size, size);
            filled_ += size;
        }
    }
    void flush()
    {
        write(block_.data(), filled_);
        filled_ = 0;
    }

private:
    std::size_t length(const std::string&, std::size_t in_memory) override { return in_memory; }
    [[noreturn]] void differs(const char*, const std::string&, const std::string&) override { std::abort(); }

    File& file_;
    Checksum checksum_;
    std::vector<unsigned char> block_;
    std::size_t filled_ = 0;
};

class ReadState final : public State {
public:
    // The checksum first: nothing of a damaged file is believed.
    TENON_NOINLINE static Status open(const std::string& path, io::SafetensorsFile& file)
    {
        std::unique_ptr<data::ByteSource> source;
        if (Status status = data::FileSource::open(path, source); !status) return status;
        const std::uint64_t size = source->size();
        if (size == data::unknown_size || size < 16)
            return Message{path} << ": expected a checkpoint, found another file";
        Checksum checksum;
        std::vector<std::uint8_t> block(io::block_bytes);
        for (std::uint64_t left = size - 8; left > 0;) {
            const std::size_t count = left < block.size() ? static_cast<std::size_t>(left) : block.size();
            if (Status status = source->read_exactly(block.data(), count, "checkpoint"); !status) return status;
            checksum.add(block.data(), count);
            left -= count;
        }
        std::uint64_t found = 0;
        if (Status status = source->read_exactly(reinterpret_cast<std::uint8_t*>(&found), 8, "checksum"); !status)
            return status;
        if (found != checksum.value())
            return Message{path} << ": checksum: the file is damaged, or is not a checkpoint";
        if (Status status = file.open(path); !status) return status;
        if (file.header().find_metadata(io::checkpoint_key) == io::SafetensorsHeader::none)
            return Message{path} << ": expected a checkpoint, found a file without 'tenon.checkpoint' in its metadata";
        return {};
    }

    // check: the pieces are compared with the file, and no value of a network or callback is touched.
    ReadState(io::SafetensorsFile& file, bool check) : file_{file}, check_{check}, block_(io::block_bytes) {}
    bool reads() const override { return !check_; }

    void piece(const std::string& name, const Piece& piece) override
    {
        const io::TensorInfo info = find(name);
        bool fits = info.dtype == dtype_of_kind(piece.kind) && info.shape.size() == piece.rank;
        const bool any_length = std::exchange(any_length_, false);
        for (std::size_t axis = 0; !any_length && fits && axis < piece.rank; ++axis)
            fits = info.shape[axis] == piece.extents[axis];
        if (!fits) {
            Message message{file_.name()};
            (message << ": tensor ").quote(name) << ": expected " << io::name_of(dtype_of_kind(piece.kind)) << " ";
            message.shape(piece.extents, piece.rank) << ", found " << io::name_of(info.dtype) << " ";
            throw_failure(message.shape(info.shape.data(), info.shape.size()));
        }
        if (check_) return;
        const std::size_t size = bytes_of_kind(piece.kind), most = block_.size() / size;
        auto* data = static_cast<unsigned char*>(piece.data);
        for (std::size_t first = 0; first < piece.count; first += most) {
            const std::size_t count = piece.count - first < most ? piece.count - first : most;
            throw_failure(file_.read(info, first * size, block_.data(), count * size));
            for (std::size_t i = 0; i < count; ++i)
                std::memcpy(data + (piece.index == nullptr ? first + i : piece.index(first + i)) * size,
                            block_.data() + i * size, size);
        }
    }

private:
    io::TensorInfo find(const std::string& name) const
    {
        const std::size_t index = file_.header().find(name);
        if (index == io::SafetensorsHeader::none)
            throw_failure((Message{file_.name()} << ": expected a tensor ").quote(name)
                          << ", found none: was the checkpoint written with the same callbacks and modifiers?");
        return file_.header()[index];
    }
    std::size_t length(const std::string& name, std::size_t in_memory) override
    {
        const io::TensorInfo info = find(name);
        any_length_ = check_;
        return check_ || info.shape.size() != 1 ? in_memory : static_cast<std::size_t>(info.shape[0]);
    }
    [[noreturn]] void differs(const char* what, const std::string& saved, const std::string& wanted) override
    {
        throw Error(file_.name() + ": " + what + ": the checkpoint has " + saved + ", this run " + wanted);
    }

    io::SafetensorsFile& file_;
    bool check_;
    bool any_length_ = false;  // the next piece is a list, whose length in memory says nothing
    std::vector<unsigned char> block_;
};

// The path's folder with its slash, and what follows.
inline std::pair<std::string, std::string> folder_and_name(const std::string& path)
{
    const std::size_t slash = path.rfind('/') + 1;
    return {path.substr(0, slash), path.substr(slash)};
}

}  // namespace detail

namespace callbacks {

// fit(dataset, options, Checkpoint{"run.safetensors", {.every_steps = 500}}): the same program, started again after it was
// killed, goes on where the last checkpoint was written. Everything else must be as it was: network, optimiser, modifiers,
// dataset, batch size, seed, order of the callbacks (sizes and seed are checked; data and options of the optimiser are not).
// Only `epochs` may grow, and the number of threads is free.
//
// The file is written under another name (the path and ".partial"), brought to the disk and renamed, so a checkpoint is
// there whole or not at all, and there is always one: the last but one becomes path.1 by a link before that. One found to
// be damaged is passed over for the one before it; resumed_from() says which it was.
// begin and checkpoint throw Error where a file cannot be written, none of those found is whole, or one belongs to another
// run.
template <class System>
class BasicCheckpoint {
public:
    static constexpr bool first_rank_only = true;  // all ranks of a distributed run have the same state

    explicit BasicCheckpoint(std::string path, CheckpointOptions options = {})
        : path_{std::move(path)}, options_{options}
    {
        if (options.keep < 0)
            throw Error(sentence("tenon: Checkpoint: keep is ", options.keep, ", expected 0 or more"));
    }

    // The file that the run was resumed from; empty: it began anew.
    const std::string& resumed_from() const { return resumed_from_; }

    void begin(Run& run)
    {
        resumed_from_.clear();
        if (!options_.resume) return;
        std::string failures;
        for (int i = 0; i <= options_.keep; ++i) {
            const std::string file = name(i);
            if (std::FILE* there = std::fopen(file.c_str(), "rb"); there != nullptr)
                std::fclose(there);
            else if (errno == ENOENT)
                continue;
            io::SafetensorsFile saved;
            if (Status status = detail::ReadState::open(file, saved); !status) {
                failures += (failures.empty() ? "" : "; ") + status.error();
                continue;
            }
            restore(run, saved);
            resumed_from_ = file;
            return;
        }
        if (!failures.empty()) throw Error(failures);
    }

    void checkpoint(Run& run)
    {
        const bool at_epoch = run.between_epochs();
        const bool due = run.finished() ||
                         (at_epoch && options_.every_epochs > 0 && (run.epoch() - 1) % options_.every_epochs == 0) ||
                         (!at_epoch && options_.every_steps != 0 && run.steps() % options_.every_steps == 0);
        if (due) write(run);
    }

    // The run as it is now. Only while it does not move: from a callback's own checkpoint(Run&).
    void write(Run& run)
    {
        io::SafetensorsPrefix prefix;
        prefix.metadata(io::checkpoint_key, "1");
        prefix.metadata(io::topology_key, io::detail::hash_text(run.topology()));
        for (const auto& [key, value] : run.hyperparameters()) prefix.metadata("tenon.run." + key, value);
        detail::DescribeState describe{prefix};
        run.state(describe);
        static constexpr std::uint64_t one[] = {1};
        prefix.tensor(detail::checksum_name, io::Dtype::U64, one, 1);
        prefix.finish();

        io::AtomicFile<System> file;
        detail::throw_failure(file.create(path_, detail::folder_and_name(path_).second + ".partial"));
        detail::WriteState<io::AtomicFile<System>> writer{file};
        writer.write(prefix.length(), 8);
        writer.write(prefix.json().data(), prefix.json().size());
        run.state(writer);
        writer.flush();
        const std::uint64_t checksum = writer.checksum();
        detail::throw_failure(file.write(&checksum, 8));
        detail::throw_failure(file.flush());
        keep_the_last();
        detail::throw_failure(file.commit());
    }

private:
    std::string name(int i) const { return i == 0 ? path_ : path_ + '.' + std::to_string(i); }

    // All is compared before anything is put into the run.
    void restore(Run& run, io::SafetensorsFile& saved)
    {
        const std::size_t topology = saved.header().find_metadata(io::topology_key);
        const std::string wanted = io::detail::hash_text(run.topology());
        if (topology == io::SafetensorsHeader::none || saved.header().metadata_value(topology) != wanted)
            throw Error(saved.name() + ": the checkpoint belongs to another network (topology " +
                        std::string(topology == io::SafetensorsHeader::none ? "unknown"
                                                                            : saved.header().metadata_value(topology)) +
                        ", this one's is " + wanted + ")");
        detail::ReadState check{saved, true};
        run.state(check);
        detail::ReadState reader{saved, false};
        run.state(reader);
    }

    // path.1 to path.2 and so on, then the file itself to path.1: by a second link, so that the path is never without a
    // file. File systems without links get a rename, and a process killed right then is resumed from path.1.
    void keep_the_last()
    {
        if (options_.keep == 0) return;
        // Killed between link and rename, the last time: path.1 is the file itself already.
        struct stat own {
        }, last{};
        if (::stat(path_.c_str(), &own) == 0 && ::stat(name(1).c_str(), &last) == 0 && own.st_dev == last.st_dev &&
            own.st_ino == last.st_ino)
            return;
        for (int i = options_.keep; i > 1; --i) System::rename(name(i - 1).c_str(), name(i).c_str());
        if (options_.keep == 1) System::unlink(name(1).c_str());
        if (System::link(path_.c_str(), name(1).c_str()) != 0 && errno != ENOENT)
            System::rename(path_.c_str(), name(1).c_str());
    }

    std::string path_;
    CheckpointOptions options_;
    std::string resumed_from_;
};

class Checkpoint : public BasicCheckpoint<io::PosixSystem> {
    using BasicCheckpoint::BasicCheckpoint;
};

}  // namespace callbacks
}  // namespace tenon
