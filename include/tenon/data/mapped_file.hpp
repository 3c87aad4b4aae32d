// SPDX-License-Identifier: BSL-1.0
// A file as read-only memory: its pages are read when they are looked at, and shared by all processes that map it.
#pragma once

#if !__has_include(<sys/mman.h>)
#    error "tenon: tenon/data/mapped_file.hpp needs a POSIX system (mmap)."
#endif

#include <tenon/data/byte_source.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <span>
#include <string>
#include <utility>

namespace tenon::inline TENON_ISA::data {

// Its length is the one that the file had when it was opened. Whoever cuts the file off while it is mapped takes its pages
// away, and the system ends the program (SIGBUS): replace files by renaming, do not write over them.
class MappedFile {
public:
    MappedFile() = default;

    // An empty file has no bytes. Leaves the system's reason for a failure in *reason.
    TENON_NOINLINE static Status open(const std::string& path, MappedFile& mapped, int* reason = nullptr)
    {
        const auto failure = [&](const char* what, int number) {
            if (reason != nullptr) *reason = number;
            return system_failure(path, what, number);
        };
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) return failure("cannot open for reading", errno);
        struct stat status {};
        const bool known = ::fstat(file, &status) == 0;
        void* memory = nullptr;
        if (known && status.st_size > 0)
            memory = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, file, 0);
        const int number = errno;
        ::close(file);
        if (!known) return failure("cannot tell its size", number);
        if (memory == MAP_FAILED) return failure("cannot map into memory", number);
        MappedFile opened;
        if (memory != nullptr) {
            opened.data_ = static_cast<const std::uint8_t*>(memory);
            opened.size_ = static_cast<std::size_t>(status.st_size);
        }
        mapped = std::move(opened);
        return {};
    }

    MappedFile(MappedFile&& other) noexcept
        : data_{std::exchange(other.data_, nullptr)}, size_{std::exchange(other.size_, 0)}
    {}
    MappedFile& operator=(MappedFile&& other) noexcept
    {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~MappedFile()
    {
        if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
    }

    const std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }
    std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

private:
    const std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace tenon::inline TENON_ISA::data
