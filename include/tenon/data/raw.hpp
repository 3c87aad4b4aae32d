// SPDX-License-Identifier: BSL-1.0
// Raw records: files that hold nothing but rows of one size, as numpy's tofile or a loop with fwrite makes them, mapped into
// memory. One file or many shards, each of any number of rows, larger than the machine's memory if need be.
#pragma once

#include <tenon/data/mapped_file.hpp>
#include <tenon/data/shards.hpp>

#include <cstring>

namespace tenon::inline TENON_ISA::data {

// What a file of records says nothing about.
struct RawOptions {
    std::size_t classes = 0;       // of labels: others are an error where they are read; 0: any is taken
    std::size_t header_bytes = 0;  // before the first record of each file, passed over
};

namespace detail {

template <class Value>
struct RawValue {
    static constexpr bool value = std::is_same_v<Value, float> || std::is_same_v<Value, std::uint8_t>;
    static_assert(value, "tenon: raw records hold inputs of float or of std::uint8_t.");
};

}  // namespace detail

// The records of one file: S::size inputs, row-major, and the target behind them, nothing in between.
// Value float: inputs as they are, the target a std::int32_t class or the floats of its shape.
// Value std::uint8_t: inputs byte / 255, the target a class in one byte or the floats of its shape.
// Numbers have the byte order of the machine.
template <AnyShape S, class Target, class Value = float>
class RawRecords {
    static constexpr bool labelled = std::is_same_v<Target, Label>;
    static constexpr bool bytes = std::is_same_v<Value, std::uint8_t>;
    using Rows = TensorDataset<S, Target>;
    using StoredTarget = std::conditional_t<labelled && bytes, std::uint8_t, typename Rows::target_type>;

public:
    using input_shape = S;
    using target_shape = typename Rows::target_shape;
    using target_type = typename Rows::target_type;
    static constexpr std::size_t target_size = Rows::target_size;
    // Of one row in the file.
    static constexpr std::size_t record_bytes = S::size * sizeof(Value) + target_size * sizeof(StoredTarget);

    RawRecords() = default;

    // Fails where the file cannot be mapped or does not end with a record.
    static Result<RawRecords> make(const std::string& path, const RawOptions& options = {})
    {
        [[maybe_unused]] constexpr bool value_fits = checked<detail::RawValue<Value>>::value;
        auto file = std::make_shared<File>();
        if (Status status = open(path, options, record_bytes, *file); !status) return status.failure();
        RawRecords records;
        records.file_ = std::move(file);
        return records;
    }

    std::size_t size() const { return file_ ? file_->rows : 0; }
    std::size_t classes() const requires labelled { return file_ ? file_->options.classes : 0; }

    Tensor<float, S> input(std::size_t i) const
    {
        Tensor<float, S> row;
        copy_input(record(i), row.data());
        return row;
    }
    std::int32_t label(std::size_t i) const requires labelled
    {
        std::int32_t label;
        copy_target(i, &label);
        return label;
    }
    Tensor<float, target_shape> target(std::size_t i) const requires(!labelled)
    {
        Tensor<float, target_shape> row;
        copy_target(i, row.data());
        return row;
    }

    // inputs: (indices, S), targets: (indices, target_size), in the order of the indices. A label that is no class throws
    // Error (without exceptions: it is passed on, and the loss is NaN): to look at all of them when the file is opened would be
    // to read it whole.
    void gather(std::span<const std::uint32_t> indices, float* inputs, target_type* targets) const
    {
        for (std::size_t row = 0; row < indices.size(); ++row) {
            if (row + detail::rows_ahead < indices.size())
                detail::prefetch_row(record(indices[row + detail::rows_ahead]), record_bytes);
            copy_input(record(indices[row]), inputs + row * S::size);
            copy_target(indices[row], targets + row * target_size);
        }
    }

private:
    struct File {
        MappedFile mapped;
        std::string path;
        RawOptions options;
        std::size_t rows = 0;
    };

    TENON_NOINLINE static Status open(const std::string& path, const RawOptions& options, std::size_t record,
                                      File& file)
    {
        if (Status status = MappedFile::open(path, file.mapped); !status) return status;
        file.path = path;
        file.options = options;
        const std::size_t found = file.mapped.size();
        if (found < options.header_bytes)
            return Message{path} << ": byte 0: expected a header of " << options.header_bytes << " bytes, found "
                                 << found << " bytes";
        const std::size_t rest = (found - options.header_bytes) % record;
        file.rows = (found - options.header_bytes) / record;
        if (rest != 0)
            return Message{path} << ": byte " << found - rest << ": expected a record of " << record << " bytes, found "
                                 << rest << " bytes before the end of the file";
        if (file.rows > most_rows)
            return Message{path} << ": a dataset holds at most 4294967295 rows, found " << file.rows;
        return {};
    }

    const std::uint8_t* record(std::size_t i) const
    {
        return file_->mapped.data() + file_->options.header_bytes + i * record_bytes;
    }

    // Records need not be aligned.
    static void copy_input(const std::uint8_t* TENON_RESTRICT from, float* TENON_RESTRICT to)
    {
        if constexpr (bytes)
            for (std::size_t i = 0; i < S::size; ++i) to[i] = static_cast<float>(from[i]) / 255.0f;
        else
            std::memcpy(to, from, S::size * sizeof(float));
    }
    void copy_target(std::size_t i, target_type* to) const
    {
        const std::uint8_t* from = record(i) + S::size * sizeof(Value);
        if constexpr (labelled && bytes)
            *to = *from;
        else
            std::memcpy(to, from, target_size * sizeof(target_type));
#if TENON_EXCEPTIONS
        if constexpr (labelled)
            if (file_->options.classes != 0 && (*to < 0 || static_cast<std::size_t>(*to) >= file_->options.classes))
                no_class(i, *to);
#endif
    }
#if TENON_EXCEPTIONS
    [[noreturn]] TENON_NOINLINE void no_class(std::size_t i, std::int32_t found) const
    {
        const std::uint64_t at = file_->options.header_bytes + i * record_bytes + S::size * sizeof(Value);
        throw Error((Message{file_->path} << ": byte " << at << " (label of row " << i << "): expected a class below "
                                          << file_->options.classes << ", found " << found)
                        .text());
    }
#endif

    std::shared_ptr<const File> file_;
};

// Files of raw records as one dataset, in the order of the paths: map_raw<Shape<28, 28, 1>, Label, std::uint8_t>(paths).
template <AnyShape S, class Target, class Value = float>
Result<Joined<RawRecords<S, Target, Value>>> try_map_raw(const std::vector<std::string>& paths,
                                                         const RawOptions& options = {})
{
    std::vector<RawRecords<S, Target, Value>> files;
    for (const std::string& path : paths) {
        auto file = RawRecords<S, Target, Value>::make(path, options);
        if (!file) return file.failure();
        files.push_back(std::move(file).value());
    }
    return try_join(std::move(files));
}

#if TENON_EXCEPTIONS
// As its try_ twin, throwing tenon::Error.
template <AnyShape S, class Target, class Value = float>
Joined<RawRecords<S, Target, Value>> map_raw(const std::vector<std::string>& paths, const RawOptions& options = {})
{
    return try_map_raw<S, Target, Value>(paths, options).value_or_throw();
}
#endif

}  // namespace tenon::inline TENON_ISA::data
