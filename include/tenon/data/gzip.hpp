// SPDX-License-Identifier: BSL-1.0
// GzipSource: the contents of a gzip file (RFC 1952) as a ByteSource, by zlib; open_source picks it by the magic bytes,
// whatever the file is called.
#pragma once

#include <tenon/data/byte_source.hpp>

#include <zlib.h>

namespace tenon::inline TENON_ISA::data {

// Inflates as it is read, in blocks of 32 KiB. Several members in a row count as one stream, as gzip(1) has it. zlib
// checks each member's CRC-32 and length; a cut or damaged stream, or bytes after it, is a failure.
class GzipSource final : public ByteSource {
public:
    explicit GzipSource(std::unique_ptr<ByteSource> compressed)
        : ByteSource{compressed->name()}, compressed_{std::move(compressed)}, input_(32 * 1024)
    {}

    ~GzipSource() override
    {
        if (started_) inflateEnd(&stream_);
    }

    Status read(std::uint8_t* to, std::size_t count, std::size_t& got) override
    {
        got = 0;
        if (!started_) {
            if (inflateInit2(&stream_, 15 + 16) != Z_OK) return Message{name()} << ": zlib has no memory to inflate";
            started_ = true;
        }
        static constexpr std::size_t most = 1u << 30;  // zlib counts in 32 bits
        if (count > most) count = most;
        stream_.next_out = to;
        stream_.avail_out = static_cast<uInt>(count);
        while (stream_.avail_out == count && count != 0) {
            if (stream_.avail_in == 0) {
                std::size_t fed = 0;
                if (Status status = compressed_->read(input_.data(), input_.size(), fed); !status) return status;
                stream_.next_in = input_.data();
                stream_.avail_in = static_cast<uInt>(fed);
                if (fed == 0) {
                    if (between_members_) break;
                    return failure("more of the gzip stream", "the end of the file");
                }
            }
            if (between_members_) inflateReset(&stream_);
            between_members_ = false;
            const int code = inflate(&stream_, Z_NO_FLUSH);
            if (code == Z_STREAM_END) {
                between_members_ = true;
                ++members_;
            } else if (code != Z_OK && code != Z_BUF_ERROR) {
                return failure(members_ == 0 ? "a sound gzip stream" : "the end of the file or another gzip member",
                               stream_.msg != nullptr ? stream_.msg : "damage");
            }
        }
        got = count - stream_.avail_out;
        position_ += got;
        return {};
    }

    Status seek(std::uint64_t) override { return Message{name()} << ": a gzip stream can only be read in order"; }

    std::uint64_t size() const override { return unknown_size; }

    // Images compress to about one half; what compresses better than 2 : 1 arrives in growing blocks.
    std::uint64_t trusted_size() const override { return 2 * compressed_->trusted_size(); }

private:
    Status failure(const char* expected, const char* found) const
    {
        return Message{name()} << ": compressed byte " << compressed_->position() - stream_.avail_in << ": expected "
                               << expected << ", found " << found;
    }

    std::unique_ptr<ByteSource> compressed_;
    std::vector<std::uint8_t> input_;
    z_stream stream_{};
    std::uint64_t members_ = 0;
    bool started_ = false;
    bool between_members_ = false;
};

// Wraps `source` in a GzipSource where it starts with gzip's magic 1f 8b (no format read here starts so).
TENON_NOINLINE inline Status inflate_if_packed(std::unique_ptr<ByteSource>& source)
{
    std::uint8_t magic[2] = {};
    for (std::size_t have = 0; have < 2;) {
        std::size_t got = 0;
        if (Status status = source->read(magic + have, 2 - have, got); !status) return status;
        if (got == 0) break;
        have += got;
    }
    if (Status status = source->seek(0); !status) return status;
    if (magic[0] == 0x1f && magic[1] == 0x8b) source = std::make_unique<GzipSource>(std::move(source));
    return {};
}

// A plain or gzip file, told apart by its first bytes.
TENON_NOINLINE inline Status open_source(const std::string& path, std::unique_ptr<ByteSource>& source,
                                         int* reason = nullptr)
{
    if (Status status = FileSource::open(path, source, reason); !status) return status;
    return inflate_if_packed(source);
}

}  // namespace tenon::inline TENON_ISA::data
