// SPDX-License-Identifier: BSL-1.0
// IDX, the format of MNIST and its kin (Y. LeCun, C. Cortes & C. Burges, "The MNIST database", file formats): big-endian
// magic (0, 0, type, rank), one 32-bit extent per axis, then the values. Read plain or gzipped, file by file or by folder.
#pragma once

#include <tenon/data/dataset.hpp>
#include <tenon/data/gzip.hpp>

namespace tenon::inline TENON_ISA::data {

// Unsigned bytes with their extents, row-major.
struct IdxBytes {
    std::vector<std::uint32_t> extents;
    std::vector<std::uint8_t> values;
};

// What the files do not say.
struct IdxOptions {
    // Labels are 0 … classes - 1; anything else is an error. MNIST, Fashion-MNIST and KMNIST have 10 classes; EMNIST up
    // to 62.
    std::size_t classes = 10;
};

// Both halves of a benchmark dataset.
template <AnyShape S>
struct IdxDataset {
    LabelledImages<S> train;
    LabelledImages<S> test;
};

namespace detail {

struct IdxHeader {
    std::vector<std::uint32_t> extents;
    std::uint64_t bytes = 0;  // their product
};

TENON_NOINLINE inline Status read_idx_header(ByteSource& source, IdxHeader& header)
{
    static constexpr const char* type_names[] = {"unsigned bytes",  "signed bytes", "",       "16-bit integers",
                                                 "32-bit integers", "floats",       "doubles"};
    std::uint8_t magic[4];
    if (Status status = source.read_exactly(magic, 4, "IDX magic"); !status) return status;
    if (magic[0] != 0 || magic[1] != 0 || magic[2] < 0x08 || magic[2] > 0x0e || magic[2] == 0x0a || magic[3] == 0) {
        char found[2 * 4];
        for (int i = 0; i < 8; ++i) found[i] = "0123456789abcdef"[magic[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
        return Message{source.name()} << ": byte 0: expected the IDX magic 000008 and a rank, found 0x"
                                      << std::string_view{found, 8};
    }
    if (magic[2] != 0x08)
        return Message{source.name()} << ": byte 2: expected type 0x08 (unsigned bytes), found type 0x0"
                                      << std::string_view{&"0123456789abcdef"[magic[2]], 1} << " ("
                                      << type_names[magic[2] - 8] << ")";
    bool empty = false;
    for (unsigned axis = 0; axis < magic[3]; ++axis) {
        std::uint8_t word[4];
        if (Status status = source.read_exactly(word, 4, "extent"); !status) return status;
        const std::uint32_t extent = std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 |
                                     std::uint32_t{word[2]} << 8 | std::uint32_t{word[3]};
        header.extents.push_back(extent);
        empty = empty || extent == 0;
    }
    // Whether a product overflows must not depend on where among the extents a zero stands.
    header.bytes = empty ? 0 : 1;
    for (const std::uint32_t extent : header.extents)
        if (!multiply_checked(header.bytes, extent) || header.bytes > static_cast<std::size_t>(-1) / 4)
            return (Message{source.name()} << ": byte 4: expected extents whose product fits a memory, found ")
                .shape(header.extents.data(), header.extents.size());
    return {};
}

// The values after the header, and nothing after them.
TENON_NOINLINE inline Status read_idx_values(ByteSource& source, const IdxHeader& header, const char* what,
                                             std::vector<std::uint8_t>& values)
{
    if (Status status = source.read_bytes(values, header.bytes, what); !status) return status;
    return source.expect_end(what);
}

// Images of a file fit a shape when their extents agree, trailing ones aside: (28, 28) fits Shape<28, 28, 1>.
inline bool fits(const std::vector<std::uint32_t>& extents, const std::size_t* shape, std::size_t rank)
{
    for (std::size_t axis = 0; axis < rank || axis + 1 < extents.size(); ++axis) {
        const std::size_t expected = axis < rank ? shape[axis] : 1;
        const std::size_t found = axis + 1 < extents.size() ? extents[axis + 1] : 1;
        if (expected != found) return false;
    }
    return true;
}

struct IdxImages {
    std::vector<std::uint8_t> pixels;
    std::vector<std::uint8_t> labels;
};

// The labels, and the header of the images. Nothing is allocated on the word of a header before its extents agree with the
// shape, with each other and, in a plain file, with the file's length.
TENON_NOINLINE inline Status read_idx_labels(ByteSource& images, ByteSource& labels, const std::size_t* shape,
                                             std::size_t rank, std::size_t classes, IdxHeader& image_header,
                                             std::vector<std::uint8_t>& read)
{
    IdxHeader label_header;
    if (Status status = read_idx_header(images, image_header); !status) return status;
    const std::vector<std::uint32_t>& extents = image_header.extents;
    if (!fits(extents, shape, rank)) {
        Message message{images.name()};
        (message << ": byte 4: expected images of ").shape(shape, rank);
        (message << ", found extents ").shape(extents.data(), extents.size());
        return message << ", the first of them the number of images";
    }
    if (Status status = read_idx_header(labels, label_header); !status) return status;
    if (label_header.extents.size() != 1)
        return (Message{labels.name()} << ": byte 3: expected rank 1 (one label per image), found extents ")
            .shape(label_header.extents.data(), label_header.extents.size());
    if (label_header.bytes != extents[0])
        return Message{labels.name()} << ": byte 4: expected " << extents[0] << " labels, one per image of "
                                      << images.name() << ", found " << label_header.bytes;
    if (Status status = read_idx_values(labels, label_header, "labels", read); !status) return status;
    for (std::size_t i = 0; i < read.size(); ++i)
        if (read[i] >= classes)
            return Message{labels.name()} << ": byte " << 8 + i << " (label " << i << "): expected a class below "
                                          << classes << ", found " << read[i];
    return {};
}

TENON_NOINLINE inline Status read_idx_images(ByteSource& images, ByteSource& labels, const std::size_t* shape,
                                             std::size_t rank, std::size_t classes, IdxImages& read)
{
    IdxHeader header;
    if (Status status = read_idx_labels(images, labels, shape, rank, classes, header, read.labels); !status)
        return status;
    return read_idx_values(images, header, "pixels", read.pixels);
}

// Opens <set>-<kind>-<end> by the first of its spellings that is there.
TENON_NOINLINE inline Status open_standard_file(const std::string& folder, const char* set, const char* kind,
                                                const char* end, std::unique_ptr<ByteSource>& source)
{
    Message nothing{folder.empty() ? "." : folder};
    nothing << ": expected one of ";
    for (const int spelling : {0, 1, 2, 3}) {
        Message name{set};
        name << "-" << kind << (spelling < 2 ? "-" : ".") << end << (spelling % 2 == 0 ? "" : ".gz");
        Message path{folder};
        if (!folder.empty() && folder.back() != '/') path << "/";
        path << name.text();
        int reason = 0;
        Status opened = open_source(path.text(), source, &reason);
        if (reason != ENOENT && reason != ENOTDIR) return opened;
        nothing << (spelling == 0 ? "" : ", ") << name.text();
    }
    return nothing << ", found none of them";
}

TENON_NOINLINE inline Status open_standard_pair(const std::string& folder, const char* set,
                                                std::unique_ptr<ByteSource>& images,
                                                std::unique_ptr<ByteSource>& labels)
{
    if (Status status = open_standard_file(folder, set, "images", "idx3-ubyte", images); !status) return status;
    return open_standard_file(folder, set, "labels", "idx1-ubyte", labels);
}

}  // namespace detail

// One IDX file of unsigned bytes of any rank.
inline Result<IdxBytes> try_read_idx(ByteSource& source)
{
    detail::IdxHeader header;
    IdxBytes read;
    if (Status status = detail::read_idx_header(source, header); !status) return status.failure();
    if (Status status = detail::read_idx_values(source, header, "values", read.values); !status)
        return status.failure();
    read.extents = std::move(header.extents);
    return read;
}

// From a file, plain or gzipped.
inline Result<IdxBytes> try_read_idx(const std::string& path)
{
    std::unique_ptr<ByteSource> source;
    if (Status status = open_source(path, source); !status) return status.failure();
    return try_read_idx(*source);
}

// Images and their labels.
template <AnyShape S>
Result<LabelledImages<S>> try_read_idx_images(ByteSource& images, ByteSource& labels, const IdxOptions& options = {})
{
    detail::IdxImages read;
    if (Status status = detail::read_idx_images(images, labels, S::extents, S::rank, options.classes, read); !status)
        return status.failure();
    return LabelledImages<S>::make(std::move(read.pixels), std::move(read.labels), options.classes);
}

// From two files, plain or gzipped.
template <AnyShape S>
Result<LabelledImages<S>> try_read_idx_images(const std::string& images, const std::string& labels,
                                              const IdxOptions& options = {})
{
    std::unique_ptr<ByteSource> image_source, label_source;
    if (Status status = open_source(images, image_source); !status) return status.failure();
    if (Status status = open_source(labels, label_source); !status) return status.failure();
    return try_read_idx_images<S>(*image_source, *label_source, options);
}

// The four files of a folder by their usual names: {train,t10k}-{images-idx3,labels-idx1}-ubyte, also spelt
// images.idx3-ubyte and labels.idx1-ubyte, each plain or with .gz.
template <AnyShape S>
Result<IdxDataset<S>> try_load_idx(const std::string& folder, const IdxOptions& options = {})
{
    IdxDataset<S> dataset;
    for (const bool train : {true, false}) {
        std::unique_ptr<ByteSource> images, labels;
        if (Status status = detail::open_standard_pair(folder, train ? "train" : "t10k", images, labels); !status)
            return status.failure();
        auto half = try_read_idx_images<S>(*images, *labels, options);
        if (!half) return half.failure();
        (train ? dataset.train : dataset.test) = std::move(half).value();
    }
    return dataset;
}

#if TENON_EXCEPTIONS
// As their try_ twins, throwing tenon::Error.
inline IdxBytes read_idx(const std::string& path) { return try_read_idx(path).value_or_throw(); }

template <AnyShape S>
LabelledImages<S> read_idx_images(const std::string& images, const std::string& labels, const IdxOptions& options = {})
{
    return try_read_idx_images<S>(images, labels, options).value_or_throw();
}

template <AnyShape S>
IdxDataset<S> load_idx(const std::string& folder, const IdxOptions& options = {})
{
    return try_load_idx<S>(folder, options).value_or_throw();
}
#endif

}  // namespace tenon::inline TENON_ISA::data
