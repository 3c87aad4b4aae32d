// SPDX-License-Identifier: BSL-1.0
#include <tenon/io/file.hpp>

#include <support/files.hpp>

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace tenon;
using support::Bytes;

namespace {

// PosixSystem whose n-th call fails with a chosen error: every call that writing makes is counted.
struct FaultySystem {
    inline static int countdown = -1;  // calls until the fault; negative: none
    inline static int error = EIO;
    inline static bool short_writes = false;
    inline static std::vector<std::string> calls;

    static void arm(int nth, int number)
    {
        countdown = nth;
        error = number;
        short_writes = false;
        calls.clear();
    }
    static bool fails(const char* call)
    {
        calls.emplace_back(call);
        if (countdown < 0 || countdown-- > 0) return false;
        errno = error;
        return true;
    }

    static int open(const char* path, int flags, mode_t mode)
    {
        return fails("open") ? -1 : io::PosixSystem::open(path, flags, mode);
    }
    static ssize_t write(int file, const void* bytes, std::size_t count)
    {
        if (fails("write")) return -1;
        return io::PosixSystem::write(file, bytes, short_writes && count > 7 ? 7 : count);
    }
    static int fsync(int file) { return fails("fsync") ? -1 : io::PosixSystem::fsync(file); }
    static int fchmod(int file, mode_t mode) { return fails("fchmod") ? -1 : io::PosixSystem::fchmod(file, mode); }
    static int close(int file)
    {
        // A close that reports an error has closed all the same.
        const int status = io::PosixSystem::close(file);
        return fails("close") ? -1 : status;
    }
    static int rename(const char* from, const char* to)
    {
        return fails("rename") ? -1 : io::PosixSystem::rename(from, to);
    }
    static int unlink(const char* path) { return io::PosixSystem::unlink(path); }
};

template <class System = io::PosixSystem>
Status replace(const std::string& path, const Bytes& bytes, std::size_t block = 1000)
{
    io::AtomicFile<System> file;
    if (Status status = file.create(path); !status) return status;
    for (std::size_t at = 0; at < bytes.size(); at += block) {
        const std::size_t count = bytes.size() - at < block ? bytes.size() - at : block;
        if (Status status = file.write(bytes.data() + at, count); !status) return status;
    }
    return file.commit();
}

bool says(const Status& status, const std::string& text)
{
    return !status && status.error().find(text) != std::string::npos;
}

// Runs in a child process, for limits and signals: true where it exits with 0.
template <class Body>
bool child(Body body)
{
    const pid_t id = fork();
    REQUIRE(id >= 0);
    if (id == 0) _exit(body() ? 0 : 1);
    int status = 0;
    REQUIRE(waitpid(id, &status, 0) == id);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

const Bytes old_bytes = support::bytes_of("the old contents");
const Bytes new_bytes(3500, 0x5a);

}  // namespace

TEST_CASE("file: replaces what was there, and makes what was not")
{
    const support::Folder folder;
    const std::string path = folder / "file";
    REQUIRE(replace(path, old_bytes));
    CHECK(support::read_bytes(path) == old_bytes);
    REQUIRE(replace(path, new_bytes));
    CHECK(support::read_bytes(path) == new_bytes);
    REQUIRE(replace(path, {}));
    CHECK(support::read_bytes(path).empty());
    CHECK(folder.entries() == 1);
}

TEST_CASE("file: without a commit nothing happens")
{
    const support::Folder folder;
    const std::string path = folder / "file";
    support::write_bytes(path, old_bytes);
    {
        io::AtomicFile<> file;
        REQUIRE(file.create(path));
        REQUIRE(file.write("x", 1));
        CHECK(folder.entries() == 2);
        CHECK(file.written() == 1);
    }
    CHECK(support::read_bytes(path) == old_bytes);
    CHECK(folder.entries() == 1);
}

TEST_CASE("file: a fault at every call leaves the old file whole, or the new one, and says which")
{
    for (const bool exists : {true, false}) {
        for (const int error : {EIO, ENOSPC, EINTR, EDQUOT}) {
            int faults = 0;
            for (int nth = 0;; ++nth) {
                const support::Folder folder;
                const std::string path = folder / "file";
                if (exists) support::write_bytes(path, old_bytes);
                FaultySystem::arm(nth, error);
                const auto result = replace<FaultySystem>(path, new_bytes);
                const bool reached = FaultySystem::countdown < 0;
                if (!reached) {
                    // The fault lies beyond the last call: all has gone well.
                    REQUIRE(result);
                    break;
                }
                ++faults;
                const std::string call = FaultySystem::calls[static_cast<std::size_t>(nth)];
                CAPTURE(call);
                CAPTURE(nth);
                const bool replaced = std::filesystem::exists(path) && support::read_bytes(path) == new_bytes;
                if (result) {
                    // Interrupted calls are made again, permissions are best effort, and so is the folder's handle.
                    CHECK((error == EINTR || call == "fchmod" || call == "close"));
                    CHECK(replaced);
                } else {
                    CHECK(says(result, path + ": "));
                    CHECK(says(result, std::generic_category().message(error)));
                    if (says(result, "the new file is in place")) {
                        CHECK(replaced);
                    } else if (exists) {
                        CHECK(says(result, "the old file is unchanged"));
                        CHECK(support::read_bytes(path) == old_bytes);
                    } else {
                        CHECK(says(result, "no file was left behind"));
                        CHECK(!std::filesystem::exists(path));
                    }
                }
                CHECK(folder.entries() == (replaced || exists ? 1 : 0));
            }
            CHECK(faults >= 10);  // open, 4 writes, fsync, close, rename, open, fsync, close and perhaps fchmod
        }
    }
    FaultySystem::arm(-1, EIO);
}

TEST_CASE("file: the order of the calls is write, flush, close, rename, flush the folder")
{
    const support::Folder folder;
    FaultySystem::arm(-1, EIO);
    REQUIRE(replace<FaultySystem>(folder / "file", new_bytes));
    CHECK(FaultySystem::calls == std::vector<std::string>{"open", "write", "write", "write", "write", "fsync", "close",
                                                          "rename", "open", "fsync", "close"});
}

TEST_CASE("file: short writes are carried on with")
{
    const support::Folder folder;
    FaultySystem::arm(-1, EIO);
    FaultySystem::short_writes = true;
    REQUIRE(replace<FaultySystem>(folder / "file", new_bytes));
    CHECK(support::read_bytes(folder / "file") == new_bytes);
    CHECK(FaultySystem::calls.size() > 500);
}

TEST_CASE("file: permissions stay, links keep pointing")
{
    namespace fs = std::filesystem;
    const support::Folder folder;
    const std::string path = folder / "file", link = folder / "link";
    support::write_bytes(path, old_bytes);
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
    fs::create_symlink("file", link);
    REQUIRE(replace(link, new_bytes));
    CHECK(fs::is_symlink(link));
    CHECK(support::read_bytes(path) == new_bytes);
    CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read));
    fs::create_symlink("nowhere", folder / "dangling");
    CHECK(says(replace(folder / "dangling", new_bytes), "found a symbolic link to nothing"));
    CHECK(folder.entries() == 3);
}

TEST_CASE("file: a name without a folder is in the working one")
{
    const support::Folder folder;
    CHECK(child([&] { return chdir(folder.path().c_str()) == 0 && replace("file", new_bytes); }));
    CHECK(support::read_bytes(folder / "file") == new_bytes);
    CHECK(folder.entries() == 1);
}

TEST_CASE("file: places that cannot be written to")
{
    const support::Folder folder;
    CHECK(says(replace(folder.path().string(), new_bytes), "cannot write there: Is a directory"));
    CHECK(says(replace(folder / "none/file", new_bytes),
               "none/file: cannot create a temporary file in its folder: No such file or directory"));
    CHECK(says(replace("", new_bytes), "cannot "));
    CHECK(says(replace("/dev/full", new_bytes),
               "/dev/full: cannot write the data: No space left on device; part of the data may have been written"));
    CHECK(replace("/dev/null", new_bytes));
    // The longest name a file system takes is no problem for the temporary one.
    CHECK(replace(folder / std::string(255, 'x'), new_bytes));
    CHECK(folder.entries() == 1);
}

TEST_CASE("file: a read-only file and a read-only folder")
{
    if (geteuid() == 0) return;  // root writes anywhere
    namespace fs = std::filesystem;
    const support::Folder folder;
    support::write_bytes(folder / "file", old_bytes);
    fs::permissions(folder / "file", fs::perms::owner_read);
    CHECK(says(replace(folder / "file", new_bytes), "cannot replace the file: Permission denied"));
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    CHECK(
        says(replace(folder / "other", new_bytes), "cannot create a temporary file in its folder: Permission denied"));
    fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("file: the file size limit of the process")
{
    const support::Folder folder;
    const std::string path = folder / "file";
    support::write_bytes(path, old_bytes);
    CHECK(child([&] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{2000, 2000};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
        return says(replace(path, new_bytes),
                    "file: cannot write the data: File too large after 2000 bytes; the old file is unchanged");
    }));
    CHECK(support::read_bytes(path) == old_bytes);
    CHECK(folder.entries() == 1);
}

TEST_CASE("file: a full disk")
{
    const support::Folder folder;
    const std::string path = folder / "file";
    // In a child with mounts of its own, which end with it. Needs root, or a system that lets users have namespaces.
    const bool held = child([&] {
        if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return true;
        if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return true;
        if (mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0) return true;
        const Bytes large(40'000, 1), larger(50'000, 2);
        if (!replace(path, large)) return false;
        return says(replace(path, larger), "No space left on device after ") && support::read_bytes(path) == large &&
               folder.entries() == 1;
    });
    CHECK(held);
}
