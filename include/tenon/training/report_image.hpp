// SPDX-License-Identifier: BSL-1.0
// Pictures inside a report: a tensor as a PNG inside a data: URL, so that the page needs no other file.
#pragma once

#include <tenon/core/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tenon::inline TENON_ISA {

namespace detail {

// RFC 4648, section 4.
inline std::string base64(const std::string& bytes)
{
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        for (std::size_t j = 0; j < 4; ++j) text += i + j <= bytes.size() ? digits[group >> (18 - 6 * j) & 63u] : '=';
    }
    return text;
}

inline void put_big_endian(std::string& out, std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255u);
}

// Length, name, data, and the CRC of name and data (PNG specification, second edition, section 5.3).
inline void put_png_chunk(std::string& out, const char* name, const std::string& data)
{
    put_big_endian(out, static_cast<std::uint32_t>(data.size()));
    const std::string checked = name + data;
    std::uint32_t crc = 0xffffffffu;
    for (const char c : checked) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    out += checked;
    put_big_endian(out, ~crc);
}

// Bytes as a zlib stream of stored blocks (RFC 1950, 1951): nothing is compressed, so no library is needed.
inline std::string zlib_stored(const std::string& bytes)
{
    std::string out = "\x78\x01";
    std::size_t at = 0;
    do {
        const std::size_t count = bytes.size() - at < 65535 ? bytes.size() - at : 65535;
        out += static_cast<char>(at + count == bytes.size());
        for (const std::size_t word : {count, ~count}) {
            out += static_cast<char>(word & 255u);
            out += static_cast<char>(word >> 8 & 255u);
        }
        out.append(bytes, at, count);
        at += count;
    } while (at < bytes.size());
    std::uint32_t a = 1, b = 0;  // Adler-32
    for (const char c : bytes) {
        a = (a + static_cast<unsigned char>(c)) % 65521;
        b = (b + a) % 65521;
    }
    put_big_endian(out, b << 16 | a);
    return out;
}

// pixels: (height, width, channels) bytes, 1 channel for grey, 3 for red, green and blue.
inline std::string png(std::size_t width, std::size_t height, std::size_t channels, const std::uint8_t* pixels)
{
    std::string header;
    put_big_endian(header, static_cast<std::uint32_t>(width));
    put_big_endian(header, static_cast<std::uint32_t>(height));
    header += {8, static_cast<char>(channels == 1 ? 0 : 2), 0, 0, 0};
    std::string rows;
    for (std::size_t y = 0; y < height; ++y) {
        rows += '\0';  // no filter
        for (std::size_t i = 0; i < width * channels; ++i) rows += static_cast<char>(pixels[y * width * channels + i]);
    }
    std::string out = "\x89PNG\r\n\x1a\n";
    put_png_chunk(out, "IHDR", header);
    put_png_chunk(out, "IDAT", zlib_stored(rows));
    put_png_chunk(out, "IEND", "");
    return out;
}

}  // namespace detail

// One picture with the words below it. Where `right` is false, it is marked.
struct Picture {
    std::string url;  // data:image/png;base64,…
    std::string caption;
    std::string note;  // a smaller second line
    bool right = true;
};

// From a tensor of an image, (height, width), (height, width, 1) or (height, width, 3), with values in [0, 1]; values
// outside are clamped.
template <class Image>
    requires AnyShape<typename Image::shape> Picture picture(const Image& image, std::string caption,
                                                             std::string note = {}, bool right = true)
    {
        using S = typename Image::shape;
        constexpr std::size_t channels = S::rank == 3 ? S::extent(2) : 1;
        static_assert((S::rank == 2 || S::rank == 3) && (channels == 1 || channels == 3),
                      "tenon: a picture is (height, width), (height, width, 1) or (height, width, 3).");
        std::vector<std::uint8_t> pixels(S::size);
        for (std::size_t i = 0; i < S::size; ++i) {
            const double value = static_cast<double>(image[i]);
            pixels[i] = static_cast<std::uint8_t>(value > 0.0 ? value < 1.0 ? 255.0 * value + 0.5 : 255.0 : 0.0);
        }
        return {
            "data:image/png;base64," + detail::base64(detail::png(S::extent(1), S::extent(0), channels, pixels.data())),
            static_cast<std::string&&>(caption), static_cast<std::string&&>(note), right};
    }

}  // namespace tenon
