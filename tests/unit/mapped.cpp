// SPDX-License-Identifier: BSL-1.0
// Datasets in mapped files and in many of them: the same rows and bits as in memory, and files that are not what they should be.
#include <tenon/data/mapped_idx.hpp>
#include <tenon/data/raw.hpp>
#include <tenon/layers/layers.hpp>
#include <tenon/losses/cross_entropy.hpp>
#include <tenon/optimizers/adam.hpp>
#include <tenon/training/trainer.hpp>

#include "support/gzip.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <vector>

using namespace tenon;
using support::Bytes;
using support::operator+;

namespace {

using Image = Shape<4, 3, 1>;

Bytes random_bytes(std::size_t count, unsigned bound, std::uint64_t seed)
{
    Random random{Seed{seed}};
    Bytes bytes(count);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.below(bound));
    return bytes;
}

Bytes idx(std::vector<std::uint8_t> extents, const Bytes& values)
{
    Bytes bytes{0, 0, 8, static_cast<std::uint8_t>(extents.size())};
    for (const std::uint8_t extent : extents) bytes = bytes + Bytes{0, 0, 0, extent};
    return bytes + values;
}

template <class T>
Bytes bytes_of(const std::vector<T>& values)
{
    Bytes bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

template <class D>
std::uint64_t trained_on(const D& dataset, int threads = 1)
{
    Model<Network<Input<4, 3, 1>, Flatten, Dense<8>, ReLU, Dense<10>>> model{Seed{1}};
    Trainer{model, CrossEntropy{}, Adam{}}.fit(
        dataset, {.epochs = 2, .batch_size = 16, .threads = threads, .progress = Progress::silent});
    return model.parameters().fingerprint();
}

template <class R>
std::string error_of(const R& result)
{
    return result ? "no error" : result.error();
}

}  // namespace

TEST_CASE("mapped IDX files hold the rows that reading gives, and train to the same bits")
{
    const support::Folder folder;
    const Bytes pixels = random_bytes(90 * 12, 256, 1), labels = random_bytes(90, 10, 2);
    const std::string images_file = folder / "train-images-idx3-ubyte",
                      labels_file = folder / "train-labels-idx1-ubyte";
    support::write_bytes(images_file, idx({90, 4, 3}, pixels));
    support::write_bytes(labels_file, idx({90}, labels));
    support::write_bytes(folder / "t10k-images-idx3-ubyte", idx({1, 4, 3}, random_bytes(12, 256, 3)));
    support::write_bytes(folder / "t10k-labels-idx1-ubyte.gz", support::gzip(idx({1}, {7})));

    const data::LabelledImages<Image> read{pixels, labels, 10};
    const auto mapped = data::map_idx_images<Image>(images_file, labels_file);
    CHECK(mapped.size() == 90);
    CHECK(mapped.classes() == 10);
    for (std::size_t i = 0; i < 90; ++i) {
        CHECK(mapped.input(i) == read.input(i));
        CHECK(mapped.label(i) == read.label(i));
    }
    const auto both = data::map_idx<Image>(folder.path().string());
    CHECK(both.test.label(0) == 7);
    // A dataset outlives the name of its file.
    std::filesystem::remove(images_file);
    CHECK(trained_on(both.train) == trained_on(read));
    CHECK(trained_on(mapped, 3) == trained_on(read));
}

TEST_CASE("IDX files that are cut off, too long, packed or of another shape are refused when they are opened")
{
    const support::Folder folder;
    const std::string images = folder / "images", labels = folder / "labels";
    const Bytes good = idx({5, 4, 3}, random_bytes(60, 256, 1));
    support::write_bytes(labels, idx({5}, {0, 1, 2, 3, 4}));
    const auto opened = [&](const Bytes& bytes, data::IdxOptions options = {}) {
        support::write_bytes(images, bytes);
        return error_of(data::try_map_idx_images<Image>(images, labels, options));
    };
    CHECK(opened(good) == "no error");
    CHECK(opened(Bytes(good.begin(), good.end() - 1)) ==
          images + ": byte 16: expected 60 bytes of pixels, found 59 bytes before the end of the data");
    CHECK(opened(good + Bytes{1, 2}) ==
          images + ": byte 76: expected the end of the data after pixels, found 2 trailing bytes");
    CHECK(opened({}) == images + ": byte 0: expected 4 bytes of IDX magic, found 0 bytes before the end of the data");
    CHECK(opened(support::gzip(good)) ==
          images + ": byte 0: expected an IDX file, found gzip: only a file that is unpacked can be mapped");
    CHECK(
        opened(idx({5, 3, 4}, random_bytes(60, 256, 1))) ==
        images +
            ": byte 4: expected images of (4, 3, 1), found extents (5, 3, 4), the first of them the number of images");
    CHECK(opened(good, {.classes = 4}) == labels + ": byte 12 (label 4): expected a class below 4, found 4");
    CHECK(error_of(data::try_map_idx_images<Image>(folder / "none", labels)) ==
          (folder / "none") + ": cannot open for reading: No such file or directory");
    CHECK(error_of(data::try_map_idx_images<Image>(folder.path().string(), labels)).find("cannot map into memory") !=
          std::string::npos);
    support::each_damage(good, 300, [&](const Bytes& damaged) {
        support::write_bytes(images, damaged);
        const auto result = data::try_map_idx_images<Image>(images, labels);
        if (!result) return;
        // What is let through can be read to its end.
        for (std::size_t i = 0; i < result.value().size(); ++i) result.value().input(i);
    });
}

TEST_CASE("raw records of floats and of bytes, in shards of any size")
{
    const support::Folder folder;
    const std::size_t rows = 100;
    const Bytes pixels = random_bytes(rows * 12, 256, 5), labels = random_bytes(rows, 10, 6);
    const data::LabelledImages<Image> images{pixels, labels, 10};
    std::vector<float> inputs(rows * 12);
    std::vector<std::int32_t> classes(rows);
    std::vector<std::uint32_t> all(rows);
    for (std::size_t i = 0; i < rows; ++i) all[i] = static_cast<std::uint32_t>(i);
    images.gather(all, inputs.data(), classes.data());

    std::vector<std::string> of_bytes, of_floats, of_numbers;
    const std::size_t ends[] = {0, 1, 40, 40, 97, rows};
    for (std::size_t shard = 0; shard + 1 < std::size(ends); ++shard) {
        Bytes as_bytes = bytes_of<std::uint8_t>({9, 9, 9}), as_floats,
              as_numbers;  // the first with a header of 3 bytes
        for (std::size_t i = ends[shard]; i < ends[shard + 1]; ++i) {
            const auto at = static_cast<std::ptrdiff_t>(i * 12);
            as_bytes = as_bytes + Bytes(pixels.begin() + at, pixels.begin() + at + 12) + Bytes{labels[i]};
            const Bytes values = bytes_of(std::vector<float>(inputs.begin() + at, inputs.begin() + at + 12));
            as_floats = as_floats + values + bytes_of<std::int32_t>({classes[i]});
            as_numbers = as_numbers + values + bytes_of<float>({0.5f, static_cast<float>(i)});
        }
        const std::string number = std::to_string(shard);
        support::write_bytes(of_bytes.emplace_back(folder / (number + ".bytes")), as_bytes);
        support::write_bytes(of_floats.emplace_back(folder / (number + ".floats")), as_floats);
        support::write_bytes(of_numbers.emplace_back(folder / (number + ".numbers")), as_numbers);
    }
    const auto bytes = data::map_raw<Image, data::Label, std::uint8_t>(of_bytes, {.classes = 10, .header_bytes = 3});
    const auto floats = data::map_raw<Image, data::Label>(of_floats, {.classes = 10});
    const auto numbers = data::map_raw<Image, Shape<2>>(of_numbers);
    CHECK(bytes.size() == rows);
    CHECK(bytes.classes() == 10);
    for (std::size_t i = 0; i < rows; ++i) {
        CHECK(bytes.input(i) == images.input(i));
        CHECK(bytes.label(i) == images.label(i));
        CHECK(floats.input(i) == images.input(i));
        CHECK(floats.label(i) == images.label(i));
        CHECK(numbers.input(i) == images.input(i));
        CHECK(numbers.target(i) == Tensor<float, Shape<2>>{0.5f, static_cast<float>(i)});
    }
    CHECK(trained_on(bytes, 2) == trained_on(images));
    CHECK(trained_on(floats) == trained_on(images));

    CHECK(data::list_files(folder.path().string(), ".bytes") == of_bytes);
    CHECK(data::list_files(folder.path().string(), ".bytes", {1, 2}) ==
          std::vector<std::string>{of_bytes[1], of_bytes[3]});
    CHECK(error_of(data::try_list_files(folder.path().string(), ".bytes", {0, 6})) ==
          folder.path().string() +
              ": expected a file for each of 6 ranks, the asking one 0, found 5 whose names end in '.bytes'");
    CHECK(error_of(data::try_list_files(folder / "none", "")).find("none: cannot read the folder: ") !=
          std::string::npos);
}

TEST_CASE("raw records that do not end with a record, or have no class where one should be")
{
    const support::Folder folder;
    const std::string file = folder / "rows.bin";
    using Records = data::RawRecords<Shape<2>, data::Label>;
    const Bytes two = bytes_of<float>({1, 2}) + bytes_of<std::int32_t>({3}) + bytes_of<float>({4, 5}) +
                      bytes_of<std::int32_t>({-6});
    support::write_bytes(file, Bytes(two.begin(), two.end() - 1));
    CHECK(error_of(Records::make(file)) ==
          file + ": byte 12: expected a record of 12 bytes, found 11 bytes before the end of the file");
    support::write_bytes(file, two);
    CHECK(error_of(Records::make(file, {.header_bytes = 25})) ==
          file + ": byte 0: expected a header of 25 bytes, found 24 bytes");
    const Records records = Records::make(file, {.classes = 4}).value_or_throw();
    CHECK(records.label(0) == 3);
    CHECK_THROWS_WITH_AS(records.label(1),
                         (file + ": byte 20 (label of row 1): expected a class below 4, found -6").c_str(), Error);
    CHECK(Records::make(file).value_or_throw().label(1) == -6);
    support::write_bytes(file, {});
    CHECK(Records::make(file).value_or_throw().size() == 0);
}
