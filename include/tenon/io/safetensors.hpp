// SPDX-License-Identifier: BSL-1.0
// save and load: the parameters of a model as a safetensors file. One tensor per parameter, in logical (Keras) order and
// without padding, named as in summary: dense_1/kernel (in, units), dense_1/bias (units). A file moves between instruction
// sets, and any safetensors reader takes it.
#pragma once

#include <tenon/io/file.hpp>
#include <tenon/io/safetensors_file.hpp>
#include <tenon/model/parameters.hpp>

namespace tenon::inline TENON_ISA {

// How strictly load looks at a file.
struct LoadOptions {
    // A file that tenon saved holds its network's hash. Turned off, weights go into any network whose parameters have the
    // same names and shapes: other activations, another dropout.
    bool check_topology = true;
};

namespace io {

// Key of the topology hash (16 hexadecimal digits) in a file's metadata.
inline constexpr const char* topology_key = "tenon.topology";

// Key of the format's version in the metadata of a checkpoint (training/checkpoint.hpp).
inline constexpr const char* checkpoint_key = "tenon.checkpoint";

namespace detail {

template <class T>
inline constexpr bool is_parameters = false;
template <class Net, class P>
inline constexpr bool is_parameters<Parameters<Net, P>> = true;

// The parameters of a model, or the parameters themselves.
template <class T>
constexpr decltype(auto) parameters_of(T& owner)
{
    if constexpr (is_parameters<std::remove_const_t<T>>)
        return (owner);
    else
        return (owner.parameters());
}

template <class T>
concept ParameterOwner = is_parameters<T> || requires(T& owner)
{
    requires is_parameters<std::remove_cvref_t<decltype(owner.parameters())>>;
};

// A network's parameters without its type: code that works on them exists once, not once per network.
struct Slots {
    const SlotInfo* first;
    std::size_t count;
    Dtype dtype;
    std::uint64_t topology;
};

template <class P>
Slots slots_of(const P& parameters)
{
    return {parameters.slots().begin(), parameters.slots().size(), dtype_of<typename P::stored>, P::network::hash};
}

TENON_NOINLINE inline std::string slot_name(const SlotInfo& slot)
{
    Message name{{slot.layer.data, slot.layer.size}};
    name << "_" << slot.ordinal << "/" << slot.slot;
    return name.text();
}

// The topology hash as it stands in files.
inline std::string hash_text(std::uint64_t hash)
{
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; hash >>= 4) text[i] = "0123456789abcdef"[hash & 15];
    return text;
}

TENON_NOINLINE inline void describe(const Slots& slots, SafetensorsPrefix& prefix)
{
    prefix.metadata(topology_key, hash_text(slots.topology));
    std::vector<std::uint64_t> extents;
    for (std::size_t i = 0; i < slots.count; ++i) {
        const SlotInfo& slot = slots.first[i];
        extents.assign(slot.extents, slot.extents + slot.rank);
        prefix.tensor(slot_name(slot), slots.dtype, extents.data(), extents.size());
    }
    prefix.finish();
}

// Whether values of a file's dtype are taken as those of the parameters: their own, and 16 bits as float, which is exact.
constexpr bool widens(Dtype from, Dtype to)
{
    return from == to || (to == Dtype::F32 && (from == Dtype::F16 || from == Dtype::BF16));
}

// The file's tensor of each slot, in the order of the slots; fails where names, dtypes, shapes or the topology differ.
TENON_NOINLINE inline Status match(const SafetensorsFile& file, const Slots& slots, const LoadOptions& options,
                                   std::vector<std::size_t>& tensors)
{
    const SafetensorsHeader& header = file.header();
    std::vector<bool> used(header.size());
    for (std::size_t i = 0; i < slots.count; ++i) {
        const SlotInfo& slot = slots.first[i];
        const std::string name = slot_name(slot);
        const std::size_t index = header.find(name);
        if (index == SafetensorsHeader::none) {
            Message message{file.name()};
            (message << ": header: expected a tensor ").quote(name) << ", found ";
            for (std::size_t t = 0; t < header.size() && t < 8; ++t)
                (message << (t == 0 ? "" : ", ")).quote(header[t].name);
            return message << (header.size() == 0 ? "no tensor at all" : header.size() > 8 ? ", …" : "");
        }
        const TensorInfo info = header[index];
        bool fits = widens(info.dtype, slots.dtype) && info.shape.size() == slot.rank;
        for (std::size_t axis = 0; fits && axis < slot.rank; ++axis) fits = info.shape[axis] == slot.extents[axis];
        if (!fits) {
            Message message{file.name()};
            (message << ": tensor ").quote(name) << ": expected " << name_of(slots.dtype) << " ";
            message.shape(slot.extents, slot.rank) << ", found " << name_of(info.dtype) << " ";
            return message.shape(info.shape.data(), info.shape.size());
        }
        tensors.push_back(index);
        used[index] = true;
    }
    // A checkpoint holds the optimiser's state besides.
    const bool strict = header.find_metadata(checkpoint_key) == SafetensorsHeader::none;
    for (std::size_t i = 0; strict && i < header.size(); ++i)
        if (!used[i])
            return (Message{file.name()} << ": header: expected " << slots.count
                                         << " tensors, one per parameter, found " << header.size() << ", among them ")
                .quote(header[i].name);

    const std::size_t saved_from = header.find_metadata(topology_key);
    if (!options.check_topology || saved_from == SafetensorsHeader::none) return {};
    const std::string topology = hash_text(slots.topology);
    if (header.metadata_value(saved_from) == topology) return {};
    return (Message{file.name()} << ": metadata 'tenon.topology': expected " << topology
                                 << ", this network's hash (the parameters agree, layers or options do not), found ")
        .quote(header.metadata_value(saved_from));
}

template <class System, class P>
Status save_parameters(const P& parameters, const std::string& path)
{
    using scalar = typename P::stored;
    SafetensorsPrefix prefix;
    describe(slots_of(parameters), prefix);
    AtomicFile<System> file;
    if (Status status = file.create(path); !status) return status;
    if (Status status = file.write(prefix.length(), 8); !status) return status;
    if (Status status = file.write(prefix.json().data(), prefix.json().size()); !status) return status;
    std::vector<scalar> block(block_bytes / sizeof(scalar));
    for (const SlotInfo& slot : parameters.slots())
        for (std::size_t at = 0; at < slot.size;) {
            std::size_t count = 0;
            while (count < block.size() && at < slot.size) block[count++] = parameters.logical(slot, at++);
            if (Status status = file.write(block.data(), count * sizeof(scalar)); !status) return status;
        }
    return file.commit();
}

// `count` values of a tensor from the one at `first` on; of 16 bits, where the parameters are floats.
template <class T>
Status read_values(SafetensorsFile& file, const TensorInfo& tensor, std::size_t first, std::size_t count, T* values)
{
    if constexpr (std::is_same_v<T, float>)
        if (tensor.dtype != Dtype::F32) {
            // Into the upper half of the block, and forwards from there.
            auto* narrow = reinterpret_cast<unsigned char*>(values + count) - 2 * count;
            if (Status status = file.read(tensor, first * 2, narrow, count * 2); !status) return status;
            for (std::size_t i = 0; i < count; ++i) {
                std::uint16_t bits;
                std::memcpy(&bits, narrow + 2 * i, 2);
                Fp16 half;
                Bf16 brain;
                half.bits = brain.bits = bits;
                values[i] = tensor.dtype == Dtype::F16 ? static_cast<float>(half) : static_cast<float>(brain);
            }
            return {};
        }
    return file.read(tensor, first * sizeof(T), values, count * sizeof(T));
}

template <class P>
Status load_parameters(P& parameters, SafetensorsFile& file, const LoadOptions& options)
{
    using scalar = typename P::stored;
    std::vector<std::size_t> tensors;
    if (Status status = match(file, slots_of(parameters), options, tensors); !status) return status;
    // Into a copy first: a read that fails half way must not leave half a model. Copied back, not swapped, so that what
    // holds a pointer to the parameters stays valid.
    P loaded = parameters;
    std::vector<scalar> block(block_bytes / sizeof(scalar));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const SlotInfo& slot = parameters.slots()[i];
        for (std::size_t at = 0; at < slot.size;) {
            const std::size_t count = slot.size - at < block.size() ? slot.size - at : block.size();
            if (Status status = read_values(file, file.header()[tensors[i]], at, count, block.data()); !status)
                return status;
            for (std::size_t k = 0; k < count; ++k) loaded.logical(slot, at++) = block[k];
        }
    }
    std::memcpy(parameters.data(), loaded.data(), P::storage * sizeof(scalar));
    return {};
}

template <class P>
Status load_parameters(P& parameters, const std::string& path, const LoadOptions& options)
{
    SafetensorsFile file;
    if (Status status = file.open(path); !status) return status;
    return load_parameters(parameters, file, options);
}

}  // namespace detail
}  // namespace io

// Writes the parameters of a model (anything with parameters(), or Parameters) to `path`: whole or not at all. A failing
// write, such as a full disk, leaves the file that was there unchanged and says so. F32; F64, F16 or BF16 for the precision
// of that name. System replaces the calls to the operating system (io/file.hpp).
template <class System = io::PosixSystem, io::detail::ParameterOwner Owner>
Result<Done> try_save(const Owner& model, const std::string& path)
{
    return io::detail::save_parameters<System>(io::detail::parameters_of(model), path).result();
}

// Reads what save wrote, or a file by others with the same names, shapes and dtype; float models also take F16 and BF16. Fails, and leaves the model as it was,
// where the file is malformed, lacks a parameter, has another one, or was saved from another topology. A checkpoint gives its
// weights.
template <io::detail::ParameterOwner Owner>
Result<Done> try_load(Owner& model, const std::string& path, const LoadOptions& options = {})
{
    return io::detail::load_parameters(io::detail::parameters_of(model), path, options).result();
}

// From a file that is open already.
template <io::detail::ParameterOwner Owner>
Result<Done> try_load(Owner& model, io::SafetensorsFile& file, const LoadOptions& options = {})
{
    return io::detail::load_parameters(io::detail::parameters_of(model), file, options).result();
}

#if TENON_EXCEPTIONS
// As their try_ twins, throwing tenon::Error.
template <io::detail::ParameterOwner Owner>
void save(const Owner& model, const std::string& path)
{
    if (Status status = io::detail::save_parameters<io::PosixSystem>(io::detail::parameters_of(model), path); !status)
        throw Error(status.error());
}

template <io::detail::ParameterOwner Owner>
void load(Owner& model, const std::string& path, const LoadOptions& options = {})
{
    if (Status status = io::detail::load_parameters(io::detail::parameters_of(model), path, options); !status)
        throw Error(status.error());
}
#endif

}  // namespace tenon::inline TENON_ISA
