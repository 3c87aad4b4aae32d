// SPDX-License-Identifier: BSL-1.0
// Quantisation-aware training (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference", section 3): QuantizationAware<Net> is Net with the roundings of Model<Net, Int8> in it,
// as layers; it trains like any network, and quantize(aware) reads the integers and ranges off it.
#pragma once

#include <tenon/compression/fake_quantize.hpp>
#include <tenon/compression/quantize.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// A layer as it trains. What has no integer form is refused.
template <class L, Int8Kind Kind = int8_kind<L>>
struct AwareLayer {
    using type = L;
    // clang-format off
    enum : bool { asked = checked<HasInt8Form<L>>::value };  // as in Joint
    // clang-format on
};
template <class L, Int8Kind Kind>
    requires(is_linear(Kind))
struct AwareLayer<L, Kind> {
    using type = QuantizedWeights<L>;
};

// Whether a layer's output has a scale of its own (Int8Description::values).
template <class L>
constexpr bool has_own_scale()
{
    return is_linear(int8_kind<L>) || int8_kind<L> == Int8Kind::table || int8_sums<L> != 0 || int8_joined<L> != 0;
}

// A list with the layers' values on their grids: behind a ReLU and a maximum of blocks that follow at once. Neither changes the
// order of values, so it is the same there, and less work.
template <class Done, class... Ls>
struct AwareList {
    using type = Done;
};
template <class... Ds, class L, class... Rest>
struct AwareList<List<Ds...>, L, Rest...>
    : std::conditional_t<has_own_scale<L>(),
                         AwareList<List<Ds..., typename AwareLayer<L>::type, FakeQuantize>, Rest...>,
                         AwareList<List<Ds..., typename AwareLayer<L>::type>, Rest...>> {};
template <class... Ds, class L, class Floor, class... Rest>
    requires(has_own_scale<L>() && is_floor<Floor>())
struct AwareList<List<Ds...>, L, Floor, Rest...>
    : AwareList<List<Ds..., typename AwareLayer<L>::type, Floor, FakeQuantize>, Rest...> {};
template <class... Ds, class L, class Floor, class Pool, class... Rest>
    requires(has_own_scale<L>() && is_floor<Floor>() && is_block_maximum<Pool>())
struct AwareList<List<Ds...>, L, Floor, Pool, Rest...>
    : AwareList<List<Ds..., typename AwareLayer<L>::type, Floor, Pool, FakeQuantize>, Rest...> {};

// One layer for a branch.
template <class Ls>
struct AsOneLayer {
    using type = typename Rewrap<Sequential, Ls>::type;
};
template <class L>
struct AsOneLayer<List<L>> {
    using type = L;
};
template <class L>
using aware_branch = typename AsOneLayer<typename AwareList<List<>, L>::type>::type;

// clang-format off
template <class... Ls> struct AwareLayer<Sequential<Ls...>, Int8Kind::block> : Rewrap<Sequential, typename AwareList<List<>, Ls...>::type> {};
template <class... Ls> struct AwareLayer<Residual<Ls...>, Int8Kind::block> : Rewrap<Residual, typename AwareList<List<>, Ls...>::type> {};
template <std::size_t N, class L> struct AwareLayer<Repeat<N, L>, Int8Kind::block> { using type = Repeat<N, aware_branch<L>>; };
template <class... Ls> struct AwareLayer<Concat<Ls...>, Int8Kind::block> { using type = Concat<aware_branch<Ls>...>; };
template <class... Ls> struct AwareLayer<Add<Ls...>, Int8Kind::block> { using type = Add<aware_branch<Ls>...>; };
// clang-format on

template <class First, class C>
struct AwareNetwork;
template <class First, class In, class... Ls>
struct AwareNetwork<First, Chain<In, Ls...>> {
    template <class Layers>
    struct Of;
    template <class... As>
    struct Of<List<As...>> {
        using type = Network<First, FakeQuantizeInput, As...>;
    };
    using type = typename Of<typename AwareList<List<>, Ls...>::type>::type;
};

}  // namespace detail

// Net with its BatchNorms folded, its weights of int8 and each of its values on its own grid. The learned parameters are those
// of folded<Net>, in the same places; the ranges are statistics.
template <class Net>
struct QuantizationAware : detail::AwareNetwork<typename folded<Net>::input_type, typename folded<Net>::chain>::type {};

namespace detail {

// Walks the layers of a QuantizationAware chain in the order in which data pass, with the places in Int8Description::values:
// f.range(place, (low, high)), f.linear(view of the inner layer), f.value(change) …
template <class C, class T, class F>
void walk_aware(ParameterBlocks<T> parameters, F& f)
{
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        using L = typename B::layer;
        const auto own = layer_view<C, I>(parameters);
        if constexpr (is_fake_quantize<L>) {
            f.range(own.template statistic<0>());
        } else if constexpr (HasBranches<B>) {
            constexpr bool combines = int8_sums<L> != 0 || int8_joined<L> != 0;
            const auto before = f.enter(combines);
            for_each_index<0, B::rule::branches::size>([&]<std::size_t J>() {
                f.branch(before);
                walk_aware<typename B::rule::branches::template at<J>>(own.template branch<J>(), f);
            });
            f.leave(before, combines);
        } else if constexpr (requires { typename B::rule::inner; }) {
            f.linear(ParameterView<typename B::rule::inner, T>{own.base});
        } else if constexpr (int8_kind<L> == Int8Kind::table) {
            f.made();
        } else if constexpr (int8_kind<L> == Int8Kind::softmax) {
            f.softmax();
        }
    });
}

// Places of values: a block's own comes before those of its branches, though its range stands behind it.
struct AwarePlaces {
    static constexpr std::size_t input = ~std::size_t{0};

    std::size_t next = 0, open = input;

    void made() { open = next++; }
};

// Writes calibrated ranges.
struct AwareCalibration : AwarePlaces {
    const Int8Description& description;

    explicit AwareCalibration(const Int8Description& given) : description{given} {}

    void range(float* range) const
    {
        const Affine& affine = open == input ? description.input : description.values[open];
        range[0] = affine.scale * static_cast<float>(-128 - affine.zero_point);
        range[1] = affine.scale * static_cast<float>(127 - affine.zero_point);
    }
    template <class View>
    void linear(const View&)
    {
        made();
    }
    std::size_t enter(bool combines) { return combines ? next++ : input; }
    void branch(std::size_t) {}
    void leave(std::size_t own, bool combines)
    {
        if (combines) open = own;
    }
    void softmax() {}
};

// Reads ranges, and quantises weights by them.
struct AwareExport : AwarePlaces {
    Int8Description description;
    Affine value;

    void range(const float* range)
    {
        value = affine_of_range(static_cast<double>(range[0]), static_cast<double>(range[1]));
        (open == input ? description.input : description.values[open]) = value;
    }
    void made()
    {
        AwarePlaces::made();
        description.values.resize(next);
    }
    template <class View>
    void linear(const View& view)
    {
        description.layers.push_back(quantize_parameters(view, value, true));
        made();
    }
    struct Before {
        std::size_t own;
        Affine value;
    };
    Before enter(bool combines)
    {
        if (combines) made();
        return {open, value};
    }
    void branch(const Before& before) { value = before.value; }
    void leave(const Before& before, bool combines)
    {
        if (combines) open = before.own;
    }
    void softmax() { value = {1.0f / 256.0f, -128}; }
};

template <class Net>
Model<QuantizationAware<Net>> aware_of(const Parameters<folded<Net>, Float32>& parameters,
                                       const Int8Description& description)
{
    Parameters<QuantizationAware<Net>, Float32> result;
    constexpr std::size_t learned = Parameters<folded<Net>, Float32>::learned;
    static_assert(Parameters<QuantizationAware<Net>, Float32>::learned == learned);
    kernels::copy(learned, parameters.data(), result.data());
    AwareCalibration ranges{description};
    walk_aware<typename QuantizationAware<Net>::chain>(ParameterBlocks<float>{result.data(), result.data() + learned},
                                                       ranges);
    return Model<QuantizationAware<Net>>{std::move(result)};
}

}  // namespace detail

// The model as it trains on integers' grids, from rows that stand for what it will see (try_quantize): BatchNorm folded,
// the ranges as calibration finds them. Fails where there are no rows.
template <class Net, class Rows>
Result<Model<QuantizationAware<Net>>> try_quantization_aware(const Model<Net, Float32>& model, const Rows& calibration,
                                                             const QuantizeOptions& options = {})
{
    const Result<Model<folded<Net>, Int8>> quantized = try_quantize(model, calibration, options);
    if (!quantized) return quantized.failure();
    return detail::aware_of<Net>(fold_batch_norm(model).parameters(), quantized.value().description());
}

// The int8 model of what was trained: its integers are those of the fake-quantised weights, its scales and zero points those
// of the ranges. Fails as Model<Net, Int8>::make does.
template <class Net>
Result<Model<folded<Net>, Int8>> try_quantize(const Model<QuantizationAware<Net>, Float32>& aware)
{
    detail::AwareExport exported;
    using C = typename QuantizationAware<Net>::chain;
    detail::walk_aware<C>(blocks_of<C>(aware.parameters().data()), exported);
    return Model<folded<Net>, Int8>::make(std::move(exported.description));
}

#if TENON_EXCEPTIONS
// As their try_ twins, throwing tenon::Error.
template <class Net, class Rows>
Model<QuantizationAware<Net>> quantization_aware(const Model<Net, Float32>& model, const Rows& calibration,
                                                 const QuantizeOptions& options = {})
{
    return try_quantization_aware(model, calibration, options).value_or_throw();
}
template <class Net>
Model<folded<Net>, Int8> quantize(const Model<QuantizationAware<Net>, Float32>& aware)
{
    return try_quantize(aware).value_or_throw();
}
#endif

}  // namespace tenon
