// SPDX-License-Identifier: BSL-1.0
// Readers hold at most 4 × the file + 1 MiB while they read, whatever the file says; and an allocation that fails, at any
// point, leaves nothing behind: no memory, no open file, no half-written one.
#include "counted.hpp"

#include <tenon/data/csv.hpp>
#include <tenon/data/idx.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/layers/activation.hpp>
#include <tenon/layers/dense.hpp>
#include <tenon/model/initialize.hpp>
#include <tenon/network/network.hpp>

#include <support/gzip.hpp>

#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace tenon;
using support::Bytes;
using support::operator+;

namespace {

using Small = Shape<2, 3, 1>;
using Mnist = Shape<28, 28, 1>;
using Net = Network<Input<200>, Dense<150>, ReLU, Dense<10>>;
constexpr std::size_t mebibyte = 1024 * 1024;

// The most bytes that body holds beyond those that were there before.
template <class Body>
std::size_t peak_of(Body body)
{
    counted::reset_peak();
    const std::size_t before = counted::live();
    body();
    return counted::peak() - before;
}

// Descriptors that are open now.
std::size_t open_files()
{
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, std::filesystem::directory_iterator{}));
}

// Runs body with a failure at the first allocation, then at the second, and so on until none fails.
template <class Body>
long exhaust(Body body)
{
    const std::size_t files = open_files();
    for (long nth = 0;; ++nth) {
        const std::size_t before = counted::live();
        bool refused = false;
        counted::fail_at(nth);
        try {
            body();
        } catch (const std::bad_alloc&) {
            refused = true;
        }
        const bool failed = counted::failed();
        counted::fail_at(-1);
        REQUIRE(refused == failed);
        REQUIRE(counted::live() == before);
        REQUIRE(open_files() == files);
        if (!failed) return nth;
    }
}

Bytes idx_images(std::uint32_t rows, bool zeros)
{
    Bytes file = {0,
                  0,
                  8,
                  3,
                  static_cast<std::uint8_t>(rows >> 24),
                  static_cast<std::uint8_t>(rows >> 16),
                  static_cast<std::uint8_t>(rows >> 8),
                  static_cast<std::uint8_t>(rows),
                  0,
                  0,
                  0,
                  28,
                  0,
                  0,
                  0,
                  28};
    Random random{Seed{7}};
    for (std::size_t i = 0; i < std::size_t{rows} * 784; ++i)
        file.push_back(zeros || i % 2 == 0 ? 0 : static_cast<std::uint8_t>(random.bits()));
    return file;
}

Parameters<Net> weights()
{
    Parameters<Net> parameters;
    initialize(parameters, Seed{1});
    return parameters;
}

}  // namespace

TEST_CASE("memory: an IDX file, plain and gzipped")
{
    const support::Folder folder;
    const Bytes file = idx_images(8000, false);  // 6 MB
    support::write_bytes(folder / "plain", file);
    const Bytes packed = support::gzip(file);
    support::write_bytes(folder / "packed", packed);
    for (const char* name : {"plain", "packed"}) {
        const std::size_t size = std::filesystem::file_size(folder / name);
        std::size_t values = 0;
        const std::size_t peak = peak_of([&] { values = data::read_idx(folder / name).values.size(); });
        CHECK(values == file.size() - 16);
        CHECK(peak <= 4 * size + mebibyte);
        // In fact hardly more than the values themselves.
        CHECK(peak <= values + mebibyte / 4);
    }
    // A thousand to one: no bound by the packed size can hold the values, but three times the values does.
    support::write_bytes(folder / "zeros", support::gzip(idx_images(8000, true)));
    CHECK(peak_of([&] { static_cast<void>(data::read_idx(folder / "zeros")); }) <= 3 * file.size() + mebibyte);
}

TEST_CASE("memory: a header that promises gigabytes costs what its file is worth")
{
    const support::Folder folder;
    Bytes promise = {0, 0, 8, 3, 0x3f, 0xff, 0xff, 0xff, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3};
    support::write_bytes(folder / "plain", promise);
    support::write_bytes(folder / "packed", support::gzip(promise));
    for (const char* name : {"plain", "packed"})
        CHECK(peak_of([&] { CHECK(!data::try_read_idx(folder / name)); }) <= mebibyte / 4);
    // Half of what is promised, highly packed.
    promise.resize(4 * mebibyte);
    const Bytes packed = support::gzip(promise);
    support::write_bytes(folder / "packed", packed);
    CHECK(packed.size() < 10'000);
    CHECK(peak_of([&] { CHECK(!data::try_read_idx(folder / "packed")); }) <= 3 * promise.size() + mebibyte);
}

TEST_CASE("memory: safetensors headers of the most expensive kinds")
{
    const auto bounded = [](const std::string& header, std::uint64_t data) {
        Bytes file(8);
        for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<std::uint8_t>(header.size() >> (8 * i));
        file = file + support::bytes_of(header);
        file.resize(file.size() + static_cast<std::size_t>(data));
        const support::Folder folder;
        support::write_bytes(folder / "x", file);
        Bytes{}.swap(file);
        std::string error;
        const std::size_t size = std::filesystem::file_size(folder / "x");
        const std::size_t peak = peak_of([&] {
            io::SafetensorsFile reader;
            if (const Status status = reader.open(folder / "x"); !status) error = status.error();
        });
        CHECK(error == "");
        CHECK(peak <= 4 * size + mebibyte);
    };
    std::string tensors = "{", metadata = R"({"__metadata__":{)", axes = "{";
    for (int i = 0; i < 40'000; ++i) {
        const std::string name = std::to_string(i);
        const std::string comma = i == 0 ? "\"" : ",\"";
        tensors += comma + name + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
        metadata += comma + name + R"(":"")";
        if (i < 20'000)
            axes +=
                comma + name +
                R"(":{"dtype":"U8","shape":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"data_offsets":[0,0]})";
    }
    bounded(tensors + "}", 0);                                                       // 2.1 × the file
    bounded(metadata + "}}", 0);                                                     // 3.3 ×
    bounded(axes + "}", 0);                                                          // 3.6 ×
    bounded(R"({"__metadata__":{"k":")" + std::string(4'000'000, 'x') + "\"}}", 0);  // 2.0 ×
}

TEST_CASE("memory: loading and saving a model")
{
    const support::Folder folder;
    const Parameters<Net> saved = weights();
    CHECK(peak_of([&] { save(saved, folder / "x"); }) <= mebibyte / 4);
    Parameters<Net> loaded;
    const std::size_t size = std::filesystem::file_size(folder / "x");
    CHECK(peak_of([&] { load(loaded, folder / "x"); }) <= 2 * size + mebibyte / 4);
}

TEST_CASE("memory: a CSV file")
{
    const support::Folder folder;
    std::string text = "a,b,c\n";
    for (int i = 0; i < 500'000; ++i) text += "1,2,3\n";
    support::write_bytes(folder / "x.csv", support::bytes_of(text));
    CHECK(peak_of([&] { static_cast<void>(data::load_csv<Shape<2>, Shape<1>>(folder / "x.csv")); }) <=
          4 * text.size() + mebibyte);
}

TEST_CASE("memory: every allocation of every reader and writer may fail")
{
    const support::Folder folder;
    const Bytes images = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
    for (const char* set : {"train", "t10k"}) {
        support::write_bytes(folder / (std::string{set} + "-images.idx3-ubyte.gz"), support::gzip(images));
        support::write_bytes(folder / (std::string{set} + "-labels-idx1-ubyte"), Bytes{0, 0, 8, 1, 0, 0, 0, 1, 3});
    }
    CHECK(exhaust([&] { static_cast<void>(data::load_idx<Small>(folder.path())); }) > 20);
    CHECK(exhaust([&] { static_cast<void>(data::try_load_idx<Mnist>(folder.path())); }) > 20);
    support::write_bytes(folder / "x.csv", support::bytes_of("a,\"b\"\"\",c\n1,2,yes\n3,4,no\n"));
    CHECK(exhaust([&] { static_cast<void>(data::load_csv<Shape<2>, data::Label>(folder / "x.csv")); }) > 10);

    const Parameters<Net> saved = weights();
    const std::string path = folder / "x.safetensors";
    const std::size_t entries = folder.entries();
    // Whole or not at all: after each failure the file is the first one, the last or none.
    CHECK(exhaust([&] {
              try {
                  save(saved, path);
              } catch (const std::bad_alloc&) {
                  counted::fail_at(-1);
                  REQUIRE(folder.entries() == entries);
                  throw;
              }
          }) > 10);
}

TEST_CASE("memory: an allocation that fails while loading leaves the model as it was")
{
    const support::Folder folder;
    const std::string path = folder / "x";
    save(weights(), path);
    Parameters<Net> model;
    const std::uint64_t before = model.fingerprint();
    for (long nth = 0;; ++nth) {
        counted::fail_at(nth);
        bool refused = false;
        try {
            load(model, path);
        } catch (const std::bad_alloc&) {
            refused = true;
        }
        counted::fail_at(-1);
        if (!refused) break;
        REQUIRE(model.fingerprint() == before);
    }
    CHECK(model.fingerprint() == weights().fingerprint());
}

TEST_CASE("memory: the real Fashion-MNIST, where it is installed")
{
    if (!std::filesystem::exists(TENON_FASHION_MNIST)) return;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator{TENON_FASHION_MNIST}) files += entry.file_size();
    std::size_t rows = 0;
    const std::size_t peak = peak_of([&] {
        const auto dataset = data::load_idx<Mnist>(TENON_FASHION_MNIST);
        rows = dataset.train.size() + dataset.test.size();
    });
    CHECK(rows == 70'000);
    CHECK(peak <= 4 * files + mebibyte);
}
