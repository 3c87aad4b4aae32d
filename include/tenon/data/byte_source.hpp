// SPDX-License-Identifier: BSL-1.0
// ByteSource: where readers take bytes from (a file, memory, a gzip stream over either), with the name that messages use.
// Readers work on this interface, so that files and hostile bytes in a test go through the same code.
#pragma once

#include <tenon/core/status.hpp>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <system_error>
#include <vector>

namespace tenon::inline TENON_ISA::data {

// The sentence of a failed system call: "<file>: <what>: <the system's words for errno>".
TENON_NOINLINE inline Message system_failure(const std::string& file, const char* what, int error_number)
{
    return Message{file} << ": " << what << ": " << std::generic_category().message(error_number);
}

// a *= b; false, with a unchanged, where the product does not fit 64 bits. Extents from files are multiplied by this only.
[[nodiscard]] inline bool multiply_checked(std::uint64_t& a, std::uint64_t b)
{
    if (b != 0 && a > ~std::uint64_t{0} / b) return false;
    a *= b;
    return true;
}

// The size of a source that cannot know its own.
inline constexpr std::uint64_t unknown_size = ~std::uint64_t{0};

class ByteSource {
public:
    explicit ByteSource(std::string name) : name_{std::move(name)} {}
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    // Up to `count` bytes into `to`, and how many into `got`: 0 means the end of the data, fewer than asked means nothing.
    virtual Status read(std::uint8_t* to, std::size_t count, std::size_t& got) = 0;

    // Continues at `offset` bytes from the start.
    virtual Status seek(std::uint64_t offset) = 0;

    // Bytes in all, where that is known before reading.
    virtual std::uint64_t size() const = 0;

    // How many bytes may be reserved at once on a header's word alone, without letting a small file take much memory.
    virtual std::uint64_t trusted_size() const { return size() == unknown_size ? 0 : size(); }

    // Bytes from the start of the data that the next read returns.
    std::uint64_t position() const { return position_; }

    const std::string& name() const { return name_; }

    // Exactly `count` bytes; `what` names them in the failure when the data end early.
    TENON_NOINLINE Status read_exactly(std::uint8_t* to, std::size_t count, const char* what)
    {
        const std::uint64_t start = position_;
        for (std::size_t done = 0; done < count;) {
            std::size_t got = 0;
            if (Status status = read(to + done, count - done, got); !status) return status;
            if (got == 0) return too_short(start, count, what, done);
            done += got;
        }
        return {};
    }

    // `count` bytes into a vector that grows with the bytes that really arrive: a header that promises too much costs no
    // more memory than the file is worth. Holds at most 3 × the bytes read so far (old and new block of a doubling),
    // and just the bytes where trusted_size() covers them.
    TENON_NOINLINE Status read_bytes(std::vector<std::uint8_t>& bytes, std::uint64_t count, const char* what)
    {
        static constexpr std::uint64_t step = 64 * 1024;
        const std::uint64_t start = position_, whole = size();
        if (whole != unknown_size && (whole < start || whole - start < count))
            return too_short(start, count, what, whole < start ? 0 : whole - start);

        std::uint64_t capacity = trusted_size() < step ? step : trusted_size();
        for (bytes.clear(); bytes.size() < count;) {
            const std::size_t done = bytes.size();
            if (done == bytes.capacity() || done == 0) {
                if (done != 0) capacity = 2 * std::uint64_t{done};
                bytes.reserve(static_cast<std::size_t>(capacity < count ? capacity : count));
            }
            std::uint64_t block = bytes.capacity() - done;
            if (block > step) block = step;
            if (block > count - done) block = count - done;
            bytes.resize(done + static_cast<std::size_t>(block));
            std::size_t got = 0;
            if (Status status = read(bytes.data() + done, static_cast<std::size_t>(block), got); !status) return status;
            bytes.resize(done + got);
            if (got == 0) return too_short(start, count, what, done);
        }
        return {};
    }

    // Passes over exactly `count` bytes of a source that knows its size.
    TENON_NOINLINE Status skip(std::uint64_t count, const char* what)
    {
        const std::uint64_t left = size() - position_;
        return left < count ? too_short(position_, count, what, left) : seek(position_ + count);
    }

    // Succeeds where nothing follows.
    TENON_NOINLINE Status expect_end(const char* what)
    {
        const std::uint64_t end = position_;
        std::uint8_t byte = 0;
        std::size_t got = 0;
        if (Status status = read(&byte, 1, got); !status) return status;
        if (got == 0) return {};
        Message message{name_};
        message << ": byte " << end << ": expected the end of the data after " << what << ", found ";
        if (size() != unknown_size) message << size() - end << " ";
        return message << "trailing bytes";
    }

protected:
    std::uint64_t position_ = 0;

private:
    TENON_NOINLINE Status too_short(std::uint64_t start, std::uint64_t count, const char* what, std::uint64_t found)
    {
        return Message{name_} << ": byte " << start << ": expected " << count << " bytes of " << what << ", found "
                              << found << " bytes before the end of the data";
    }

    std::string name_;
};

// Bytes in memory, not copied: the caller keeps them alive.
class MemorySource final : public ByteSource {
public:
    MemorySource(std::span<const std::uint8_t> bytes, std::string name) : ByteSource{std::move(name)}, bytes_{bytes} {}

    Status read(std::uint8_t* to, std::size_t count, std::size_t& got) override
    {
        const std::size_t left = bytes_.size() - static_cast<std::size_t>(position_);
        got = count < left ? count : left;
        if (got != 0) std::memcpy(to, bytes_.data() + position_, got);
        position_ += got;
        return {};
    }

    Status seek(std::uint64_t offset) override
    {
        position_ = offset < bytes_.size() ? offset : bytes_.size();
        return {};
    }

    std::uint64_t size() const override { return bytes_.size(); }

private:
    std::span<const std::uint8_t> bytes_;
};

// A file, unbuffered: readers bring their own blocks. The size is unknown for pipes and devices.
class FileSource final : public ByteSource {
public:
    // Leaves the system's reason for a failure in *reason.
    TENON_NOINLINE static Status open(const std::string& path, std::unique_ptr<ByteSource>& source,
                                      int* reason = nullptr)
    {
        Handle file{std::fopen(path.c_str(), "rb")};
        if (!file) {
            const int number = errno;
            if (reason != nullptr) *reason = number;
            return system_failure(path, "cannot open for reading", number);
        }
        source.reset(new FileSource{std::move(file), path});
        return {};
    }

    Status read(std::uint8_t* to, std::size_t count, std::size_t& got) override
    {
        got = std::fread(to, 1, count, file_.get());
        if (got < count && std::ferror(file_.get()) != 0) return system_failure(name(), "cannot read", errno);
        position_ += got;
        return {};
    }

    Status seek(std::uint64_t offset) override
    {
        if (std::fseek(file_.get(), static_cast<long>(offset), SEEK_SET) != 0)
            return system_failure(name(), "cannot move within the file", errno);
        position_ = offset;
        return {};
    }

    std::uint64_t size() const override { return size_; }

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    using Handle = std::unique_ptr<std::FILE, Close>;

    FileSource(Handle file, std::string path) : ByteSource{std::move(path)}, file_{std::move(file)}
    {
        std::setvbuf(file_.get(), nullptr, _IONBF, 0);
        // A device says 0, a folder LONG_MAX: neither is a size.
        if (std::fseek(file_.get(), 0, SEEK_END) == 0) {
            const long end = std::ftell(file_.get());
            if (end > 0 && end != LONG_MAX) size_ = static_cast<std::uint64_t>(end);
            std::rewind(file_.get());
        }
    }

    Handle file_;
    std::uint64_t size_ = unknown_size;
};

}  // namespace tenon::inline TENON_ISA::data
