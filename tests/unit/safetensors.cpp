// SPDX-License-Identifier: BSL-1.0
#include <tenon/io/safetensors.hpp>
#include <tenon/io/safetensors_writer.hpp>
#include <tenon/layers/activation.hpp>
#include <tenon/layers/dense.hpp>
#include <tenon/layers/layer_norm.hpp>
#include <tenon/layers/reshape.hpp>
#include <tenon/model/initialize.hpp>
#include <tenon/network/network.hpp>

#include <support/files.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>

using namespace tenon;
using support::Bytes;
using support::bytes_of;
using support::operator+;

namespace {

Bytes little(std::uint64_t value)
{
    Bytes bytes(8);
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
    return bytes;
}

// A file with that header and `data` bytes 0, 1, 2, … after it.
Bytes file_of(const std::string& header, std::size_t data)
{
    Bytes bytes = little(header.size()) + bytes_of(header);
    for (std::size_t i = 0; i < data; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
    return bytes;
}

std::string error_of(const Bytes& bytes)
{
    io::SafetensorsFile file;
    const Status status = file.open(std::make_unique<data::MemorySource>(bytes, "file"));
    return status ? "no error" : status.error();
}

std::string error_of(const std::string& header, std::size_t data) { return error_of(file_of(header, data)); }

std::string error_of(const Result<Done>& result) { return result ? "no error" : result.error(); }

const std::string good = R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]},)"
                         R"("a":{"shape":[],"data_offsets":[0,4],"dtype":"I32"}})";

using Net = Network<Input<5>, Dense<7>, ReLU, LayerNorm, Dense<3>>;
using OtherActivation = Network<Input<5>, Dense<7>, Tanh, LayerNorm, Dense<3>>;
using OtherSize = Network<Input<5>, Dense<8>, ReLU, LayerNorm, Dense<3>>;
using Shorter = Network<Input<5>, Dense<7>, ReLU, LayerNorm>;
using Longer = Network<Input<5>, Dense<7>, ReLU, LayerNorm, Dense<3>, ReLU, Dense<3>>;

template <class N, class P = Float32>
Parameters<N, P> weights(std::uint64_t seed)
{
    Parameters<N, P> parameters;
    initialize(parameters, Seed{seed});
    return parameters;
}

// What owns parameters as a Model does.
struct Owner {
    Parameters<Net> held = weights<Net>(1);
    Parameters<Net>& parameters() { return held; }
    const Parameters<Net>& parameters() const { return held; }
};

}  // namespace

TEST_CASE("safetensors: header, tensors, metadata")
{
    io::SafetensorsFile file;
    const Bytes bytes = file_of(good + "  ", 20);
    REQUIRE(file.open(std::make_unique<data::MemorySource>(bytes, "file")));
    const io::SafetensorsHeader& header = file.header();
    REQUIRE(header.size() == 2);
    // In the order of their bytes.
    CHECK(header[0].name == "a");
    CHECK(header[0].dtype == io::Dtype::I32);
    CHECK(header[0].shape.empty());
    CHECK(header[1].name == "b");
    CHECK(std::vector<std::uint64_t>(header[1].shape.begin(), header[1].shape.end()) ==
          std::vector<std::uint64_t>{2, 2});
    CHECK(header[1].begin == 4);
    CHECK(header[1].end == 20);
    CHECK(header.find("b") == 1);
    CHECK(header.find("c") == io::SafetensorsHeader::none);
    CHECK(header.metadata_size() == 1);
    CHECK(header.metadata_value(header.find_metadata("k")) == "v");
    CHECK(header.find_metadata("") == io::SafetensorsHeader::none);
    CHECK(file.values<std::int32_t>("a") == std::vector<std::int32_t>{0x03020100});
    const auto values = file.values<float>("b");
    REQUIRE(values.size() == 4);
    CHECK(std::memcmp(values.data(), bytes.data() + bytes.size() - 16, 16) == 0);
    CHECK_THROWS_WITH_AS(file.values<float>("a"), "file: tensor 'a': expected dtype F32, found I32", Error);
    CHECK_THROWS_WITH_AS(file.values<float>("c"), "file: header: expected a tensor 'c', found none of that name",
                         Error);
}

TEST_CASE("safetensors: what the format allows")
{
    CHECK(error_of("{}", 0) == "no error");
    CHECK(error_of("{}\r \t\n", 0) == "no error");
    CHECK(error_of("{ }", 0) == "no error");
    CHECK(error_of(R"({"__metadata__":{}})", 0) == "no error");
    CHECK(error_of(R"({ "t" : { "dtype" : "F32" , "shape" : [ 0 , 7 ] , "data_offsets" : [ 0 , 0 ] } })", 0) ==
          "no error");
    // Extents that would overflow but for a zero, wherever it stands.
    CHECK(error_of(R"({"t":{"dtype":"F32","shape":[18446744073709551615,9,0],"data_offsets":[0,0]}})", 0) ==
          "no error");
    CHECK(error_of(R"({"t":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}})", 3) == "no error");
    CHECK(error_of(R"({"":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1) == "no error");
    // Empty tensors may stand anywhere between others.
    CHECK(
        error_of(
            R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
            R"("c":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
            2) == "no error");
    for (std::size_t i = 0; i < std::size(io::detail::dtypes); ++i) {
        const auto dtype = static_cast<io::Dtype>(i);
        CHECK(error_of(R"({"t":{"dtype":")" + std::string{io::name_of(dtype)} + R"(","shape":[8],"data_offsets":[0,)" +
                           std::to_string(io::bits_of(dtype)) + "]}}",
                       static_cast<std::size_t>(io::bits_of(dtype))) == "no error");
    }
}

TEST_CASE("safetensors: escapes and UTF-8 in names")
{
    io::SafetensorsFile file;
    REQUIRE(file.open(std::make_unique<data::MemorySource>(
        file_of(
            R"({"__metadata__":{"\u0061\"\\\/\b\f\n\r\t\u20ac\ud83d\ude00é€😀":"\u0000"}, "\u0074":{"d\u0074ype":"U8",)"
            R"("shape":[],"data_offsets":[0,1]}})",
            1),
        "file")));
    CHECK(file.header()[0].name == "t");
    CHECK(file.header().metadata_key(0) == "a\"\\/\b\f\n\r\t€😀é€😀");
    CHECK(file.header().metadata_value(0) == std::string_view{"\0", 1});
    for (const char* bad : {"\\x",
                            "\\u12",
                            "\\u123g",
                            "\\ud800",
                            "\\ud800x",
                            "\\ud800\\u0041",
                            "\\udc00",
                            "\\",
                            "\x01",
                            "\n",
                            "\x80",
                            "\xc0\x80",
                            "\xc3",
                            "\xe0\x80\x80",
                            "\xed\xa0\x80",
                            "\xf0\x80\x80\x80",
                            "\xf4\x90\x80\x80",
                            "\xf5\x80\x80\x80",
                            "\xff",
                            "\xe2\x82"})
    {
        CAPTURE(std::string{bad});
        const std::string error = error_of(std::string{R"({"__metadata__":{"k":")"} + bad + R"("}})", 0);
        CHECK(error.find("file: byte ") == 0);
        CHECK(error.find("expected ") != std::string::npos);
    }
}

TEST_CASE("safetensors: every malformed header names place, expected and found")
{
    const auto tensor = [](const std::string& fields) { return "{\"t\":{" + fields + "}}"; };
    const std::string fits = R"("dtype":"U8","shape":[4],"data_offsets":[0,4])";
    REQUIRE(error_of(tensor(fits), 4) == "no error");

    CHECK(error_of(Bytes{}) ==
          "file: byte 0: expected 8 bytes of header length, found 0 bytes before the end of the data");
    CHECK(error_of(Bytes(7)) ==
          "file: byte 0: expected 8 bytes of header length, found 7 bytes before the end of the data");
    CHECK(error_of(Bytes(8)) == "file: byte 8 (header): expected '{' as the first byte, found the end of the header");
    CHECK(error_of(little(3) + bytes_of("{}")) ==
          "file: byte 0: expected a header length within the file (10 bytes) and 100000000, found 3");
    CHECK(error_of(little(~std::uint64_t{0}) + bytes_of("{}")).find("found 18446744073709551615") != std::string::npos);
    CHECK(error_of(little(100'000'001) + Bytes(100, '{')).find("found 100000001") != std::string::npos);
    CHECK(error_of(" {}", 0) == "file: byte 8 (header): expected '{' as the first byte, found ' '");
    CHECK(error_of("[]", 0) == "file: byte 8 (header): expected '{' as the first byte, found '['");
    CHECK(error_of("{", 0) == "file: byte 9 (header): expected a quoted text, found the end of the header");
    CHECK(error_of("{}x", 0) == "file: byte 10 (header): expected spaces only after the header's object, found 'x'");
    CHECK(error_of("{}{}", 0).find("expected spaces only") != std::string::npos);
    CHECK(error_of(std::string{"{}\0", 3}, 0).find("expected spaces only") != std::string::npos);
    CHECK(error_of(R"({"t":null})", 0) == "file: byte 13 (header): expected '{', found 'null'");
    CHECK(error_of(R"({"t" 1})", 0) == "file: byte 13 (header): expected ':', found '1'");
    CHECK(error_of(R"({t:1})", 0) == "file: byte 9 (header): expected a quoted text, found 't'");
    CHECK(error_of(R"({"t)", 0) == "file: byte 9 (header): expected a text with its closing quote, found '\"t'");
    CHECK(error_of(tensor(fits + ","), 4).find("expected a quoted text, found '}'") != std::string::npos);
    CHECK(error_of("{\"t\":{" + fits + "},}", 4).find("expected a quoted text, found '}'") != std::string::npos);
    CHECK(error_of("{\"t\":{" + fits + "}", 4).find("expected ',' or '}', found the end of the header") !=
          std::string::npos);

    CHECK(
        error_of(tensor(R"("dtype":"U8","shape":[4])"), 4) ==
        "file: byte 13 (header): expected a tensor with dtype, shape and data_offsets, found one without data_offsets");
    CHECK(error_of(tensor(""), 0).find("found one without dtype") != std::string::npos);
    CHECK(error_of(tensor(fits + R"(,"dtype":"U8")"), 4).find("expected each name once, found '\"dtype\"'") !=
          std::string::npos);
    CHECK(error_of(tensor(fits + R"(,"strides":[1])"), 4)
              .find("expected 'dtype', 'shape' or 'data_offsets', found '\"strides\"'") != std::string::npos);
    CHECK(error_of("{\"t\":{" + fits + "},\"t\":{" + fits + "}}", 4).find("an overlap") != std::string::npos);
    CHECK(
        error_of(
            R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0074":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
            0) == "file: header: expected each name once, found 't' twice");
    CHECK(error_of(R"({"__metadata__":{"k":"1","k":"2"}})", 0) ==
          "file: header: expected each name once, found 'k' twice");
    CHECK(error_of(R"({"__metadata__":{},"__metadata__":{}})", 0).find("expected each name once") != std::string::npos);
    CHECK(error_of(R"({"__metadata__":{"k":1}})", 0) == "file: byte 29 (header): expected a quoted text, found '1'");
    CHECK(error_of(R"({"__metadata__":{"k":{"l":"m"}}})", 0).find("expected a quoted text, found '{'") !=
          std::string::npos);
    CHECK(error_of(R"({"__metadata__":"k"})", 0).find("expected '{'") != std::string::npos);

    for (const char* dtype : {"\"F33\"", "\"f32\"", "\"\"", "32", "\"F32", "null", "\"F32 \"", "[\"F32\"]"})
        CHECK(error_of(tensor(R"("dtype":)" + std::string{dtype} + R"(,"shape":[1],"data_offsets":[0,4])"), 4)
                  .find("expected a dtype of the format, such as \"F32\", found '") != std::string::npos);
    for (const char* number : {"NaN", "Infinity", "-Infinity", "-1", "+1", "1.0", "1e0", "1E2", "01", "nan", "\"4\"",
                               "18446744073709551616", "99999999999999999999", "null", "true", "[4]", ""})
    {
        CAPTURE(std::string{number});
        for (const std::string field :
             {R"("dtype":"U8","data_offsets":[0,4],"shape":[)", R"("dtype":"U8","shape":[4],"data_offsets":[0,)"})
        {
            const std::string error = error_of(tensor(field + number + "]"), 4);
            if (*number == '\0' && field.find("\"shape\":[4]") == std::string::npos)
                CHECK(error == "file: tensor 't': expected 1 bytes for U8 (), found data_offsets [0, 4]");
            else
                CHECK(error.find("expected a whole number from 0 to 18446744073709551615, found '") !=
                      std::string::npos);
        }
    }
    CHECK(error_of(tensor(R"("dtype":"U8","shape":[0x4],"data_offsets":[0,4])"), 4)
              .find("expected ',' or ']', found 'x4'") != std::string::npos);
    CHECK(error_of(tensor(R"("dtype":"U8","shape":4,"data_offsets":[0,4])"), 4).find("expected '[', found '4'") !=
          std::string::npos);
    for (const char* range : {"[0]", "[]", "[0,4,4]", "[4,0]"})
        CHECK(error_of(tensor(R"("dtype":"U8","shape":[4],"data_offsets":)" + std::string{range}), 4)
                  .find("expected [begin, end] with begin <= end") != std::string::npos);
    std::string axes = "1";
    for (int i = 1; i < 32; ++i) axes += ",1";
    CHECK(error_of(tensor(R"("dtype":"U8","data_offsets":[0,1],"shape":[)" + axes + "]"), 1) == "no error");
    CHECK(error_of(tensor(R"("dtype":"U8","data_offsets":[0,1],"shape":[)" + axes + ",1]"), 1)
              .find("expected at most 32 numbers") != std::string::npos);
}

TEST_CASE("safetensors: ranges that do not tile the data")
{
    const auto two = [](const std::string& a, const std::string& b) {
        return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + a +
               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}";
    };
    CHECK(error_of(two("[0,4]", "[4,8]"), 8) == "no error");
    CHECK(error_of(two("[4,8]", "[0,4]"), 8) == "no error");
    CHECK(error_of(two("[0,4]", "[3,7]"), 7) ==
          "file: tensor 'b': expected data_offsets that start at 4, the end of the tensor before it, found "
          "data_offsets [3, 7], "
          "an overlap");
    CHECK(error_of(two("[0,4]", "[5,9]"), 9) ==
          "file: tensor 'b': expected data_offsets that start at 4, the end of the tensor before it, found "
          "data_offsets [5, 9], "
          "a hole");
    CHECK(error_of(two("[1,5]", "[5,9]"), 9).find("a hole") != std::string::npos);
    CHECK(error_of(two("[0,4]", "[0,4]"), 4).find("an overlap") != std::string::npos);
    CHECK(error_of(two("[0,4]", "[4,8]"), 7) ==
          "file: data: expected 8 bytes after the header, as the tensors need, found 7");
    CHECK(error_of(two("[0,4]", "[4,8]"), 9) ==
          "file: data: expected 8 bytes after the header, as the tensors need, found 9");
    CHECK(error_of("{}", 1) == "file: data: expected 0 bytes after the header, as the tensors need, found 1");
    CHECK(error_of(two("[0,5]", "[5,9]"), 9) ==
          "file: tensor 'a': expected 4 bytes for U8 (4), found data_offsets [0, 5]");
    CHECK(error_of(two("[0,4]", "[4,18446744073709551615]"), 9).find("expected 4 bytes for U8 (4)") !=
          std::string::npos);
    const auto shaped = [](const std::string& dtype, const std::string& shape) {
        return R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[0,16]}})";
    };
    CHECK(error_of(shaped("I32", "[2,18446744073709551614]"), 16) ==
          "file: tensor 't': expected extents whose bits can be counted in 64, found (2, 18446744073709551614)");
    CHECK(error_of(shaped("I32", "[2,9223372036854775807]"), 16).find("counted in 64") != std::string::npos);
    CHECK(error_of(shaped("I32", "[4611686018427387904,4]"), 16).find("counted in 64") != std::string::npos);
    CHECK(error_of(shaped("F6_E2M3", "[3]"), 16) ==
          "file: tensor 't': expected a whole number of bytes, found 18 bits");
}

TEST_CASE("safetensors: written files read back, whatever the names")
{
    const support::Folder folder;
    const std::string path = folder / "x.safetensors";
    const std::vector<float> floats = {1.5f, -0.0f, std::numeric_limits<float>::quiet_NaN()};
    const std::vector<std::int64_t> integers = {std::numeric_limits<std::int64_t>::min()};
    const std::vector<io::TensorToWrite> tensors = {
        {"plain", {3}, std::span<const float>{floats}},
        {"quote\"\\\n\x01é", {}, std::span<const std::int64_t>{integers}},
        {"empty", {4, 0}, std::span<const double>{}},
    };
    io::write_safetensors(path, tensors, {{"b", "\t"}, {"a", ""}});
    io::SafetensorsFile file{path};
    CHECK(file.header().size() == 3);
    CHECK(std::memcmp(file.values<float>("plain").data(), floats.data(), 12) == 0);
    CHECK(file.values<std::int64_t>("quote\"\\\n\x01é") == integers);
    CHECK(file.values<double>("empty").empty());
    CHECK(file.header().metadata_key(0) == "a");
    CHECK(file.header().metadata_value(1) == "\t");
    // The data start on a multiple of 8.
    const Bytes bytes = support::read_bytes(path);
    CHECK((bytes.size() - file.header().data_size()) % 8 == 0);
    io::write_safetensors(path, {});
    CHECK(io::SafetensorsFile{path}.header().size() == 0);
    io::write_safetensors(path, {}, {{"k", "v"}});
    CHECK(io::SafetensorsFile{path}.header().metadata_size() == 1);
}

TEST_CASE("safetensors: what cannot be read back is not written")
{
    const support::Folder folder;
    const float value = 1;
    const std::span<const float> one{&value, 1};
    const auto refused = [&](const std::vector<io::TensorToWrite>& tensors, const io::Metadata& metadata = {}) {
        return error_of(io::try_write_safetensors(folder / "x", tensors, metadata));
    };
    CHECK(refused({{"a", {}, one}, {"a", {}, one}}).find("expected each name once, found 'a' twice") !=
          std::string::npos);
    CHECK(refused({{"\xff", {}, one}}).find("expected UTF-8") != std::string::npos);
    CHECK(refused({{"a", {2}, one}}).find("tensor 'a': expected the values of F32 (2), found 4 bytes") !=
          std::string::npos);
    CHECK(refused({{"a", {std::uint64_t{1} << 63, 2}, {}, {}}}).find("expected ") != std::string::npos);
    CHECK(refused({{"a", std::vector<std::uint64_t>(33, 1), one}}).find("at most 32") != std::string::npos);
    CHECK(refused({}, {{"k", "1"}, {"k", "2"}}).find("found 'k' twice") != std::string::npos);
    CHECK(folder.entries() == 0);
}

TEST_CASE("safetensors: a model's parameters survive, bit by bit, in logical order")
{
    const support::Folder folder;
    const std::string path = folder / "net.safetensors";
    const Parameters<Net> saved = weights<Net>(3);
    save(saved, path);

    io::SafetensorsFile file{path};
    std::map<std::string, std::vector<std::uint64_t>> shapes;
    for (std::size_t i = 0; i < file.header().size(); ++i) {
        const io::TensorInfo info = file.header()[i];
        shapes[std::string{info.name}] = {info.shape.begin(), info.shape.end()};
    }
    CHECK(shapes.size() == 6);
    CHECK(shapes["dense_1/kernel"] == std::vector<std::uint64_t>{5, 7});
    CHECK(shapes["dense_1/bias"] == std::vector<std::uint64_t>{7});
    CHECK(shapes["dense_2/kernel"] == std::vector<std::uint64_t>{7, 3});
    CHECK(file.header().data_size() == Net::parameter_count * 4);
    const auto kernel = file.values<float>("dense_1/kernel");
    for (std::size_t i = 0; i < 5; ++i)
        for (std::size_t j = 0; j < 7; ++j) CHECK(kernel[i * 7 + j] == saved.layer<0>().kernel(i, j));
    CHECK(file.header().metadata_value(file.header().find_metadata("tenon.topology")).size() == 16);

    Parameters<Net> loaded;
    const float* block = loaded.data();
    load(loaded, path);
    CHECK(loaded.data() == block);
    CHECK(loaded.fingerprint() == saved.fingerprint());
    // Padding included.
    CHECK(std::memcmp(loaded.data(), saved.data(), Parameters<Net>::storage * sizeof(float)) == 0);

    const auto doubles = weights<Net, Float64>(3);
    save(doubles, path);
    Parameters<Net, Float64> loaded_doubles;
    load(loaded_doubles, path);
    CHECK(loaded_doubles.fingerprint() == doubles.fingerprint());
    CHECK_THROWS_WITH_AS(load(loaded, path),
                         (path + ": tensor 'dense_1/kernel': expected F32 (5, 7), found F64 (5, 7)").c_str(), Error);
    CHECK(loaded.fingerprint() == saved.fingerprint());
}

TEST_CASE("safetensors: what owns parameters can be saved and loaded, from an open file too")
{
    const support::Folder folder;
    const Owner owner;
    save(owner, folder / "x");
    Owner other{weights<Net>(9)};
    load(other, folder / "x");
    CHECK(other.held.fingerprint() == owner.held.fingerprint());
    io::SafetensorsFile file{folder / "x"};
    Parameters<Net> third;
    CHECK(try_load(third, file));
    CHECK(third.fingerprint() == owner.held.fingerprint());
}

TEST_CASE("safetensors: another network's file is refused, and leaves the parameters alone")
{
    const support::Folder folder;
    const std::string path = folder / "net";
    save(weights<Net>(3), path);
    const auto refused = [&]<class N>(Parameters<N> parameters) {
        const std::uint64_t before = parameters.fingerprint();
        const auto result = try_load(parameters, path);
        CHECK(parameters.fingerprint() == before);
        return error_of(result);
    };
    CHECK(refused(weights<OtherSize>(1)) == path + ": tensor 'dense_1/kernel': expected F32 (5, 8), found F32 (5, 7)");
    CHECK(refused(weights<Longer>(1))
              .find(path + ": header: expected a tensor 'dense_3/kernel', found 'dense_1/kernel', ") == 0);
    CHECK(refused(weights<Shorter>(1)) ==
          path + ": header: expected 4 tensors, one per parameter, found 6, among them 'dense_2/kernel'");
    const std::string topology = refused(weights<OtherActivation>(1));
    CHECK(topology.find(path + ": metadata 'tenon.topology': expected ") == 0);
    CHECK(topology.find("the parameters agree, layers or options do not") != std::string::npos);
    Parameters<OtherActivation> other;
    load(other, path, {.check_topology = false});
    CHECK(other.layer<0>().kernel(0, 0) == weights<Net>(3).layer<0>().kernel(0, 0));

    io::write_safetensors(path, {});
    CHECK(refused(weights<Net>(1)) == path + ": header: expected a tensor 'dense_1/kernel', found no tensor at all");
    CHECK_THROWS_AS(load(other, folder / "none"), Error);
    CHECK_THROWS_AS(load(other, folder.path().string()), Error);
    CHECK_THROWS_AS(load(other, "/dev/null"), Error);
    CHECK_THROWS_AS(save(other, folder / "none/x"), Error);
    CHECK_THROWS_WITH_AS(
        save(other, "/dev/full"),
        "/dev/full: cannot write the data: No space left on device; part of the data may have been written", Error);
}

TEST_CASE("safetensors: a file by others, without the hash and in another order, loads")
{
    const support::Folder folder;
    const Parameters<Net> saved = weights<Net>(5);
    save(saved, folder / "ours");
    io::SafetensorsFile ours{folder / "ours"};
    std::vector<std::vector<float>> values;
    std::vector<io::TensorToWrite> tensors;
    for (std::size_t i = 0; i < ours.header().size(); ++i) values.push_back(ours.values<float>(ours.header()[i].name));
    for (std::size_t i = values.size(); i-- > 0;) {
        const io::TensorInfo info = ours.header()[i];
        tensors.emplace_back(std::string{info.name}, std::vector<std::uint64_t>(info.shape.begin(), info.shape.end()),
                             std::span<const float>{values[i]});
    }
    io::write_safetensors(folder / "theirs", tensors, {{"format", "pt"}});
    Parameters<Net> loaded;
    load(loaded, folder / "theirs");
    CHECK(loaded.fingerprint() == saved.fingerprint());
}

TEST_CASE("safetensors: a committed file, written by another program, holds the weights it was given")
{
    // tests/data/make_safetensors.py
    Parameters<Network<Input<2>, Dense<3>, ReLU, Dense<1>>> loaded;
    load(loaded, support::tests_folder() + "/data/dense.safetensors");
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 3; ++j) CHECK(loaded.layer<0>().kernel(i, j) == static_cast<float>(10 * i + j));
    for (std::size_t j = 0; j < 3; ++j) CHECK(loaded.layer<0>().bias(j) == -static_cast<float>(j) - 0.5f);
    for (std::size_t i = 0; i < 3; ++i) CHECK(loaded.layer<2>().kernel(i, 0) == static_cast<float>(10 * i));
    CHECK(loaded.layer<2>().bias(0) == -0.5f);
}

TEST_CASE("safetensors: every prefix and bit flips of a good file end in an error or in sound parameters")
{
    const support::Folder folder;
    const Parameters<Net> saved = weights<Net>(3);
    save(saved, folder / "net");
    const Bytes bytes = support::read_bytes(folder / "net");
    std::size_t accepted = 0;
    support::each_damage(bytes, 1000, [&](const Bytes& damaged) {
        io::SafetensorsFile file;
        const Status status = file.open(std::make_unique<data::MemorySource>(damaged, "file"));
        Parameters<Net> loaded;
        const Result<Done> result = status ? try_load(loaded, file) : Result<Done>{Failure{status.error()}};
        if (result) {
            // Values carry no check sum: a flip there is another value. All else shows.
            ++accepted;
            REQUIRE(damaged.size() == bytes.size());
        } else {
            REQUIRE(result.error().find("file: ") == 0);
            REQUIRE(result.error().find("expected") != std::string::npos);
        }
    });
    CHECK(accepted > 100);
}

TEST_CASE("safetensors: a failing write leaves the old file whole")
{
    struct FullDisk : io::PosixSystem {
        static ssize_t write(int, const void*, std::size_t)
        {
            errno = ENOSPC;
            return -1;
        }
    };
    const support::Folder folder;
    const std::string path = folder / "net";
    save(weights<Net>(3), path);
    const Bytes before = support::read_bytes(path);
    CHECK(error_of(try_save<FullDisk>(weights<Net>(4), path)) ==
          path + ": cannot write the data: No space left on device; the old file is unchanged");
    CHECK(support::read_bytes(path) == before);
    CHECK(folder.entries() == 1);
}
