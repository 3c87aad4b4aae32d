// SPDX-License-Identifier: BSL-1.0
// export_header: a model's weights as a C++ header, with a sample of input and output to check them by. Integers are laid out
// for the kernels of a given target; floats, of 32 or 16 bits, in logical order, and their compiler lays them out. The header
// needs nothing but one of tenon's that inference needs: no file system, no heap, no start-up code.
#pragma once

#include <tenon/io/file.hpp>
#include <tenon/model/freeze_bits.hpp>
#include <tenon/model/int8_model.hpp>
#include <tenon/model/sparse.hpp>

#include <cstdio>
#include <initializer_list>
#include <memory>

namespace tenon::inline TENON_ISA {

// Whose kernels read the weights: their layout (simd/int8.hpp). The header refuses to compile elsewhere.
struct Int8Target {
    std::size_t lanes, group, panel_registers;
    std::int32_t offset;
    bool pairs = false;

    friend constexpr bool operator==(const Int8Target&, const Int8Target&) = default;
};

namespace targets {

// Armv7E-M and Armv8-M with the DSP extension: Cortex-M4, M7, M33, M55.
inline constexpr Int8Target cortex_m_dsp{4, 4, 1, 0, true};
// Everything without vectors: Cortex-M0+, M3, RISC-V; and any target with TENON_FORCE_SCALAR.
inline constexpr Int8Target scalar{4, 1, 1, 0};
// aarch64, without and with the dot product.
inline constexpr Int8Target neon{8, 1, 2, 0};
inline constexpr Int8Target neon_dot{4, 4, 4, 0};
inline constexpr Int8Target avx2{8, 2, 2, 0};
inline constexpr Int8Target avx512_vnni{16, 4, 4, 128};
// What this file is compiled for.
inline constexpr Int8Target host{simd::int8::lanes, simd::int8::group, simd::int8::panel_registers, simd::int8::offset,
                                 simd::int8::pairs};

}  // namespace targets

// What the header is for.
struct ExportOptions {
    // Of integers. Floats are for any, with skip_zeros for one without vectors.
    Int8Target target = targets::host;
    // The header's namespace.
    std::string name = "weights";
    // The dense layers of the network's own list that have enough zeros are written as lists without them; where none has, that is
    // a failure. For processors without vectors.
    bool skip_zeros = false;
    // What is enough, a share of the kernel; 0: what pays on the target (kernels::int8_sparse_pays_from, sparse_pays_from_flash).
    double least = 0;
};

namespace io::detail {

// A linear layer's tables as this program has them.
struct LinearToExport {
    const Int8Linear* table;
    simd::int8::Layout layout;
    std::size_t groups, inputs, outputs;  // of all groups: outputs
    bool depthwise;
    std::size_t place;  // of a Dense of the network's own list, else `inside`
    bool skips = false;

    static constexpr std::size_t inside = static_cast<std::size_t>(-1);

    std::int8_t weight(std::size_t k, std::size_t n) const
    {
        return layout.stored(table->kernel[layout.index(k, n)], n);
    }
    // Of a Dense.
    double share_of_zeros() const
    {
        std::size_t zeros = 0;
        for (std::size_t k = 0; k < inputs; ++k)
            for (std::size_t n = 0; n < outputs; ++n) zeros += weight(k, n) == 0 ? 1 : 0;
        return static_cast<double>(zeros) / static_cast<double>(inputs * outputs);
    }
};

template <class C, bool Inside = false>
void collect_linear(const Int8Linear* tables, std::vector<LinearToExport>& layers)
{
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        using L = typename B::layer;
        constexpr tenon::detail::Int8Kind kind = tenon::detail::int8_kind<L>;
        if constexpr (HasBranches<B>) {
            tenon::detail::for_each_index<0, B::rule::branches::size>([&]<std::size_t J>() {
                collect_linear<typename B::rule::branches::template at<J>, true>(tables, layers);
            });
        } else if constexpr (tenon::detail::is_linear(kind)) {
            using Kernel = typename slots_type<B>::template slot<0>::shape;
            if constexpr (kind == tenon::detail::Int8Kind::depthwise) {
                constexpr std::size_t channels = Kernel::extents[Kernel::rank - 2];
                layers.push_back({tables + layers.size(),
                                  {Kernel::size / channels, 1, channels},
                                  1,
                                  Kernel::size / channels,
                                  channels,
                                  true,
                                  LinearToExport::inside});
            } else {
                layers.push_back({tables + layers.size(), tenon::detail::int8_layout<B>(),
                                  tenon::detail::int8_groups<B>(), Kernel::size / Kernel::last, Kernel::last, false,
                                  !Inside && kind == tenon::detail::Int8Kind::dense ? I : LinearToExport::inside});
            }
        }
    });
}

// The header's first lines. kind: what it says of its weights; headers: tenon's that it needs, of model/.
TENON_NOINLINE inline std::string header_begin(const std::string& kind, std::initializer_list<const char*> headers,
                                               const std::string& name)
{
    std::string text = "// Weights of a network in " + kind + ", written by tenon's export_header.\n#pragma once\n\n";
    // script/amalgamate puts these into its single headers for firmware, each behind such a guard.
    for (const char* header : headers)
        text += std::string("#ifndef TENON_SINGLE_tenon_model_") + header + "_hpp\n#    include <tenon/model/" + header +
                ".hpp>\n#endif\n";
    return text +
           "\n#if defined(__GNUC__)\n#    pragma GCC diagnostic push\n#    pragma GCC diagnostic ignored "
           "\"-Woverlength-strings\"\n#endif\n\nnamespace " +
           name + " {\n\n";
}

// The check of the network, but for its end.
TENON_NOINLINE inline std::string check_begin(std::uint64_t topology)
{
    char hash[32];
    std::snprintf(hash, sizeof hash, "0x%016llx", static_cast<unsigned long long>(topology));
    return "\ntemplate <class Net>\nstruct Check {\n    static_assert(Net::hash == " + std::string(hash) +
           ",\n                  \"tenon: these weights belong to another topology than the network that is to use "
           "them.\");\n";
}

// The tests and the last lines. type: of inputs; wrong: whether output i is.
TENON_NOINLINE inline std::string header_end(const std::string& type, const std::string& wrong, const std::string& name)
{
    return "template <class Net>\n"
           "constexpr int self_test()\n{\n"
           "    const auto output = tenon::predict<Net>(\n"
           "        weights<Net>, tenon::TensorView<const " +
           type +
           ", typename Net::input_shape>{golden_input_0});\n"
           "    int wrong = 0;\n"
           "    for (std::size_t i = 0; i < output.size(); ++i) wrong += " +
           wrong +
           ";\n    return wrong;\n}\n"
           "template <class Net>\n"
           "constexpr bool golden_holds()\n{\n    return self_test<Net>() == 0;\n}\n\n"
           "}  // namespace " +
           name + "\n\n#if defined(__GNUC__)\n#    pragma GCC diagnostic pop\n#endif\n";
}

TENON_NOINLINE inline Result<Done> write_text(const std::string& path, const std::string& text)
{
    io::AtomicFile<io::PosixSystem> file;
    Status status = file.create(path);
    if (status) status = file.write(text.data(), text.size());
    if (status) status = file.commit();
    return status.result();
}

// The bits of values of 2 or 4 bytes, as a string too.
TENON_NOINLINE inline void append_bits(std::string& text, const std::string& name,
                                       const std::vector<std::uint32_t>& bits, std::size_t size)
{
    text += std::string("inline constexpr tenon::FrozenBits<") + (size == 4 ? "char32_t, " : "char16_t, ") +
            std::to_string(bits.size()) + "> " + name + "{";
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if (i % 12 == 0) text += std::string(i == 0 ? "" : "\"") + "\n    " + (size == 4 ? "U\"" : "u\"");
        char unit[16];
        std::snprintf(unit, sizeof unit, size == 4 ? "\\x%08x" : "\\x%04x", static_cast<unsigned>(bits[i]));
        text += unit;
    }
    text += bits.empty() ? "};\n" : "\"};\n";
}

TENON_NOINLINE inline void append_floats(std::string& text, const char* name, const float* values, std::size_t count)
{
    text += "inline constexpr float " + std::string(name) + "_0[] = {";
    for (std::size_t i = 0; i < count; ++i) {
        char value[40];
        std::snprintf(value, sizeof value, "%s%af,", i % 6 == 0 ? "\n    " : " ", static_cast<double>(values[i]));
        text += value;
    }
    text += "\n};\n";
}

TENON_NOINLINE inline void append_bytes(std::string& text, const char* name, std::size_t number,
                                        const std::vector<std::int8_t>& bytes)
{
    // A string compiles in no time, a list of numbers does not. Octal escapes have three digits, whatever follows.
    text += "alignas(16) inline constexpr signed char " + std::string(name) + "_" + std::to_string(number) + "[" +
            std::to_string(bytes.size() + 1) + "] =";
    for (std::size_t i = 0; i < bytes.size(); i += 24) {
        text += "\n    \"";
        for (std::size_t k = i; k < i + 24 && k < bytes.size(); ++k) {
            const auto byte = static_cast<unsigned char>(bytes[k]);
            const char octal[] = {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
                                  static_cast<char>('0' + (byte & 7))};
            text.append(octal, 4);
        }
        text += '"';
    }
    text += bytes.empty() ? " \"\";\n" : ";\n";
}

TENON_NOINLINE inline void append_numbers(std::string& text, const char* name, std::size_t number,
                                          const std::vector<std::int32_t>& values, const char* type = "std::int32_t")
{
    text += "inline constexpr " + std::string(type) + " " + name + "_" + std::to_string(number) + "[] = {";
    for (std::size_t i = 0; i < values.size(); ++i) {
        text += i % 10 == 0 ? "\n    " : " ";
        // INT32_MIN has no literal.
        text += values[i] == INT32_MIN ? "-2147483647 - 1" : std::to_string(values[i]);
        text += ',';
    }
    text += "\n};\n";
}

inline std::string affine_text(const Affine& affine)
{
    char text[64];
    std::snprintf(text, sizeof text, "{%af, %d}", static_cast<double>(affine.scale),
                  static_cast<int>(affine.zero_point));
    return text;
}
inline std::string fixed_text(const FixedPoint& factor)
{
    return "{" + std::to_string(factor.multiplier) + ", " + std::to_string(factor.shift) + "}";
}

// The lists of a Dense without zeros (kernels/int8_sparse.hpp).
struct Int8ListWriter {
    std::vector<std::int8_t>& bytes;

    void append(std::size_t byte) { bytes.push_back(static_cast<std::int8_t>(static_cast<std::uint8_t>(byte))); }
    void begin(std::size_t pairs)
    {
        append(pairs & 255);
        append(pairs >> 8);
    }
    void put(std::size_t distance, std::int8_t weight)
    {
        append(distance);
        bytes.push_back(weight);
    }
};

// Decides which layers are lists, and says what they have where none is.
class ListChooser {
public:
    ListChooser(const ExportOptions& options, double pays) : least_{options.least > 0 ? options.least : pays} {}

    bool take(std::size_t inputs, std::size_t outputs, double zeros)
    {
        char text[96];
        std::snprintf(text, sizeof text, "%s%zu to %zu: %.1f %%", found_.empty() ? "" : ", ", inputs, outputs,
                      100 * zeros);
        found_ += text;
        any_ = any_ || zeros >= least_;
        return zeros >= least_;
    }
    Status status() const
    {
        if (any_) return {};
        char text[160];
        std::snprintf(text, sizeof text,
                      "tenon: export_header: skip_zeros: no Dense layer has the zeros to be faster without them, %.0f "
                      "%%; found ",
                      100 * least_);
        return Failure{text + (found_.empty() ? std::string("none that can be a list") : found_)};
    }
    static Status check_target(const Int8Target& target)
    {
        if (target == targets::cortex_m_dsp || target == targets::scalar) return {};
        return Failure{
            "tenon: export_header: skip_zeros: expected a target without vectors (cortex_m_dsp, scalar); with vectors "
            "dense kernels are faster than lists"};
    }

private:
    double least_;
    std::string found_;
    bool any_ = false;
};

TENON_NOINLINE inline Status choose_lists(std::vector<LinearToExport>& layers, const ExportOptions& options)
{
    if (Status status = ListChooser::check_target(options.target); !status) return status;
    ListChooser chooser{options, kernels::int8_sparse_pays_from(options.target.pairs)};
    for (LinearToExport& layer : layers)
        // A list's number of pairs has 16 bits, and its zeros are zero.
        if (layer.place != LinearToExport::inside && layer.table->kernel_zero == 0 && layer.inputs <= 65536)
            layer.skips = chooser.take(layer.inputs, layer.outputs, layer.share_of_zeros());
    return chooser.status();
}

// One layer's arrays in the target's layout. Returns the table that points to them.
TENON_NOINLINE inline std::string append_linear(std::string& text, std::size_t number, const LinearToExport& layer,
                                                const Int8Target& target)
{
    const Int8Linear& table = *layer.table;
    const simd::int8::Layout& from = layer.layout;
    simd::int8::Layout to = from;
    to.lanes = target.lanes;
    to.group = target.group;
    to.panel_registers = target.panel_registers;
    to.pairs = target.pairs;
    const std::size_t per_group = layer.outputs / layer.groups;
    const std::size_t channels = layer.depthwise ? layer.outputs : layer.groups * to.channels();
    std::vector<std::int8_t> kernel(layer.depthwise ? layer.inputs * layer.outputs : layer.groups * to.size());
    std::vector<std::int8_t> shift(channels);
    std::vector<std::int32_t> bias(channels), multiplier(channels);
    if (layer.skips) kernel.clear();
    for (std::size_t f = 0; f < layer.outputs; ++f) {
        const std::size_t group = f / per_group, n = f % per_group;
        const std::size_t source = layer.depthwise ? f : group * from.channels() + n;
        const std::size_t place = layer.depthwise ? f : group * to.channels() + n;
        std::int64_t total = 0;
        for (std::size_t k = 0; k < layer.inputs; ++k) {
            const std::int8_t w = layer.depthwise
                                      ? table.kernel[k * layer.outputs + f]
                                      : from.stored(table.kernel[group * from.size() + from.index(k, n)], n);
            if (layer.depthwise)
                kernel[k * layer.outputs + f] = w;
            else if (!layer.skips)
                kernel[group * to.size() + to.index(k, n)] = to.stored(w, n);
            total += w;
        }
        if (layer.skips)
            kernels::each_int8_sparse_part(
                layer.inputs, [&](std::size_t k) { return layer.weight(k, f); }, Int8ListWriter{kernel});
        // The bias holds what the operands' offset adds, which is the target's own.
        const std::int64_t moved = layer.depthwise ? 0 : target.offset - simd::int8::offset;
        bias[place] = static_cast<std::int32_t>(
            table.bias[source] - moved * (total - table.kernel_zero * static_cast<std::int64_t>(layer.inputs)));
        multiplier[place] = table.multiplier[source];
        shift[place] = table.shift[source];
    }
    append_bytes(text, "kernel", number, kernel);
    append_numbers(text, "bias", number, bias);
    append_numbers(text, "multiplier", number, multiplier);
    append_bytes(text, "shift", number, shift);
    const std::string i = "_" + std::to_string(number);
    return "{kernel" + i + ", bias" + i + ", multiplier" + i + ", shift" + i + ", " +
           std::to_string(table.kernel_zero) + ", " + std::to_string(table.input_zero) + ", " +
           std::to_string(table.output_zero) + ", " + std::to_string(table.lowest) + ", " +
           std::to_string(table.highest) + "}";
}

}  // namespace io::detail

// Writes `path`, whole or not at all. In the header, whose namespace is options.name:
//   weights<Net>              FrozenWeights<Net, Int8>, with skip_zeros SparseWeights<Net, Int8, …>; another topology or another target's
//                             compiler is refused
//   golden_input, golden_output   a sample in int8 and what the network makes of it here
//   golden_holds<Net>()       constexpr: static_assert it where the network is small enough for the compiler
//   sums_fit(weights<Net>)    (model/int8.hpp) constexpr: no sum can leave int32
//   self_test<Net>()          the number of outputs that differ on the board: 0
template <class Net>
Result<Done> try_export_header(const Model<Net, Int8>& model, const std::string& path,
                               const ExportOptions& options = {})
{
    using C = typename Model<Net, Int8>::chain;
    const FrozenWeights<Net, Int8>& weights = model.parameters();
    constexpr Int8Counts counts = FrozenWeights<Net, Int8>::counts;
    std::vector<io::detail::LinearToExport> layers;
    io::detail::collect_linear<C>(weights.linear, layers);
    if (options.skip_zeros)
        if (Status chosen = io::detail::choose_lists(layers, options); !chosen) return chosen.result();

    std::string text = io::detail::header_begin("int8", {options.skip_zeros ? "int8_sparse" : "int8"}, options.name);

    std::vector<std::string> linear;
    for (std::size_t i = 0; i < layers.size(); ++i)
        linear.push_back(io::detail::append_linear(text, i, layers[i], options.target));

    // A sample over the whole range, the same each time.
    std::vector<std::int8_t> input(Net::input_shape::size), output(Net::output_shape::size);
    Random random{Seed{2026}};
    for (std::int8_t& value : input) value = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
    const auto session = std::make_unique<Session<Net, Rows<1>, Int8>>(weights);
    session->run_rows(1, input.data(), output.data());
    io::detail::append_bytes(text, "golden_input", 0, input);
    io::detail::append_bytes(text, "golden_output", 0, output);

    const auto list = [&](std::size_t count, auto one) {
        std::string items = "{";
        for (std::size_t i = 0; i < count; ++i) items += (i == 0 ? "" : ", ") + one(i);
        return items + "}";
    };
    const auto number = [](int value) { return std::to_string(value); };
    text += io::detail::check_begin(Net::hash);
    text += "    static_assert(tenon::simd::int8::lanes == " + std::to_string(options.target.lanes) +
            " && tenon::simd::int8::group == " + std::to_string(options.target.group) +
            " &&\n                      tenon::simd::int8::panel_registers == " +
            std::to_string(options.target.panel_registers) +
            " && tenon::simd::int8::offset == " + std::to_string(options.target.offset) +
            " &&\n                      " + (options.target.pairs ? "" : "!") + "tenon::simd::int8::pairs" +
            ",\n                  \"tenon: these weights are laid out for another target: give export_header this "
            "one's.\");\n    static constexpr bool value = true;\n};\n\n";
    std::string type = "FrozenWeights<Net, tenon::Int8", before, behind;
    if (options.skip_zeros) {
        type = "SparseWeights<Net, tenon::Int8", before = "{", behind = "}";
        for (const io::detail::LinearToExport& layer : layers)
            if (layer.skips) type += ", " + std::to_string(layer.place);
    }
    text += "template <class Net, bool = Check<Net>::value>\ninline constexpr tenon::" + type + "> weights{" + before +
            "\n    " + io::detail::affine_text(weights.input) + ",\n    " + io::detail::affine_text(weights.output) +
            ",\n    " + list(linear.size(), [&](std::size_t i) { return linear[i]; }) + ",\n    ";
    text += list(counts.add, [&](std::size_t i) {
        const Int8Add& a = weights.add[i];
        return "{" + io::detail::fixed_text(a.a) + ", " + io::detail::fixed_text(a.b) + ", " +
               io::detail::fixed_text(a.y) + ", " + number(a.zero_a) + ", " + number(a.zero_b) + ", " +
               number(a.zero_y) + ", " + number(a.lowest) + "}";
    });
    text += ",\n    " + list(counts.rescale, [&](std::size_t i) {
                const Int8Rescale& r = weights.rescale[i];
                return "{" + io::detail::fixed_text(r.factor) + ", " + number(r.zero_x) + ", " + number(r.zero_y) + "}";
            });
    text += ",\n    " + list(counts.table, [&](std::size_t i) {
                return "{" + list(256, [&](std::size_t q) { return number(weights.table[i].at[q]); }) + "}";
            });
    text += ",\n    " + list(counts.softmax, [&](std::size_t i) {
                return "{" + io::detail::fixed_text(weights.softmax[i].factor) + ", " +
                       number(weights.softmax[i].least) + "}";
            });
    text += behind + "};\n\n";
    text += io::detail::header_end("signed char", "output[i] != golden_output_0[i]", options.name);
    return io::detail::write_text(path, text);
}

namespace io::detail {

// Slots of one layer of a chain.
template <class B>
constexpr std::size_t layer_slots()
{
    if constexpr (HasBranches<B>) {
        return []<class... Cs>(List<Cs...>) {
            return (std::size_t{0} + ... + tenon::detail::count_slots<float, Cs>());
        }(typename B::rule::branches{});
    } else {
        return role_slots_type<B, Role::learned>::size + role_slots_type<B, Role::statistics>::size;
    }
}

// A matrix without its zeros, as kernels::sparse_gemv reads it without vectors.
template <class Weight>
std::string append_list(std::string& text, std::size_t number, std::size_t inputs, std::size_t outputs, Weight weight,
                        const std::vector<std::uint32_t>& bias)
{
    std::vector<std::uint32_t> values, first;
    std::vector<std::int32_t> ends;
    for (std::size_t n = 0; n < outputs; ++n) {
        for (std::size_t k = 0; k < inputs; ++k) {
            const float w = weight(k, n);
            if (w == 0.0f) continue;
            values.push_back(std::bit_cast<std::uint32_t>(w));
            first.push_back(static_cast<std::uint32_t>(k));
        }
        ends.push_back(static_cast<std::int32_t>(values.size()));
    }
    const std::string i = "_" + std::to_string(number);
    append_bits(text, "bits_of_values" + i, values, 4);
    append_bits(text, "bits_of_first" + i, first, 2);
    append_bits(text, "bits_of_bias" + i, bias, 4);
    for (const char* name : {"values", "first", "bias"})
        text += std::string("inline constexpr auto ") + name + i + " = tenon::values_of<" +
                (name[0] == 'f' ? "std::uint16_t" : "float") + ">(bits_of_" + name + i + ");\n";
    append_numbers(text, "ends", number, ends, "std::uint32_t");
    return "{values" + i + ".at, nullptr, first" + i + ".at, ends" + i + ", bias" + i + ".at}";
}

// A float model's dense layers as lists where that pays, and all else as it is. definition: of weights<Net>.
template <class Net>
Status append_lists(std::string& text, const Model<Net, Float32>& model, const ExportOptions& options,
                    std::string& definition)
{
    using C = rewritten_chain<Purpose::inference, typename Net::chain>;
    if (Status status = ListChooser::check_target(options.target); !status) return status;
    ListChooser chooser{options, kernels::sparse_pays_from_flash};
    const auto& parameters = model.parameters();
    std::string places, lists;
    std::vector<std::uint32_t> rest, statistics;
    std::size_t next = 0;
    bool in_order = true;
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        const SlotInfo* slots = parameters.slots().begin() + next;
        constexpr std::size_t count = layer_slots<B>();
        next += count;
        const auto bits_of = [&](const SlotInfo& slot, std::vector<std::uint32_t>& to) {
            for (std::size_t i = 0; i < slot.size; ++i)
                to.push_back(std::bit_cast<std::uint32_t>(parameters.logical(slot, i)));
        };
        if constexpr (passes::SparseForm<typename B::layer>::is_dense) {
            constexpr std::size_t inputs = B::input::size, outputs = B::output::size;
            const auto weight = [&](std::size_t k, std::size_t n) {
                return parameters.logical(slots[0], k * outputs + n);
            };
            std::size_t zeros = 0;
            for (std::size_t i = 0; i < slots[0].size; ++i) zeros += parameters.logical(slots[0], i) == 0.0f ? 1 : 0;
            if (inputs <= 65536 &&
                chooser.take(inputs, outputs, static_cast<double>(zeros) / static_cast<double>(slots[0].size))) {
                std::vector<std::uint32_t> bias;
                if constexpr (count == 2)
                    bits_of(slots[1], bias);
                else
                    bias.assign(outputs, 0);
                lists += (lists.empty() ? "" : ",\n     ") + append_list(text, I, inputs, outputs, weight, bias);
                places += ", " + std::to_string(I);
                return;
            }
        }
        in_order = in_order && tenon::detail::layer_keeps_order<B, 1>();
        for (std::size_t i = 0; i < count; ++i) bits_of(slots[i], slots[i].role == Role::learned ? rest : statistics);
    });
    if (Status status = chooser.status(); !status) return status;
    if (!in_order)
        return Failure{
            "tenon: export_header: skip_zeros: expected layers whose weights lie in logical order, found Groups or "
            "Conv2DTranspose"};
    rest.insert(rest.end(), statistics.begin(), statistics.end());
    append_bits(text, "bits_of_rest", rest, 4);
    text += "inline constexpr auto rest = tenon::values_of<float>(bits_of_rest);\n";
    definition = "tenon::SparseWeights<Net, tenon::Float32" + places + "> weights{\n    rest.at,\n    {" + lists + "}}";
    return {};
}

}  // namespace io::detail

// The same for weights in float, of 32 or of 16 bits (store_as). In the header:
//   weights<Net>              FrozenWeights<Net, P>, with skip_zeros (of Float32 only) SparseWeights<Net, Float32, …>; another
//                             topology is refused
//   golden_input, golden_output, golden_holds<Net>(), self_test<Net>()   as above; an output differs that is off by more than 1e-5,
//                             of its size where that is above 1
template <class Net, class P>
Result<Done> try_export_header(const Model<Net, P>& model, const std::string& path, const ExportOptions& options = {})
{
    using stored = stored_t<P>;
    constexpr bool known = std::is_same_v<typename P::scalar, float>;
    static_assert(
        known,
        "tenon: export_header writes weights of Int8, Float32, Float16 and BFloat16: boards do not compute in double.");
    if constexpr (known) {
        const char* header = options.skip_zeros ? "sparse" : "session";
        std::string text = io::detail::header_begin("float", {"freeze_bits", header}, options.name), definition;
        if (options.skip_zeros) {
            if constexpr (std::is_same_v<stored, float>) {
                Status status = io::detail::append_lists(text, model, options, definition);
                if (!status) return status.result();
            } else {
                return Failure{"tenon: export_header: skip_zeros: expected weights of Float32 or Int8, found 16 bits"};
            }
        } else {
            std::vector<std::uint32_t> bits;
            for (const Role role : {Role::learned, Role::statistics})
                for (const SlotInfo& slot : Parameters<Net, P>::slots())
                    for (std::size_t i = 0; role == slot.role && i < slot.size; ++i) {
                        const stored value = model.parameters().logical(slot, i);
                        if constexpr (sizeof(stored) == 4)
                            bits.push_back(std::bit_cast<std::uint32_t>(value));
                        else
                            bits.push_back(value.bits);
                    }
            io::detail::append_bits(text, "values_0", bits, sizeof(stored));
            const std::string precision = std::is_same_v<stored, Fp16>   ? "tenon::Float16"
                                          : std::is_same_v<stored, Bf16> ? "tenon::BFloat16"
                                                                         : "tenon::Float32";
            definition = "tenon::FrozenWeights<Net, " + precision + "> weights = tenon::freeze_bits<Net, " + precision +
                         ">(values_0)";
        }

        // A sample in [-1, 1), the same each time.
        const auto sample = std::make_unique<Tensor<float, typename Net::input_shape>>();
        Tensor<float, typename Net::input_shape>& input = *sample;
        Random random{Seed{2026}};
        for (float& value : input) value = static_cast<float>(random.below(1 << 24)) / (1 << 23) - 1.0f;
        const auto output = model.predict(input);
        for (const float value : output)
            if (value - value != 0.0f)
                return Failure{sentence("tenon: export_header: expected finite outputs of the sample, found ", value)};
        io::detail::append_floats(text, "golden_input", input.data(), input.size());
        io::detail::append_floats(text, "golden_output", output.data(), output.size());
        text += io::detail::check_begin(Net::hash);
        if (options.skip_zeros)
            text +=
                "    static_assert(tenon::simd::width<float> == 1,\n                  \"tenon: these weights are laid "
                "out for processors without vectors.\");\n";
        text +=
            "    static constexpr bool value = true;\n};\n\n"
            "template <class Net, bool = Check<Net>::value>\n"
            "inline constexpr " +
            definition + ";\n\n";
        text +=
            "constexpr bool differs(float found, float expected)\n{\n"
            "    const float size = expected < 0 ? -expected : expected, limit = 1e-5f * (size > 1 ? size : 1);\n"
            "    return !(found - expected <= limit && expected - found <= limit);\n}\n\n";
        text += io::detail::header_end("float", "differs(output[i], golden_output_0[i])", options.name);
        return io::detail::write_text(path, text);
    } else {
        return Done{};
    }
}

#if TENON_EXCEPTIONS
// As its try_ twin, throwing tenon::Error.
template <class Net, class P>
void export_header(const Model<Net, P>& model, const std::string& path, const ExportOptions& options = {})
{
    static_cast<void>(try_export_header(model, path, options).value_or_throw());
}
#endif

}  // namespace tenon
