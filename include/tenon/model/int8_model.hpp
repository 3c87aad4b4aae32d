// SPDX-License-Identifier: BSL-1.0
// Model<Net, Int8>: a network in int8 that owns its tables, made from integers and scales in logical (Keras) order: by
// quantize (compression/quantize.hpp), or by others who quantised the same network elsewhere (io/int8_safetensors.hpp).
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/core/storage.hpp>
#include <tenon/model/int8.hpp>
#include <tenon/model/model.hpp>
#include <tenon/passes/functions.hpp>

#include <cstdlib>
#include <memory>
#include <vector>

namespace tenon::inline TENON_ISA {

// The integers of a dense layer or a convolution. real kernel = scale[n] · (kernel - zero_point); the bias has the scale
// (input's scale) · scale[n]. One scale for the whole kernel, or one per output channel.
struct Int8Layer {
    std::vector<std::int8_t> kernel;  // logical order: (in, units), (kh, kw, c / groups, filters), (kh, kw, c, 1)
    std::vector<std::int32_t> bias;   // (units); zeros for a layer without one
    std::vector<float> scale;
    std::int32_t zero_point = 0;
};

// A network's integers: linear layers in the order in which data pass them, and the scale of each value that has one of its
// own (Int8Steps<Net> names them). Pools, views and ReLU keep their input's scale, Softmax has 1/256 and -128.
struct Int8Description {
    Affine input;
    std::vector<Int8Layer> layers;
    std::vector<Affine> values;
};

namespace detail {

// How often each kind of layer has been named.
struct Ordinals {
    std::vector<std::pair<std::string, std::size_t>> seen;

    std::string next(NamePart part)
    {
        const std::string kind(part.data, part.size);
        for (auto& [name, count] : seen)
            if (name == kind) return sentence(kind, "_", ++count);
        seen.emplace_back(kind, 1);
        return sentence(kind, "_", 1);
    }
};

// Whether the values that layer I of a chain makes reach a ReLU unchanged but for their order: then the layer itself clamps.
template <class C, std::size_t I>
constexpr bool meets_floor(bool behind)
{
    bool result = behind, decided = false;
    C::for_each([&]<std::size_t J>() {
        using L = typename C::template layer<J>;
        if (J > I && !decided) {
            constexpr bool passes_on = is_view<typename C::template bound<J>>() || is_dropout<L>() ||
                                       passes::is_max_pool<L> || std::is_same_v<L, GlobalMaxPool2D>;
            if (is_floor<L>())
                result = decided = true;
            else if (!passes_on) {
                result = false;
                decided = true;
            }
        }
    });
    return result;
}
template <class L>
inline constexpr bool swallows_floor = false;
template <class Head, class A>
inline constexpr bool swallows_floor<Fused<Head, A>> = is_floor<A>();
template <class Head, class P>
inline constexpr bool swallows_floor<FusedPool<Head, P>> = swallows_floor<Head>;

template <class L>
struct ActivationOf {
    using type = L;
};
template <class Head, class A>
struct ActivationOf<Fused<Head, A>> {
    using type = A;
};

// The tables of a network, filled layer by layer. Errors are kept as a sentence; the first one stays.
class Int8Packer {
public:
    Int8Packer(const Int8Description& description, std::int8_t* memory) : description_{description}, memory_{memory} {}

    struct Tables {
        Int8Linear* linear;
        Int8Add* add;
        Int8Rescale* rescale;
        Int8Table* table;
        Int8Softmax* softmax;
    };
    struct Value {
        Affine affine;
        bool clamped = false;  // nothing below its zero
    };

    template <class C>
    Value chain(Tables tables, Value in, bool floor_behind)
    {
        Value value = in;
        C::for_each([&]<std::size_t I>() {
            using B = typename C::template bound<I>;
            const Int8Counts& before = int8_before<C>.at[I];
            value = layer<B>({tables.linear + before.linear, tables.add + before.add, tables.rescale + before.rescale,
                              tables.table + before.table, tables.softmax + before.softmax},
                             value, meets_floor<C, I>(floor_behind) || swallows_floor<typename B::layer>);
        });
        return value;
    }

    const std::string& error() const { return error_; }
    void check(bool good, const std::string& message)
    {
        if (!good && error_.empty()) error_ = message;
    }
    bool all_used() const { return layer_ == description_.layers.size() && value_ == description_.values.size(); }

private:
    template <class B>
    Value layer(Tables t, Value in, bool floor)
    {
        using L = typename B::layer;
        constexpr Int8Kind kind = int8_kind<L>;
        if constexpr (HasBranches<B>) {
            return block<B>(t, in, floor);
        } else if constexpr (is_linear(kind)) {
            const Affine sum = next_value();
            linear<B>(*t.linear, in.affine, sum, floor);
            Value out{sum, floor};
            if constexpr (int8_table_behind<L>) {
                const Affine to = next_value();
                table<typename ActivationOf<L>::type>(*t.table, sum, to, floor);
                out = {to, floor};
            }
            return out;
        } else if constexpr (kind == Int8Kind::table) {
            const Affine to = next_value();
            table<L>(*t.table, in.affine, to, floor);
            return {to, floor};
        } else if constexpr (kind == Int8Kind::softmax) {
            softmax(*t.softmax, in.affine);
            return {{1.0f / 256.0f, -128}, true};
        } else {
            if (is_floor<L>())
                check(
                    in.clamped || in.affine.zero_point == -128,
                    "a ReLU behind an average pool or the network's input has no int8 form: its input has another zero "
                    "point than -128");
            return in;
        }
    }

    template <class B>
    Value block(Tables t, Value in, bool floor)
    {
        using L = typename B::layer;
        constexpr std::size_t branches = B::rule::branches::size;
        constexpr bool joins = int8_joined<L> != 0, sums = int8_sums<L> != 0;
        const Affine to = joins || sums ? next_value() : Affine{};
        Tables own{t.linear, t.add + int8_sums<L>, t.rescale + int8_joined<L>, t.table, t.softmax};
        Value parts[branches];
        for_each_index<0, branches>([&]<std::size_t I>() {
            using C = typename B::rule::branches::template at<I>;
            parts[I] = chain<C>(own, in, sums ? false : floor);
            constexpr Int8Counts counts = int8_chain_counts<C>();
            own = {own.linear + counts.linear, own.add + counts.add, own.rescale + counts.rescale,
                   own.table + counts.table, own.softmax + counts.softmax};
        });
        if constexpr (!joins && !sums) {
            return parts[0];
        } else if constexpr (joins) {
            bool clamped = true;
            for (std::size_t i = 0; i < branches; ++i) {
                t.rescale[i] = {};
                clamped = clamped && parts[i].clamped;
                if (parts[i].affine == to) continue;
                t.rescale[i] = {fixed_point(static_cast<double>(parts[i].affine.scale) / static_cast<double>(to.scale)),
                                static_cast<std::int8_t>(parts[i].affine.zero_point),
                                static_cast<std::int8_t>(to.zero_point)};
            }
            return {to, clamped};
        } else {
            // TensorFlow Lite's ADD; more than two branches are summed one after the other.
            const auto add = [&](Int8Add& table, const Affine& a, const Affine& b, bool last) {
                const double larger = static_cast<double>(a.scale > b.scale ? a.scale : b.scale);
                table = {fixed_point(static_cast<double>(a.scale) / (2.0 * larger)),
                         fixed_point(static_cast<double>(b.scale) / (2.0 * larger)),
                         fixed_point(2.0 * larger / (1048576.0 * static_cast<double>(to.scale))),
                         static_cast<std::int8_t>(a.zero_point),
                         static_cast<std::int8_t>(b.zero_point),
                         static_cast<std::int8_t>(to.zero_point),
                         static_cast<std::int8_t>(floor && last ? to.zero_point : -128)};
            };
            if constexpr (branches == 1)
                add(t.add[0], in.affine, parts[0].affine, true);
            else
                for (std::size_t i = 1; i < branches; ++i)
                    add(t.add[i - 1], i == 1 ? parts[0].affine : to, parts[i].affine, i + 1 == branches);
            return {to, floor};
        }
    }

    Affine next_value()
    {
        const std::size_t i = value_++;
        const Affine value = i < description_.values.size() ? description_.values[i] : Affine{};
        check_affine(value);
        return value;
    }

public:
    void check_affine(const Affine& a)
    {
        check(a.scale > 0.0f && a.scale < 3.0e38f && a.zero_point >= -128 && a.zero_point <= 127,
              sentence("expected scales above 0 and zero points from -128 to 127, found ", a.scale, " and ",
                       a.zero_point));
    }

private:
    template <class T>
    T* take(std::size_t count)
    {
        T* result = reinterpret_cast<T*>(memory_);
        memory_ += (count * sizeof(T) + 63) / 64 * 64;
        return result;
    }

    template <class B>
    void linear(Int8Linear& to, const Affine& in, const Affine& out, bool floor)
    {
        constexpr bool depthwise = int8_kind<typename B::layer> == Int8Kind::depthwise;
        constexpr std::size_t size = slots_type<B>::template slot<0>::shape::size, outputs = int8_outputs<B>();
        constexpr std::size_t inputs = size / outputs, groups = int8_groups<B>(), channels = int8_channels<B>();

        const std::size_t index = layer_++;
        static const Int8Layer none{};
        const Int8Layer& given = index < description_.layers.size() ? description_.layers[index] : none;
        const bool fits = given.kernel.size() == size && given.bias.size() == outputs &&
                          (given.scale.size() == 1 || given.scale.size() == outputs);
        check(fits, sentence("layer ", index + 1, " of the linear ones: expected a kernel of ", size, " values, ",
                             outputs, " biases and 1 or ", outputs, " scales, found ", given.kernel.size(), ", ",
                             given.bias.size(), " and ", given.scale.size()));
        if (!error_.empty()) return;

        auto* kernel = take<std::int8_t>(int8_kernel_bytes<B>());
        auto* bias = take<std::int32_t>(channels);
        auto* multiplier = take<std::int32_t>(channels);
        auto* shift = take<std::int8_t>(channels);
        const std::int32_t moved = depthwise ? 0 : in.zero_point + simd::int8::offset;
        for (std::size_t f = 0; f < outputs; ++f) {
            const std::size_t group = f / (outputs / groups), n = f % (outputs / groups);
            std::size_t place = f;
            if constexpr (!depthwise) place = group * int8_layout<B>().channels() + n;
            std::int64_t total = 0, absolute = 0;
            for (std::size_t k = 0; k < inputs; ++k) {
                // Depthwise kernels are (kh, kw, c, 1), as the kernel reads them.
                const std::size_t logical = k * outputs + f;
                const std::int32_t w = given.kernel[logical];
                if constexpr (depthwise)
                    kernel[logical] = given.kernel[logical];
                else
                    kernel[group * int8_layout<B>().size() + int8_layout<B>().index(k, n)] =
                        int8_layout<B>().stored(given.kernel[logical], n);
                total += w;
                absolute += std::abs(w) + std::abs(given.zero_point);
            }
            const std::int64_t sum = given.bias[f] - moved * total +
                                     static_cast<std::int64_t>(given.zero_point) * static_cast<std::int64_t>(inputs) *
                                         moved;
            // Operands have at most 8 bits, so this bounds every partial sum, on every target.
            check(std::abs(sum) + 256 * absolute <= INT32_MAX && std::abs(given.bias[f]) + 256 * absolute <= INT32_MAX,
                  sentence("layer ", index + 1, " of the linear ones: the sums of channel ", f,
                           " may leave the range of int32"));
            bias[place] = static_cast<std::int32_t>(sum);
            const float scale = given.scale[given.scale.size() == 1 ? 0 : f];
            check_affine({scale, 0});
            // TensorFlow Lite multiplies the scales of a fully connected layer with one scale in float.
            const bool as_float = given.scale.size() == 1 && int8_kind<typename B::layer> == Int8Kind::dense;
            const double product = as_float ? static_cast<double>(in.scale * scale)
                                            : static_cast<double>(in.scale) * static_cast<double>(scale);
            const FixedPoint factor = fixed_point(product / static_cast<double>(out.scale));
            multiplier[place] = factor.multiplier;
            shift[place] = static_cast<std::int8_t>(factor.shift);
        }
        check(given.zero_point >= -128 && given.zero_point <= 127,
              sentence("layer ", index + 1, " of the linear ones: its kernel's zero point is ", given.zero_point));
        to = {kernel, bias, multiplier, shift, static_cast<std::int16_t>(given.zero_point),
              static_cast<std::int8_t>(in.zero_point), static_cast<std::int8_t>(out.zero_point),
              // A table behind has the clamp.
              static_cast<std::int8_t>(floor && !int8_table_behind<typename B::layer> ? out.zero_point : -128), 127};
    }

    template <class Activation>
    void table(Int8Table& to, const Affine& in, const Affine& out, bool floor)
    {
        for (std::int32_t q = -128; q < 128; ++q) {
            const simd::Pack<double, 1> x = static_cast<double>(in.scale) * (q - in.zero_point);
            const double y = passes::function_of<Activation>(x).lanes / static_cast<double>(out.scale);
            const double bounded = y > -1e6 ? (y < 1e6 ? y : 1e6) : -1e6;
            const auto rounded = static_cast<std::int32_t>(bounded < 0.0 ? bounded - 0.5 : bounded + 0.5);
            to.at[q + 128] = clamp_int8(rounded + out.zero_point, floor ? out.zero_point : -128);
        }
    }

    void softmax(Int8Softmax& to, const Affine& in)
    {
        const double scaled = static_cast<double>(in.scale) * 0x1p26;
        to.factor = fixed_point(scaled < 0x1p31 - 1.0 ? scaled : 0x1p31 - 1.0);
        check(to.factor.shift > 0, "the scale of Softmax's input is below 2^-26");
        const std::int64_t radius = (std::int64_t{31} << 26) >> (to.factor.shift > 0 ? to.factor.shift : 0);
        to.least = -static_cast<std::int32_t>(radius);
    }

    const Int8Description& description_;
    std::int8_t* memory_;
    std::size_t layer_ = 0, value_ = 0;
    std::string error_;
};

}  // namespace detail

// As Model<Net>, in int8: the same predict, sessions and summary<Net, Int8>().
template <class Net>
class Model<Net, Int8> {
public:
    using network = Net;
    using precision = Int8;
    using scalar = std::int8_t;
    using chain = rewritten_chain<Purpose::inference, typename Net::chain>;

    // From integers in logical order; the sentence says what does not fit the network.
    static Result<Model> make(Int8Description description)
    {
        Model model;
        model.description_ = std::move(description);
        std::string error = model.pack();
        if (!error.empty()) return Failure{std::move(error)};
        return model;
    }

#if TENON_EXCEPTIONS
    explicit Model(Int8Description description) : Model(make(std::move(description)).value_or_throw()) {}
#endif
    Model(const Model& other) : description_{other.description_} { pack(); }
    Model(Model&&) noexcept = default;
    Model& operator=(Model other) noexcept
    {
        description_ = std::move(other.description_);
        memory_ = std::move(other.memory_);
        weights_ = other.weights_;
        return *this;
    }
    ~Model() = default;

    // The integers as they were given.
    const Int8Description& description() const { return description_; }
    // What inference reads; it points into this model.
    const FrozenWeights<Net, Int8>& parameters() const { return weights_; }
    // How floats become the first layer's integers, and the last layer's integers floats.
    const Affine& input() const { return weights_.input; }
    const Affine& output() const { return weights_.output; }

    // One sample of floats, or of int8 (then the output is int8 as well). Any number of threads may predict at a time.
    template <class Sample>
        requires requires { typename Sample::shape; }
    auto predict(const Sample& input) const
    {
        if constexpr (Net::template workspace_bytes<Int8> <= 64 * 1024) {
            return tenon::predict<Net>(weights_, input);
        } else {
            const auto session = std::make_unique<Session<Net, Rows<1>, Int8>>(weights_);
            return session->run(input);
        }
    }

private:
    Model() = default;

    std::string pack()
    {
        constexpr Int8Counts counts = FrozenWeights<Net, Int8>::counts;
        memory_ = AlignedBuffer<std::int8_t>{counts.kernel_bytes + 9 * counts.channels + counts.linear * 4 * 64};
        detail::Int8Packer packer{description_, memory_.data()};
        packer.check_affine(description_.input);
        weights_ = {};
        weights_.input = description_.input;
        weights_.output = packer
                              .template chain<chain>(
                                  {weights_.linear, weights_.add, weights_.rescale, weights_.table, weights_.softmax},
                                  {description_.input, false}, false)
                              .affine;
        packer.check(packer.all_used(), "more layers or scales than the network has");
        return packer.error();
    }

    Int8Description description_;
    AlignedBuffer<std::int8_t> memory_;
    FrozenWeights<Net, Int8> weights_{};
};

}  // namespace tenon
