// SPDX-License-Identifier: BSL-1.0
#include <tenon/data/idx.hpp>

#include <support/gzip.hpp>

#include <doctest/doctest.h>

#include <algorithm>

using namespace tenon;
using support::Bytes;
using support::operator+;

namespace {

using Small = Shape<2, 3, 1>;
using Mnist = Shape<28, 28, 1>;

Bytes word(std::uint32_t value)
{
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

// An IDX file of unsigned bytes.
Bytes idx(const std::vector<std::uint32_t>& extents, const Bytes& values)
{
    Bytes file = {0, 0, 8, static_cast<std::uint8_t>(extents.size())};
    for (const std::uint32_t extent : extents) file = file + word(extent);
    return file + values;
}

Bytes ramp(std::size_t count)
{
    Bytes values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>(i * 7);
    return values;
}

// Reads both from memory, gzip or not, as load_idx would from files.
template <class S = Small>
Result<data::LabelledImages<S>> read(const Bytes& images, const Bytes& labels, data::IdxOptions options = {})
{
    std::unique_ptr<data::ByteSource> image_source = std::make_unique<data::MemorySource>(images, "images");
    std::unique_ptr<data::ByteSource> label_source = std::make_unique<data::MemorySource>(labels, "labels");
    if (Status status = data::inflate_if_packed(image_source); !status) return status.failure();
    if (Status status = data::inflate_if_packed(label_source); !status) return status.failure();
    return data::try_read_idx_images<S>(*image_source, *label_source, options);
}

template <class S = Small>
std::string error_of(const Bytes& images, const Bytes& labels, data::IdxOptions options = {})
{
    const auto result = read<S>(images, labels, options);
    return result ? "no error" : result.error();
}

const Bytes good_images = idx({4, 2, 3}, ramp(24));
const Bytes good_labels = idx({4}, {3, 0, 9, 1});

}  // namespace

TEST_CASE("idx: images and labels, plain and gzipped")
{
    for (const bool packed : {false, true}) {
        const auto images = packed ? read(support::gzip(good_images), support::gzip(good_labels))
                                   : read(good_images, good_labels);
        REQUIRE(images);
        const auto& rows = images.value();
        REQUIRE(rows.size() == 4);
        CHECK(rows.classes() == 10);
        CHECK(rows.label(2) == 9);
        CHECK(rows.pixels(1)[0] == 42);
        const Tensor<float, Shape<2, 3, 1>> image = rows.input(1);
        for (std::size_t i = 0; i < 6; ++i) CHECK(image[i] == static_cast<float>(rows.pixels(1)[i]) / 255.0f);

        const std::uint32_t indices[] = {3, 1, 1};
        float inputs[18];
        std::int32_t targets[3];
        rows.gather(indices, inputs, targets);
        CHECK(targets[0] == 1);
        CHECK(targets[2] == 0);
        CHECK(std::equal(image.begin(), image.end(), inputs + 6));
        CHECK(std::equal(image.begin(), image.end(), inputs + 12));
    }
}

TEST_CASE("idx: bytes scale to the same float as byte / 255")
{
    const Bytes values = [] {
        Bytes all(256);
        for (std::size_t i = 0; i < 256; ++i) all[i] = static_cast<std::uint8_t>(i);
        return all;
    }();
    const data::LabelledImages<Shape<256>> images{values, {0}, 1};
    const auto row = images.input(0);
    for (std::size_t i = 0; i < 256; ++i) REQUIRE(row[i] == static_cast<float>(i) / 255.0f);
    CHECK(row[255] == 1.0f);
}

TEST_CASE("idx: the shape fits the file's extents, trailing ones aside")
{
    CHECK(error_of<Shape<2, 3>>(good_images, good_labels) == "no error");
    CHECK(error_of<Shape<2, 3, 1, 1>>(good_images, good_labels) == "no error");
    CHECK(error_of<Shape<2, 3>>(idx({4, 2, 3, 1}, ramp(24)), good_labels) == "no error");
    CHECK(error_of<Shape<2, 1, 3>>(idx({4, 2, 1, 3}, ramp(24)), good_labels) == "no error");
    CHECK(error_of<Shape<3, 2, 1>>(good_images, good_labels) ==
          "images: byte 4: expected images of (3, 2, 1), found extents (4, 2, 3), the first of them the number of "
          "images");
    CHECK(error_of<Shape<6>>(good_images, good_labels).find("expected images of (6)") != std::string::npos);
    CHECK(error_of<Shape<2, 3, 3>>(good_images, good_labels).find("expected images of (2, 3, 3)") != std::string::npos);
}

TEST_CASE("idx: no image is no error")
{
    const auto none = read(idx({0, 2, 3}, {}), idx({0}, {}));
    REQUIRE(none);
    CHECK(none.value().size() == 0);
}

TEST_CASE("idx: every malformed file names place, expected and found")
{
    CHECK(error_of({}, good_labels) ==
          "images: byte 0: expected 4 bytes of IDX magic, found 0 bytes before the end of the data");
    CHECK(error_of({0, 0, 8}, good_labels) ==
          "images: byte 0: expected 4 bytes of IDX magic, found 3 bytes before the end of the data");
    CHECK(error_of({1, 0, 8, 3, 0, 0, 0, 4}, good_labels) ==
          "images: byte 0: expected the IDX magic 000008 and a rank, found 0x01000803");
    CHECK(error_of({0, 0, 0x0a, 3}, good_labels).find("0x00000a03") != std::string::npos);
    CHECK(error_of({0, 0, 8, 0}, good_labels).find("0x00000800") != std::string::npos);
    CHECK(error_of({0, 0, 0x0d, 3, 0, 0, 0, 4}, good_labels) ==
          "images: byte 2: expected type 0x08 (unsigned bytes), found type 0x0d (floats)");
    CHECK(error_of({0, 0, 8, 3, 0, 0, 0, 4, 0, 0}, good_labels) ==
          "images: byte 8: expected 4 bytes of extent, found 2 bytes before the end of the data");
    CHECK(error_of(idx({4, 2, 3}, ramp(23)), good_labels) ==
          "images: byte 16: expected 24 bytes of pixels, found 23 bytes before the end of the data");
    CHECK(error_of(idx({4, 2, 3}, ramp(26)), good_labels) ==
          "images: byte 40: expected the end of the data after pixels, found 2 trailing bytes");
    CHECK(error_of(good_images, idx({4}, {3, 0, 9, 1, 1})) ==
          "labels: byte 12: expected the end of the data after labels, found 1 trailing bytes");
    CHECK(error_of(good_images, idx({3}, {3, 0, 9})) ==
          "labels: byte 4: expected 4 labels, one per image of images, found 3");
    CHECK(error_of(good_images, idx({4, 1}, {3, 0, 9, 1})) ==
          "labels: byte 3: expected rank 1 (one label per image), found extents (4, 1)");
    CHECK(error_of(good_images, idx({4}, {3, 0, 10, 1})) ==
          "labels: byte 10 (label 2): expected a class below 10, found 10");
    CHECK(error_of(good_images, good_labels, {.classes = 4}) ==
          "labels: byte 10 (label 2): expected a class below 4, found 9");
    CHECK(error_of(good_labels, good_images).find("expected images of (2, 3, 1), found extents (4)") !=
          std::string::npos);
}

TEST_CASE("idx: extents that overflow or promise more than there is")
{
    const std::uint32_t most = 0xffffffff;
    const auto whole = [](const Bytes& bytes) {
        data::MemorySource source{bytes, "file"};
        const auto result = data::try_read_idx(source);
        return result ? "no error" : result.error();
    };
    CHECK(whole(idx({most, most, most}, {})) ==
          "file: byte 4: expected extents whose product fits a memory, found (4294967295, 4294967295, "
          "4294967295)");
    CHECK(whole(idx({0x80000000, 0x80000000, 4}, {})).find("fits a memory") != std::string::npos);
    CHECK(whole(idx({most}, {})) ==
          "file: byte 8: expected 4294967295 bytes of values, found 0 bytes before the end of the data");
    CHECK(whole(idx({most, most, 0}, {})) == "no error");
    CHECK(whole(idx({0, most, most}, {1})).find("1 trailing bytes") != std::string::npos);
    CHECK(whole(Bytes{0, 0, 8, 255} + Bytes(255 * 4, 1)).find("fits a memory") != std::string::npos);
    CHECK(error_of(idx({most, 2, 3}, ramp(24)), idx({most}, {1})).find("expected 4294967295 bytes of labels") !=
          std::string::npos);
    // The same through gzip, where the size cannot be known beforehand.
    CHECK(error_of(support::gzip(idx({most, 2, 3}, ramp(24))), support::gzip(idx({most}, {1}))) ==
          "labels: byte 8: expected 4294967295 bytes of labels, found 1 bytes before the end of the data");
}

TEST_CASE("idx: damaged gzip")
{
    const Bytes packed = support::gzip(good_images);
    const Bytes cut(packed.begin(), packed.end() - 3);
    CHECK(error_of(cut, good_labels).find("expected more of the gzip stream, found the end of the file") !=
          std::string::npos);
    Bytes wrong_sum = packed;
    wrong_sum[packed.size() - 8] ^= 1;
    CHECK(error_of(wrong_sum, good_labels).find("found incorrect data check") != std::string::npos);
    Bytes wrong_size = packed;
    wrong_size[packed.size() - 1] ^= 1;
    CHECK(error_of(wrong_size, good_labels).find("found incorrect length check") != std::string::npos);
    const std::string trailing = error_of(packed + Bytes{1, 2, 3}, good_labels);
    CHECK(trailing.find("expected the end of the file or another gzip member") != std::string::npos);
    CHECK(trailing.find("compressed byte ") != std::string::npos);
    // Several members are one stream.
    const Bytes half(good_images.begin(), good_images.begin() + 20), rest(good_images.begin() + 20, good_images.end());
    CHECK(read(support::gzip(half) + support::gzip({}) + support::gzip(rest), good_labels));
    CHECK(error_of(support::gzip(good_images) + support::gzip(rest), good_labels).find("trailing bytes") !=
          std::string::npos);
    CHECK(error_of(support::gzip(support::gzip(good_images)), good_labels).find("IDX magic") != std::string::npos);
}

TEST_CASE("idx: every prefix and bit flips of good files end in an error or in sound data")
{
    std::size_t accepted = 0;
    const auto check = [&](const Bytes& images, const Bytes& labels) {
        const auto result = read(images, labels);
        if (!result) {
            REQUIRE(result.error().find("expected") != std::string::npos);
            return;
        }
        ++accepted;
        REQUIRE(result.value().size() == 4);
        for (std::size_t i = 0; i < 4; ++i) REQUIRE(result.value().label(i) < 10);
    };
    for (const bool packed : {false, true}) {
        const Bytes images = packed ? support::gzip(good_images) : good_images;
        const Bytes labels = packed ? support::gzip(good_labels) : good_labels;
        support::each_damage(images, 1000, [&](const Bytes& damaged) { check(damaged, labels); });
        support::each_damage(labels, 1000, [&](const Bytes& damaged) { check(images, damaged); });
        // Plain pixels carry no check sum, and a gzip header has bytes that mean nothing here (time, system).
        CHECK(accepted > 0);
        if (packed) CHECK(accepted < 1000);
        accepted = 0;
    }
}

TEST_CASE("idx: load_idx finds the usual names, plain and .gz")
{
    for (const char* separator : {"-", "."}) {
        for (const bool packed : {false, true}) {
            const support::Folder folder;
            for (const char* set : {"train", "t10k"}) {
                const std::string end = packed ? "-ubyte.gz" : "-ubyte";
                const std::string images = std::string{set} + "-images" + separator + "idx3" + end;
                const std::string labels = std::string{set} + "-labels" + separator + "idx1" + end;
                support::write_bytes(folder / images, packed ? support::gzip(good_images) : good_images);
                support::write_bytes(folder / labels, packed ? support::gzip(good_labels) : good_labels);
            }
            const auto dataset = data::load_idx<Small>(folder.path());
            CHECK(dataset.train.size() == 4);
            CHECK(dataset.test.label(0) == 3);
            CHECK(data::load_idx<Small>(folder.path().string() + "/").test.size() == 4);
            CHECK_THROWS_AS(data::load_idx<Mnist>(folder.path()), Error);
        }
    }
}

TEST_CASE("idx: missing folders and files, files that cannot be read")
{
    const support::Folder folder;
    const std::string expected =
        folder.path().string() +
        ": expected one of train-images-idx3-ubyte, train-images-idx3-ubyte.gz, train-images.idx3-ubyte, "
        "train-images.idx3-ubyte.gz, found none of them";
    CHECK_THROWS_WITH_AS(data::load_idx<Small>(folder.path()), expected.c_str(), Error);
    CHECK_THROWS_AS(data::load_idx<Small>(folder / "none"), Error);
    CHECK_THROWS_AS(data::read_idx(folder.path()), Error);
    CHECK_THROWS_WITH_AS(data::read_idx(folder / "none"),
                         ((folder / "none") + ": cannot open for reading: No such file or directory").c_str(), Error);
    // A name that says .gz does not make it so, and the other way round.
    support::write_bytes(folder / "plain.gz", good_images);
    support::write_bytes(folder / "packed", support::gzip(good_images));
    CHECK(data::read_idx(folder / "plain.gz").values == data::read_idx(folder / "packed").values);
    support::write_bytes(folder / "labels", good_labels);
    CHECK(data::read_idx_images<Small>(folder / "packed", folder / "labels").size() == 4);
}
