// SPDX-License-Identifier: BSL-1.0
// Writing safetensors files of any tensors.
#pragma once

#include <tenon/io/file.hpp>
#include <tenon/io/safetensors_file.hpp>

namespace tenon::inline TENON_ISA::io {

// Key and value of a file's __metadata__.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// A tensor to be written; its values stay the caller's.
struct TensorToWrite {
    template <class T>
        requires has_dtype<T> TensorToWrite(std::string tensor_name, std::vector<std::uint64_t> extents,
                                            std::span<const T> values)
            : TensorToWrite{std::move(tensor_name), std::move(extents), dtype_of<T>,
                            std::span{reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()}}
        {}
        TensorToWrite(std::string tensor_name, std::vector<std::uint64_t> extents, Dtype element,
                      std::span<const std::uint8_t> data)
            : name{std::move(tensor_name)}, dtype{element}, shape{std::move(extents)}, bytes{data}
        {}

        std::string name;
        Dtype dtype;
        std::vector<std::uint64_t> shape;
        std::span<const std::uint8_t> bytes;
};

// Writes a file whole or not at all (io/file.hpp). The header is parsed again before anything is written: a name that
// occurs twice or is not UTF-8 fails, as do values that do not fill their shape. System replaces the calls to the
// operating system.
template <class System = PosixSystem>
Result<Done> try_write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                                   const Metadata& metadata = {})
{
    SafetensorsPrefix prefix;
    for (const auto& [key, value] : metadata) prefix.metadata(key, value);
    for (const TensorToWrite& tensor : tensors) {
        const std::uint64_t before = prefix.data_size();
        prefix.tensor(tensor.name, tensor.dtype, tensor.shape.data(), tensor.shape.size());
        if (prefix.data_size() - before != tensor.bytes.size())
            return ((Message{path} << ": tensor ").quote(tensor.name)
                    << ": expected the values of " << name_of(tensor.dtype) << " ")
                       .shape(tensor.shape.data(), tensor.shape.size())
                   << ", found " << tensor.bytes.size() << " bytes";
    }
    prefix.finish();
    SafetensorsHeader parsed;
    if (Status status = parsed.parse(prefix.json(), prefix.data_size(), path); !status) return status.failure();

    AtomicFile<System> file;
    Status status = file.create(path);
    if (status) status = file.write(prefix.length(), 8);
    if (status) status = file.write(prefix.json().data(), prefix.json().size());
    for (std::size_t i = 0; status && i < tensors.size(); ++i)
        status = file.write(tensors[i].bytes.data(), tensors[i].bytes.size());
    if (status) status = file.commit();
    return status.result();
}

#if TENON_EXCEPTIONS
// As its try_ twin, throwing tenon::Error.
inline void write_safetensors(const std::string& path, const std::vector<TensorToWrite>& tensors,
                              const Metadata& metadata = {})
{
    static_cast<void>(try_write_safetensors(path, tensors, metadata).value_or_throw());
}
#endif

}  // namespace tenon::inline TENON_ISA::io
