// SPDX-License-Identifier: BSL-1.0
// Reading safetensors files tensor by tensor, whatever they belong to, and the beginning of files to be written. Models:
// tenon/io/safetensors.hpp; files of any tensors: tenon/io/safetensors_writer.hpp.
#pragma once

#include <tenon/io/safetensors_header.hpp>

#include <bit>

namespace tenon::inline TENON_ISA::io {

static_assert(std::endian::native == std::endian::little,
              "tenon: safetensors files are little-endian, and bytes are not swapped here.");

// Values are moved through a block of this size.
inline constexpr std::size_t block_bytes = 64 * 1024;

// An open file with its header read and checked. Tensors are read when asked for.
class SafetensorsFile {
public:
    SafetensorsFile() = default;

#if TENON_EXCEPTIONS
    explicit SafetensorsFile(const std::string& path)
    {
        if (Status status = open(path); !status) throw Error(status.error());
    }
#endif

    // Once per object.
    TENON_NOINLINE Status open(const std::string& path)
    {
        std::unique_ptr<data::ByteSource> source;
        if (Status status = data::FileSource::open(path, source); !status) return status;
        return open(std::move(source));
    }

    // Over any source that knows its size and can seek.
    TENON_NOINLINE Status open(std::unique_ptr<data::ByteSource> source)
    {
        source_ = std::move(source);
        std::uint8_t prefix[8];
        if (Status status = source_->read_exactly(prefix, 8, "header length"); !status) return status;
        std::uint64_t length = 0;
        for (int i = 7; i >= 0; --i) length = length << 8 | prefix[i];
        const std::uint64_t size = source_->size();
        if (size == data::unknown_size) return Message{name()} << ": expected a regular file, whose size is known";
        if (length > most_header_bytes || length > size - 8)
            return Message{name()} << ": byte 0: expected a header length within the file (" << size
                                   << " bytes) and 100000000, found " << length;
        std::vector<std::uint8_t> text;
        if (Status status = source_->read_bytes(text, length, "header"); !status) return status;
        data_begin_ = 8 + length;
        return header_.parse({reinterpret_cast<const char*>(text.data()), text.size()}, size - data_begin_, name());
    }

    const SafetensorsHeader& header() const { return header_; }
    const std::string& name() const { return source_->name(); }

    // `count` bytes of a tensor from its byte `first`; they must be within it.
    TENON_NOINLINE Status read(const TensorInfo& tensor, std::uint64_t first, void* to, std::size_t count)
    {
        if (Status status = source_->seek(data_begin_ + tensor.begin + first); !status) return status;
        return source_->read_exactly(static_cast<std::uint8_t*>(to), count, "tensor data");
    }

    // All values of a tensor, row-major. Fails where there is no such tensor or it is of another dtype.
    template <class T>
        requires has_dtype<T> Result<std::vector<T>> try_values(std::string_view tensor)
        {
            static_assert(!std::is_same_v<T, bool>, "tenon: read BOOL tensors as bytes, by read().");
            TensorInfo info;
            if (Status status = find(tensor, dtype_of<T>, info); !status) return status.failure();
            std::vector<T> values(static_cast<std::size_t>((info.end - info.begin) / sizeof(T)));
            if (Status status = read(info, 0, values.data(), values.size() * sizeof(T)); !status)
                return status.failure();
            return values;
        }

#if TENON_EXCEPTIONS
    template <class T>
    std::vector<T> values(std::string_view tensor)
    {
        return try_values<T>(tensor).value_or_throw();
    }
#endif

private:
    TENON_NOINLINE Status find(std::string_view tensor, Dtype dtype, TensorInfo& info) const
    {
        const std::size_t index = header_.find(tensor);
        if (index == SafetensorsHeader::none)
            return (Message{name()} << ": header: expected a tensor ").quote(tensor) << ", found none of that name";
        info = header_[index];
        if (info.dtype == dtype) return {};
        return (Message{name()} << ": tensor ").quote(tensor)
               << ": expected dtype " << name_of(dtype) << ", found " << name_of(info.dtype);
    }

    std::unique_ptr<data::ByteSource> source_;
    SafetensorsHeader header_;
    std::uint64_t data_begin_ = 0;
};

// The beginning of a file: metadata first, then the tensors in the order of their bytes, then finish().
class SafetensorsPrefix {
public:
    void metadata(std::string_view key, std::string_view value)
    {
        json_ << (metadata_ == 0 ? "{\"__metadata__\":{" : ",");
        quote(key) << ":";
        quote(value);
        ++metadata_;
    }

    void tensor(std::string_view name, Dtype dtype, const std::uint64_t* extents, std::size_t rank)
    {
        json_ << (tensors_ != 0 ? "," : metadata_ != 0 ? "}," : "{");
        ++tensors_;
        quote(name) << ":{\"dtype\":\"" << name_of(dtype) << "\",\"shape\":[";
        std::uint64_t bits = bits_of(dtype);
        for (std::size_t i = 0; i < rank; ++i) {
            json_ << (i == 0 ? "" : ",") << extents[i];
            if (!data::multiply_checked(bits, extents[i])) bits = 0;
        }
        json_ << "],\"data_offsets\":[" << data_size_ << ",";
        data_size_ += bits / 8;
        json_ << data_size_ << "]}";
    }

    // Padded with spaces, so that the data start on a multiple of 8 bytes.
    void finish()
    {
        json_ << (tensors_ != 0 ? "}" : metadata_ != 0 ? "}}" : "{}");
        while (json_.text().size() % 8 != 0) json_ << " ";
        for (std::size_t i = 0; i < 8; ++i) length_[i] = static_cast<char>(json_.text().size() >> (8 * i) & 0xff);
    }

    const char (&length() const)[8] { return length_; }
    const std::string& json() const { return json_.text(); }
    std::uint64_t data_size() const { return data_size_; }

private:
    TENON_NOINLINE Message& quote(std::string_view text)
    {
        json_ << "\"";
        for (const char& c : text) {
            if (static_cast<unsigned char>(c) < 0x20) {
                const char escape[] = {'\\', 'u', '0', '0', "01"[c >> 4], "0123456789abcdef"[c & 15]};
                json_ << std::string_view{escape, sizeof escape};
            } else {
                json_ << (c == '"' || c == '\\' ? "\\" : "") << std::string_view{&c, 1};
            }
        }
        return json_ << "\"";
    }

    Message json_{""};
    char length_[8] = {};
    std::uint64_t data_size_ = 0;
    std::size_t tensors_ = 0, metadata_ = 0;
};

}  // namespace tenon::inline TENON_ISA::io
