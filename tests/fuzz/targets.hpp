// SPDX-License-Identifier: BSL-1.0
// What the fuzz programs do with one input, and what must hold then. Each returns whether the reader took the bytes; a
// broken promise aborts. tests/unit/corpus.cpp runs the same functions over the committed corpus.
#pragma once

#include <tenon/data/csv.hpp>
#include <tenon/data/idx.hpp>
#include <tenon/io/safetensors_file.hpp>

#include <support/gzip.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace fuzz {

using Bytes = std::span<const std::uint8_t>;

inline void require(bool held, const char* promise)
{
    if (held) return;
    std::fprintf(stderr, "broken promise: %s\n", promise);
    std::abort();
}

inline void require_sentence(const std::string& error)
{
    require(error.find("input") == 0 || error.find("other") == 0, "an error starts with the file's name");
    require(error.find("expected ") != std::string::npos && error.find("found ") != std::string::npos,
            "an error says what was expected and found");
    require(error.size() < 4096, "an error is a sentence");
}

inline std::unique_ptr<tenon::data::ByteSource> source_of(Bytes bytes, const char* name)
{
    std::unique_ptr<tenon::data::ByteSource> source = std::make_unique<tenon::data::MemorySource>(bytes, name);
    require(static_cast<bool>(tenon::data::inflate_if_packed(source)), "telling gzip from plain cannot fail");
    return source;
}

// An IDX file, plain or gzipped: by itself, as images of Shape<2, 3> with as many labels, and as labels.
inline bool idx(Bytes bytes)
{
    using Images = tenon::Shape<2, 3>;
    const auto alone = tenon::data::try_read_idx(*source_of(bytes, "input"));
    std::uint64_t values = 1;
    if (alone) {
        for (const std::uint32_t extent : alone.value().extents) values *= extent;
        require(alone.value().values.size() == values, "as many values as the extents say");
    } else {
        require_sentence(alone.error());
    }

    // The other half of a pair, with the number of rows that the input claims; 64 at most, or the pair cannot fit.
    std::uint32_t rows = alone && !alone.value().extents.empty() ? alone.value().extents[0] : 1;
    if (rows > 64) rows = 64;
    const auto row_bytes = static_cast<std::uint8_t>(rows);
    support::Bytes labels = {0, 0, 8, 1, 0, 0, 0, row_bytes},
                   images = {0, 0, 8, 3, 0, 0, 0, row_bytes, 0, 0, 0, 2, 0, 0, 0, 3};
    labels.resize(labels.size() + rows, 9);
    images.resize(images.size() + std::size_t{rows} * 6, 200);
    const auto as_images = tenon::data::try_read_idx_images<Images>(*source_of(bytes, "input"),
                                                                    *source_of(labels, "other"));
    const auto as_labels = tenon::data::try_read_idx_images<Images>(*source_of(images, "other"),
                                                                    *source_of(bytes, "input"));
    for (const auto* pair : {&as_images, &as_labels}) {
        if (!*pair) {
            require_sentence(pair->error());
            continue;
        }
        require(alone && pair->value().size() == rows, "a pair is read only where both halves are");
        for (std::size_t i = 0; i < rows; ++i) {
            require(pair->value().label(i) < 10, "labels are within the classes");
            for (const float pixel : pair->value().input(i))
                require(pixel >= 0 && pixel <= 1, "pixels are within [0, 1]");
        }
    }

    // Packing changes nothing but the place in the sentence. Every fourth input, as deflate is slow.
    if (bytes.size() % 4 == 0 && !(bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b)) {
        const support::Bytes packed = support::gzip(bytes, 1);
        const auto unpacked = tenon::data::try_read_idx(*source_of(packed, "input"));
        require(static_cast<bool>(unpacked) == static_cast<bool>(alone), "gzip does not change what is accepted");
        if (alone)
            require(
                unpacked.value().values == alone.value().values && unpacked.value().extents == alone.value().extents,
                "gzip does not change what is read");
    }
    return static_cast<bool>(alone);
}

// The format's rules once more, by a general JSON library: true and the number of tensors where a file is sound.
struct SafetensorsOracle {
    bool sound = false;
    std::size_t tensors = 0;
    std::uint64_t data_size = 0;

    SafetensorsOracle(Bytes header, std::uint64_t bytes_after) { sound = check(header, bytes_after); }

private:
    using Json = nlohmann::json;
    __extension__ typedef unsigned __int128 Wide;

    bool check(Bytes header, std::uint64_t bytes_after)
    {
        if (header.empty() || header[0] != '{') return false;
        // The library takes a NUL for the end of the text, whatever follows it.
        for (const std::uint8_t byte : header)
            if (byte == 0) return false;
        // Duplicate keys show to the parser's callback only.
        bool unique = true;
        std::vector<std::set<std::string>> keys;
        const Json json = Json::parse(
            header.begin(), header.end(),
            [&](int, Json::parse_event_t event, Json& parsed) {
                if (event == Json::parse_event_t::object_start) keys.emplace_back();
                if (event == Json::parse_event_t::object_end) keys.pop_back();
                if (event == Json::parse_event_t::key)
                    unique = keys.back().insert(parsed.get<std::string>()).second && unique;
                return true;
            },
            false);
        if (json.is_discarded() || !json.is_object() || !unique) return false;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
        for (const auto& [name, value] : json.items()) {
            if (!value.is_object()) return false;
            if (name == "__metadata__") {
                for (const auto& [key, text] : value.items())
                    if (!text.is_string()) return false;
                continue;
            }
            if (value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
                !value.contains("data_offsets"))
                return false;
            const Json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
            if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2 ||
                shape.size() > 32)
                return false;
            Wide bits = 0;
            for (const auto& entry : tenon::io::detail::dtypes)
                if (entry.name == dtype.get<std::string>()) bits = entry.bits;
            if (bits == 0) return false;
            bool countable = true, empty = false;
            for (const Json& extent : shape) {
                if (!extent.is_number_unsigned()) return false;
                empty = empty || extent.get<std::uint64_t>() == 0;
                if (countable) bits *= extent.get<std::uint64_t>();
                countable = countable && bits >> 64 == 0;
            }
            if (empty) bits = 0;
            if (!countable && !empty) return false;
            if (!offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) return false;
            const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
            if (bits % 8 != 0 || end < begin || end - begin != bits / 8) return false;
            ranges.emplace_back(begin, end);
        }
        std::sort(ranges.begin(), ranges.end());
        for (const auto& [begin, end] : ranges) {
            if (begin != data_size) return false;
            data_size = end;
        }
        tensors = ranges.size();
        return data_size == bytes_after;
    }
};

// A safetensors file; and bytes that are no such file as a header alone, with the data that it asks for: mutations of the
// text would hardly ever get past the length otherwise.
inline bool safetensors(Bytes bytes)
{
    tenon::io::SafetensorsFile file;
    const tenon::Status status = file.open(std::make_unique<tenon::data::MemorySource>(bytes, "input"));
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < 8 && i < bytes.size(); ++i) length |= std::uint64_t{bytes[i]} << (8 * i);
    const bool framed = bytes.size() >= 8 && length <= bytes.size() - 8;
    if (framed) {
        const auto header = static_cast<std::size_t>(length);
        const SafetensorsOracle oracle{bytes.subspan(8, header), bytes.size() - 8 - header};
        require(oracle.sound == static_cast<bool>(status), "what a general JSON library makes of the header");
        require(!oracle.sound || oracle.tensors == file.header().size(), "the number of tensors");
    } else {
        require(!status, "a header within the file");
    }
    if (status) {
        std::uint64_t next = 0;
        support::Bytes values;
        for (std::size_t i = 0; i < file.header().size(); ++i) {
            const tenon::io::TensorInfo info = file.header()[i];
            require(info.begin == next && info.end >= info.begin, "ranges without hole or overlap");
            require(file.header().find(info.name) == i, "every tensor is found by its name");
            next = info.end;
            values.resize(static_cast<std::size_t>(info.end - info.begin));
            require(static_cast<bool>(file.read(info, 0, values.data(), values.size())), "every tensor can be read");
        }
        require(next == file.header().data_size(), "ranges that end with the data");
        for (std::size_t i = 0; i < file.header().metadata_size(); ++i)
            require(file.header().find_metadata(file.header().metadata_key(i)) == i, "every key is found");
    } else {
        require_sentence(status.error());
    }

    if (!framed) {
        SafetensorsOracle oracle{bytes, 0};
        if (oracle.data_size != 0) oracle = SafetensorsOracle{bytes, oracle.data_size};
        tenon::io::SafetensorsHeader header;
        const tenon::Status parsed = header.parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                                  oracle.data_size, "input");
        require(static_cast<bool>(parsed) == oracle.sound, "what a general JSON library makes of the header by itself");
        if (!parsed) require_sentence(parsed.error());
    }
    return static_cast<bool>(status);
}

// CSV text, with and without a header line, numbers and classes.
inline bool csv(Bytes bytes)
{
    using tenon::Shape;
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    bool accepted = false;
    const auto check = [&](const auto& table) {
        if (!table) return require_sentence(table.error());
        accepted = true;
        const auto& rows = table.value().rows;
        require(rows.size() <= bytes.size(), "rows need bytes");
        for (std::size_t i = 0; i < rows.size(); ++i)
            for (const float value : rows.input(i)) require(std::isfinite(value), "values are finite");
    };
    const auto classes = [&](const auto& table) {
        check(table);
        if (!table) return;
        for (std::size_t i = 0; i < table.value().rows.size(); ++i) {
            const auto label = table.value().rows.label(i);
            require(label >= 0 && static_cast<std::size_t>(label) < table.value().rows.classes(), "labels are classes");
        }
    };
    check(tenon::data::try_parse_csv<Shape<2>, Shape<1>>(text, "input"));
    check(tenon::data::try_parse_csv<Shape<1>, Shape<1>>(text, "input",
                                                         {.separator = ';', .inputs = {0}, .targets = {"c"}}));
    classes(tenon::data::try_parse_csv<Shape<2>, tenon::data::Label>(text, "input", {.header = false}));
    classes(tenon::data::try_parse_csv<Shape<2>, tenon::data::Label>(text, "input", {.classes = {"yes", "no"}}));
    return accepted;
}

}  // namespace fuzz
