// SPDX-License-Identifier: BSL-1.0
// What tests of readers and writers share: a folder that goes away, files by bytes, damage.
#pragma once

#include <tenon/core/random.hpp>

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace support {

using Bytes = std::vector<std::uint8_t>;

// The folder tests/ of this checkout; defined in main.cpp.
std::string tests_folder();

inline Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

inline Bytes operator+(Bytes a, const Bytes& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

inline void write_bytes(const std::filesystem::path& path, std::span<const std::uint8_t> bytes)
{
    std::ofstream file{path, std::ios::binary};
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline Bytes read_bytes(const std::filesystem::path& path)
{
    std::ifstream file{path, std::ios::binary};
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>{file}, {}};
}

// A new empty folder, removed with all it holds.
class Folder {
public:
    Folder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "tenon-test-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
        path_ = name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    const std::filesystem::path& path() const { return path_; }
    std::size_t entries() const
    {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator{path_}, std::filesystem::directory_iterator{}));
    }

private:
    std::filesystem::path path_;
};

// Calls check(damaged) for every prefix of `good` but the whole, and for `flips` copies with one bit flipped each (all
// bits where there are fewer).
template <class Check>
void each_damage(const Bytes& good, std::size_t flips, Check check)
{
    for (std::size_t length = 0; length < good.size(); ++length)
        check(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length)));
    tenon::Random random{tenon::Seed{good.size()}};
    const std::size_t bits = good.size() * 8;
    for (std::size_t i = 0; i < (flips < bits ? flips : bits); ++i) {
        const std::size_t bit = flips < bits ? static_cast<std::size_t>(random.below(bits)) : i;
        Bytes damaged = good;
        damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1u << bit % 8));
        check(damaged);
    }
}

}  // namespace support
