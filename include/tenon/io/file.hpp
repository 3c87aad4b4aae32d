// SPDX-License-Identifier: BSL-1.0
// AtomicFile: a file that is replaced whole or not at all. The bytes go to a temporary file in the same folder, which is
// flushed to the disk and renamed over the old one; whatever fails before that leaves the old file as it was.
#pragma once

#if !__has_include(<unistd.h>)
#    error "tenon: tenon/io/file.hpp needs a POSIX system (open, fsync, rename)."
#endif

#include <tenon/data/byte_source.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <utility>

namespace tenon::inline TENON_ISA::io {

// The system calls that writing needs, as a type: tests pass one whose n-th call fails.
struct PosixSystem {
    static int open(const char* path, int flags, mode_t mode) { return ::open(path, flags, mode); }
    static ssize_t write(int file, const void* bytes, std::size_t count) { return ::write(file, bytes, count); }
    static int fsync(int file) { return ::fsync(file); }
    static int fchmod(int file, mode_t mode) { return ::fchmod(file, mode); }
    static int close(int file) { return ::close(file); }
    static int rename(const char* from, const char* to) { return ::rename(from, to); }
    static int link(const char* from, const char* to) { return ::link(from, to); }
    static int unlink(const char* path) { return ::unlink(path); }
};

// Writing order: write, fsync, close, rename, fsync of the folder. The new file takes the old one's permissions; a
// symbolic link keeps pointing at its target, which is replaced. A pipe or device holds no old content and is written
// straight into.
//
// A process killed by SIGXFSZ (file size limit) or SIGPIPE never gets to report: a program that sets such limits ignores
// the signal, and gets the failure.
template <class System = PosixSystem>
class AtomicFile {
public:
    AtomicFile() = default;
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    // Without commit() the old file stays and nothing else does.
    ~AtomicFile() { discard(); }

    // Starts a new file for `path`; once per object. `temporary`: the name of the temporary file in the same folder, for a
    // path with one writer: what a killed process left there is removed. Empty: a new name.
    TENON_NOINLINE Status create(const std::string& path, const std::string& temporary = {})
    {
        path_ = path;
        given_ = temporary;
        struct stat old {};
        replaces_ = ::stat(path.c_str(), &old) == 0;
        if (!replaces_ && errno != ENOENT) return data::system_failure(path, "cannot write there", errno);
        if (replaces_ && !S_ISREG(old.st_mode)) return open_directly(old.st_mode);
        if (replaces_ && ::access(path.c_str(), W_OK) != 0)
            return data::system_failure(path, "cannot replace the file", errno);
        if (Status status = follow_link(); !status) return status;
        return create_temporary(replaces_ ? old.st_mode & 0777 : 0666);
    }

    TENON_NOINLINE Status write(const void* bytes, std::size_t count)
    {
        static constexpr std::size_t most = 1u << 30;  // Linux writes at most 2 GiB a call
        const char* at = static_cast<const char*>(bytes);
        while (count > 0) {
            const ssize_t put = System::write(file_, at, count < most ? count : most);
            if (put < 0 && errno == EINTR) continue;
            if (put <= 0) return failure("cannot write the data", put < 0 ? errno : ENOSPC);
            at += put;
            count -= static_cast<std::size_t>(put);
            written_ += static_cast<std::uint64_t>(put);
        }
        return {};
    }

    // Brings what was written to the disk; the old file is still in its place.
    TENON_NOINLINE Status flush()
    {
        if (!direct_ && !flushed_)
            while (System::fsync(file_) != 0)
                if (errno != EINTR) return failure("cannot flush it to the disk", errno);
        flushed_ = true;
        return {};
    }

    // Puts the new file in the old one's place.
    TENON_NOINLINE Status commit()
    {
        if (Status status = flush(); !status) return status;
        // Network file systems report a full disk here at the latest. EINTR: closed on Linux, and flushed already.
        if (System::close(std::exchange(file_, -1)) != 0 && errno != EINTR) return failure("cannot close it", errno);
        if (direct_) return {};
        if (System::rename(temporary_.c_str(), target_.c_str()) != 0)
            return failure("cannot rename its temporary file to it", errno);
        temporary_.clear();
        return flush_folder();
    }

    std::uint64_t written() const { return written_; }

private:
    static int open_retrying(const char* path, int flags, mode_t mode = 0)
    {
        for (;;) {
            const int file = System::open(path, flags, mode);
            if (file >= 0 || errno != EINTR) return file;
        }
    }

    TENON_NOINLINE Status open_directly(mode_t mode)
    {
        if (S_ISDIR(mode)) return data::system_failure(path_, "cannot write there", EISDIR);
        if (S_ISBLK(mode)) return Message{path_} << ": expected a file to write, found a block device";
        replaces_ = false;
        direct_ = true;
        file_ = open_retrying(path_.c_str(), O_WRONLY | O_CLOEXEC);
        if (file_ < 0) return data::system_failure(path_, "cannot open for writing", errno);
        return {};
    }

    // target_: the file itself, where path_ is a symbolic link to it.
    TENON_NOINLINE Status follow_link()
    {
        target_ = path_;
        struct stat link {};
        if (::lstat(path_.c_str(), &link) != 0 || !S_ISLNK(link.st_mode)) return {};
        const std::unique_ptr<char, void (*)(void*)> resolved{replaces_ ? ::realpath(path_.c_str(), nullptr) : nullptr,
                                                              std::free};
        if (!resolved) return Message{path_} << ": expected a file or a free name, found a symbolic link to nothing";
        target_ = resolved.get();
        return {};
    }

    TENON_NOINLINE Status create_temporary(mode_t mode)
    {
        folder_ = target_.substr(0, target_.rfind('/') + 1);  // "" where there is no slash
        static std::atomic<unsigned> counter{0};
        if (!given_.empty()) System::unlink((folder_ + given_).c_str());
        for (int attempt = 0; file_ < 0; ++attempt) {
            // The name does not grow with the file's, which may be as long as the file system allows.
            Message name{folder_};
            if (given_.empty())
                name << ".tenon-" << ::getpid() << "-" << counter++ << ".tmp";
            else
                name << given_;
            std::string text{name.text()};
            file_ = open_retrying(text.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
            const int reason = errno;
            if (file_ >= 0)
                temporary_ = std::move(text);
            else if (reason != EEXIST || attempt == 100)
                return failure("cannot create a temporary file in its folder", reason);
        }
        // Adds back what the umask took. Where the file system refuses, the permissions are narrower, never wider.
        if (replaces_) static_cast<void>(System::fchmod(file_, mode));
        return {};
    }

    TENON_NOINLINE Status failure(const char* what, int error_number) const
    {
        Message message = data::system_failure(path_, what, error_number);
        if (written_ != 0) message << " after " << written_ << " bytes";
        return message << (direct_     ? "; part of the data may have been written"
                           : replaces_ ? "; the old file is unchanged"
                                       : "; no file was left behind");
    }

    // The rename is in the folder's blocks: it survives a power cut once these are flushed.
    TENON_NOINLINE Status flush_folder()
    {
        int outcome = -1;
        const int folder = open_retrying(folder_.empty() ? "." : folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) {
            do outcome = System::fsync(folder);
            while (outcome != 0 && errno == EINTR);
        }
        const int reason = errno;
        if (folder >= 0) System::close(folder);
        // Some file systems cannot flush folders, and a folder may be closed to readers: nothing more can be done there.
        if (outcome == 0 || reason == EINVAL || reason == ENOTSUP || reason == EACCES) return {};
        return data::system_failure(path_, "cannot flush its folder to the disk", reason)
               << "; the new file is in place, but may not outlast a power cut";
    }

    void discard() noexcept
    {
        if (file_ >= 0) System::close(std::exchange(file_, -1));
        if (!temporary_.empty()) System::unlink(temporary_.c_str());
        temporary_.clear();
    }

    std::string path_;       // as given, for messages
    std::string target_;     // with links followed
    std::string folder_;     // of the target, with its slash
    std::string given_;      // the temporary file's name, if it was given
    std::string temporary_;  // empty when there is nothing to remove
    std::uint64_t written_ = 0;
    int file_ = -1;
    bool replaces_ = false;
    bool direct_ = false;
    bool flushed_ = false;
};

}  // namespace tenon::inline TENON_ISA::io
