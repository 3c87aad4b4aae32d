// SPDX-License-Identifier: BSL-1.0
// IDX images that stay in their file: the same datasets as data/idx.hpp gives, with pixels mapped into memory, so that a file
// may be larger than the machine's memory and processes share its pages. Labels, a byte per row, are read and checked.
#pragma once

#include <tenon/data/idx.hpp>
#include <tenon/data/mapped_file.hpp>

#include <memory>

namespace tenon::inline TENON_ISA::data {

namespace detail {

// images: by its path. What the header promises must be there, and nothing behind it.
TENON_NOINLINE inline Status map_idx_images(const std::string& path, ByteSource& labels, const std::size_t* shape,
                                            std::size_t rank, std::size_t classes, MappedFile& file,
                                            std::size_t& first_pixel, std::vector<std::uint8_t>& read_labels)
{
    if (Status status = MappedFile::open(path, file); !status) return status;
    if (file.size() >= 2 && file.data()[0] == 0x1f && file.data()[1] == 0x8b)
        return Message{path}
               << ": byte 0: expected an IDX file, found gzip: only a file that is unpacked can be mapped";
    MemorySource images{file.bytes(), path};
    IdxHeader header;
    if (Status status = read_idx_labels(images, labels, shape, rank, classes, header, read_labels); !status)
        return status;
    first_pixel = static_cast<std::size_t>(images.position());
    if (Status status = images.skip(header.bytes, "pixels"); !status) return status;
    return images.expect_end("pixels");
}

template <AnyShape S>
Result<LabelledImages<S>> map_idx_images(const std::string& images, ByteSource& labels, std::size_t classes)
{
    auto file = std::make_shared<MappedFile>();
    std::size_t first = 0;
    std::vector<std::uint8_t> read;
    if (Status status = map_idx_images(images, labels, S::extents, S::rank, classes, *file, first, read); !status)
        return status.failure();
    const auto pixels = file->bytes().subspan(first);
    return LabelledImages<S>::over(pixels, std::move(file), std::move(read), classes);
}

}  // namespace detail

// As try_read_idx_images; the images' file must not be compressed, the labels' may be.
template <AnyShape S>
Result<LabelledImages<S>> try_map_idx_images(const std::string& images, const std::string& labels,
                                             const IdxOptions& options = {})
{
    std::unique_ptr<ByteSource> source;
    if (Status status = open_source(labels, source); !status) return status.failure();
    return detail::map_idx_images<S>(images, *source, options.classes);
}

// As try_load_idx.
template <AnyShape S>
Result<IdxDataset<S>> try_map_idx(const std::string& folder, const IdxOptions& options = {})
{
    IdxDataset<S> dataset;
    for (const bool train : {true, false}) {
        std::unique_ptr<ByteSource> images, labels;
        if (Status status = detail::open_standard_pair(folder, train ? "train" : "t10k", images, labels); !status)
            return status.failure();
        auto half = detail::map_idx_images<S>(images->name(), *labels, options.classes);
        if (!half) return half.failure();
        (train ? dataset.train : dataset.test) = std::move(half).value();
    }
    return dataset;
}

#if TENON_EXCEPTIONS
// As their try_ twins, throwing tenon::Error.
template <AnyShape S>
LabelledImages<S> map_idx_images(const std::string& images, const std::string& labels, const IdxOptions& options = {})
{
    return try_map_idx_images<S>(images, labels, options).value_or_throw();
}

template <AnyShape S>
IdxDataset<S> map_idx(const std::string& folder, const IdxOptions& options = {})
{
    return try_map_idx<S>(folder, options).value_or_throw();
}
#endif

}  // namespace tenon::inline TENON_ISA::data
