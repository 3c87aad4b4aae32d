// SPDX-License-Identifier: BSL-1.0
// A file as read-only memory: its pages are read when they are looked at, and shared by all processes that map it.
#pragma once

#include <tenon/io/file.hpp>

#include <sys/mman.h>

namespace tenon::inline TENON_ISA::distillation::detail {

inline void throw_failure(const Status& status)
{
    if (!status) throw Error("tenon: " + status.error());
}

class MappedFile {
public:
    MappedFile() = default;
    // Not there, or empty: size() is 0.
    explicit MappedFile(const std::string& path)
    {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (file < 0) {
            if (errno == ENOENT) return;
            throw_failure(data::system_failure(path, "cannot read", errno));
        }
        struct stat status {};
        if (::fstat(file, &status) == 0 && status.st_size > 0) {
            void* memory = ::mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, file, 0);
            if (memory != MAP_FAILED) {
                data_ = static_cast<const unsigned char*>(memory);
                size_ = static_cast<std::size_t>(status.st_size);
            }
        }
        const int error = errno;
        ::close(file);
        if (data_ == nullptr && status.st_size > 0)
            throw_failure(data::system_failure(path, "cannot map into memory", error));
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
        if (data_ != nullptr) ::munmap(const_cast<unsigned char*>(data_), size_);
    }

    const unsigned char* data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    const unsigned char* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace tenon::inline TENON_ISA::distillation::detail
