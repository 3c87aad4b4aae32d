// SPDX-License-Identifier: BSL-1.0
// save and load_int8: a network's integers and scales as a safetensors file, in logical (Keras) order, so that a network
// which was quantised elsewhere gives the same int8 outputs here. For each dense layer or convolution, named as in summary:
//   dense_1/kernel             I8   as the float kernel: (in, units), (kh, kw, c / groups, filters), (kh, kw, c, 1)
//   dense_1/bias               I32  (units), scale: the input's · kernel_scale; zeros for a layer without one
//   dense_1/kernel_scale       F32  (1) or (units)
//   dense_1/kernel_zero_point  I8   (1), may be left out: 0
// and for each value that has a scale of its own (the network's `input`; the output of each such layer with its ReLU; of each
// other activation, as tanh_1; of residual_1, add_1, concat_1):
//   dense_1/output_scale       F32  (1)        input/output_scale
//   dense_1/output_zero_point  I8   (1)        input/output_zero_point
#pragma once

#include <tenon/io/safetensors.hpp>
#include <tenon/io/safetensors_writer.hpp>
#include <tenon/model/int8_model.hpp>

namespace tenon::inline TENON_ISA {

namespace io::detail {

// A linear layer's name and the shape of its kernel, and the names of the values with scales, in the order in which a
// description has them.
struct Int8Names {
    struct Linear {
        std::string name;
        std::vector<std::uint64_t> kernel;
        std::size_t channels;
    };
    std::vector<Linear> layers;
    std::vector<std::string> values;
    tenon::detail::Ordinals ordinals;
};

template <class C>
void name_int8(Int8Names& names)
{
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        using L = typename B::layer;
        constexpr tenon::detail::Int8Kind kind = tenon::detail::int8_kind<L>;
        if constexpr (HasBranches<B>) {
            const std::string name = names.ordinals.next(tenon::detail::layer_name<L>());
            if (tenon::detail::int8_joined<L> != 0 || tenon::detail::int8_sums<L> != 0) names.values.push_back(name);
            tenon::detail::for_each_index<0, B::rule::branches::size>(
                [&]<std::size_t J>() { name_int8<typename B::rule::branches::template at<J>>(names); });
        } else if constexpr (tenon::detail::is_linear(kind)) {
            using Kernel = typename slots_type<B>::template slot<0>::shape;
            const std::string name = names.ordinals.next(tenon::detail::layer_name<L>());
            names.layers.push_back(
                {name,
                 {Kernel::extents, Kernel::extents + Kernel::rank},
                 kind == tenon::detail::Int8Kind::depthwise ? Kernel::extents[Kernel::rank - 2] : Kernel::last});
            names.values.push_back(name);
            if constexpr (tenon::detail::int8_table_behind<L>)
                names.values.push_back(names.ordinals.next(tenon::detail::layer_name<typename L::activation>()));
        } else if constexpr (kind == tenon::detail::Int8Kind::table) {
            names.values.push_back(names.ordinals.next(tenon::detail::layer_name<L>()));
        }
    });
}

template <class Net>
Int8Names int8_names()
{
    Int8Names names;
    name_int8<typename Model<Net, Int8>::chain>(names);
    return names;
}

// One tensor of a known dtype; with `size` its number of values must be that, or one.
template <class T>
Status read_int8_tensor(SafetensorsFile& file, const std::string& name, std::size_t size, bool or_one,
                        std::vector<T>& values)
{
    Result<std::vector<T>> read = file.try_values<T>(name);
    if (!read) return Message{read.error()};
    values = std::move(read).value();
    if (values.size() == size || (or_one && values.size() == 1)) return {};
    Message message{file.name()};
    (message << ": tensor ").quote(name) << ": expected " << size << " values" << (or_one ? " or one" : "")
                                         << ", found " << values.size();
    return message;
}

TENON_NOINLINE inline Status read_affine(SafetensorsFile& file, const std::string& name, Affine& affine)
{
    std::vector<float> scale;
    std::vector<std::int8_t> zero;
    if (Status status = read_int8_tensor(file, name + "/output_scale", 1, false, scale); !status) return status;
    if (Status status = read_int8_tensor(file, name + "/output_zero_point", 1, false, zero); !status) return status;
    affine = {scale[0], zero[0]};
    return {};
}

TENON_NOINLINE inline Status read_int8(SafetensorsFile& file, const Int8Names& names, std::uint64_t topology,
                                       bool check_topology, Int8Description& description)
{
    const std::size_t key = file.header().find_metadata(topology_key);
    if (check_topology && key != SafetensorsHeader::none && file.header().metadata_value(key) != hash_text(topology))
        return Message{file.name()} << ": saved from another topology: expected " << hash_text(topology) << ", found "
                                    << file.header().metadata_value(key);
    if (Status status = read_affine(file, "input", description.input); !status) return status;
    for (const Int8Names::Linear& layer : names.layers) {
        Int8Layer read;
        std::uint64_t size = 1;
        for (const std::uint64_t extent : layer.kernel) size *= extent;
        if (Status status = read_int8_tensor(file, layer.name + "/kernel", static_cast<std::size_t>(size), false,
                                             read.kernel);
            !status)
            return status;
        const TensorInfo info = file.header()[file.header().find(layer.name + "/kernel")];
        if (std::vector<std::uint64_t>(info.shape.begin(), info.shape.end()) != layer.kernel) {
            Message message{file.name()};
            (message << ": tensor ").quote(layer.name + "/kernel") << ": expected ";
            message.shape(layer.kernel.data(), layer.kernel.size()) << ", found ";
            return message.shape(info.shape.data(), info.shape.size());
        }
        if (Status status = read_int8_tensor(file, layer.name + "/bias", layer.channels, false, read.bias); !status)
            return status;
        if (Status status = read_int8_tensor(file, layer.name + "/kernel_scale", layer.channels, true, read.scale);
            !status)
            return status;
        if (file.header().find(layer.name + "/kernel_zero_point") != SafetensorsHeader::none) {
            std::vector<std::int8_t> zero;
            if (Status status = read_int8_tensor(file, layer.name + "/kernel_zero_point", 1, false, zero); !status)
                return status;
            read.zero_point = zero[0];
        }
        description.layers.push_back(std::move(read));
    }
    for (const std::string& name : names.values) {
        Affine affine;
        if (Status status = read_affine(file, name, affine); !status) return status;
        description.values.push_back(affine);
    }
    return {};
}

}  // namespace io::detail

// Writes the integers and scales of a model: whole or not at all.
template <class Net>
Result<Done> try_save(const Model<Net, Int8>& model, const std::string& path)
{
    using io::TensorToWrite;
    const io::detail::Int8Names names = io::detail::int8_names<Net>();
    const Int8Description& d = model.description();
    std::vector<TensorToWrite> tensors;
    std::vector<std::int8_t> zeros(d.values.size() + d.layers.size() + 1);
    std::size_t next = 0;
    const auto affine = [&](const std::string& name, const Affine& value) {
        zeros[next] = static_cast<std::int8_t>(value.zero_point);
        tensors.emplace_back(name + "/output_scale", std::vector<std::uint64_t>{1},
                             std::span<const float>(&value.scale, 1));
        tensors.emplace_back(name + "/output_zero_point", std::vector<std::uint64_t>{1},
                             std::span<const std::int8_t>(&zeros[next++], 1));
    };
    affine("input", d.input);
    for (std::size_t i = 0; i < d.layers.size(); ++i) {
        const std::string& name = names.layers[i].name;
        const Int8Layer& layer = d.layers[i];
        tensors.emplace_back(name + "/kernel", names.layers[i].kernel, std::span<const std::int8_t>(layer.kernel));
        tensors.emplace_back(name + "/bias", std::vector<std::uint64_t>{layer.bias.size()},
                             std::span<const std::int32_t>(layer.bias));
        tensors.emplace_back(name + "/kernel_scale", std::vector<std::uint64_t>{layer.scale.size()},
                             std::span<const float>(layer.scale));
        zeros[next] = static_cast<std::int8_t>(layer.zero_point);
        tensors.emplace_back(name + "/kernel_zero_point", std::vector<std::uint64_t>{1},
                             std::span<const std::int8_t>(&zeros[next++], 1));
    }
    for (std::size_t i = 0; i < d.values.size(); ++i) affine(names.values[i], d.values[i]);
    return io::try_write_safetensors(
        path, tensors, {{io::topology_key, io::detail::hash_text(Net::hash)}, {"tenon.precision", "int8"}});
}

// A model from such a file, by whomever: fails where a tensor is missing, of another dtype or shape, where the file was saved
// from another topology, or where a number has no sense.
template <class Net>
Result<Model<Net, Int8>> try_load_int8(const std::string& path, const LoadOptions& options = {})
{
    io::SafetensorsFile file;
    if (Status status = file.open(path); !status) return status.failure();
    Int8Description description;
    if (Status status = io::detail::read_int8(file, io::detail::int8_names<Net>(), Net::hash, options.check_topology,
                                              description);
        !status)
        return status.failure();
    Result<Model<Net, Int8>> model = Model<Net, Int8>::make(std::move(description));
    if (!model) return Failure{path + ": " + model.error()};
    return model;
}

#if TENON_EXCEPTIONS
// As its try_ twin, throwing tenon::Error.
template <class Net>
void save(const Model<Net, Int8>& model, const std::string& path)
{
    static_cast<void>(try_save(model, path).value_or_throw());
}
// As its try_ twin, throwing tenon::Error.
template <class Net>
Model<Net, Int8> load_int8(const std::string& path, const LoadOptions& options = {})
{
    return try_load_int8<Net>(path, options).value_or_throw();
}
#endif

}  // namespace tenon
