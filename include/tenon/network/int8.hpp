// SPDX-License-Identifier: BSL-1.0
// What a network is in int8: which of its layers have an integer form, how many tables of each kind they need, and their
// bytes. All of it is computed from the type.
#pragma once

#include <tenon/kernels/int8_windows.hpp>
#include <tenon/layers/layers.hpp>
#include <tenon/network/add.hpp>
#include <tenon/network/network.hpp>

namespace tenon::inline TENON_ISA {

// int8 weights and activations, int32 sums: Model<Net, Int8>.
struct Int8 {
    using scalar = std::int8_t;
};

namespace detail {

enum class Int8Kind : unsigned char { none, same, dense, conv, depthwise, table, softmax, block };

template <class L>
struct Int8KindOf {
    static constexpr Int8Kind value = [] {
        if constexpr (is_elementwise<L>())
            return is_floor<L>() ? Int8Kind::same : Int8Kind::table;
        else if constexpr (requires { L::is_view; })
            return Int8Kind::same;
        else
            return Int8Kind::none;
    }();
};
template <Int8Kind Kind>
struct Int8Is {
    static constexpr Int8Kind value = Kind;
};
// clang-format off
template <std::size_t N, class... Os> struct Int8KindOf<Dense<N, Os...>> : Int8Is<Int8Kind::dense> {};
template <std::size_t N, class... Os> struct Int8KindOf<Conv2D<N, Os...>> : Int8Is<Int8Kind::conv> {};
template <std::size_t N, class... Os> struct Int8KindOf<Conv1D<N, Os...>> : Int8Is<Int8Kind::conv> {};
template <class... Os> struct Int8KindOf<DepthwiseConv2D<Os...>> : Int8Is<Int8Kind::depthwise> {};
template <class Head, class A> struct Int8KindOf<Fused<Head, A>> : Int8KindOf<Head> {};
template <class Head, class P> struct Int8KindOf<FusedPool<Head, P>> : Int8KindOf<Head> {};
template <std::size_t N, class... Os> struct Int8KindOf<MaxPool2D<N, Os...>> : Int8Is<Int8Kind::same> {};
template <std::size_t N, class... Os> struct Int8KindOf<MaxPool1D<N, Os...>> : Int8Is<Int8Kind::same> {};
template <std::size_t N, class... Os> struct Int8KindOf<AveragePool2D<N, Os...>> : Int8Is<Int8Kind::same> {};
template <std::size_t N, class... Os> struct Int8KindOf<AveragePool1D<N, Os...>> : Int8Is<Int8Kind::same> {};
template <> struct Int8KindOf<GlobalAveragePool2D> : Int8Is<Int8Kind::same> {};
template <> struct Int8KindOf<GlobalMaxPool2D> : Int8Is<Int8Kind::same> {};
template <class R> struct Int8KindOf<Dropout<R>> : Int8Is<Int8Kind::same> {};
template <> struct Int8KindOf<Softmax> : Int8Is<Int8Kind::softmax> {};
template <class... Ls> struct Int8KindOf<Sequential<Ls...>> : Int8Is<Int8Kind::block> {};
template <std::size_t N, class L> struct Int8KindOf<Repeat<N, L>> : Int8Is<Int8Kind::block> {};
template <class... Ls> struct Int8KindOf<Residual<Ls...>> : Int8Is<Int8Kind::block> {};
template <class... Ls> struct Int8KindOf<Add<Ls...>> : Int8Is<Int8Kind::block> {};
template <class... Ls> struct Int8KindOf<Concat<Ls...>> : Int8Is<Int8Kind::block> {};
// clang-format on

template <class L>
inline constexpr Int8Kind int8_kind = Int8KindOf<L>::value;
constexpr bool is_linear(Int8Kind kind)
{
    return kind == Int8Kind::dense || kind == Int8Kind::conv || kind == Int8Kind::depthwise;
}

// A linear layer whose activation is read from a table, because it is no ReLU.
template <class L>
inline constexpr bool int8_table_behind = false;
template <class Head, class A>
inline constexpr bool int8_table_behind<Fused<Head, A>> = !is_floor<A>();

// A convolution with nothing but a ReLU behind.
template <class L>
inline constexpr bool int8_plain_conv = int8_kind<L> == Int8Kind::conv && !int8_table_behind<L>;
template <class Head, class P>
inline constexpr bool int8_plain_conv<FusedPool<Head, P>> = false;

// How many branches' outputs are summed, or joined.
template <class L>
inline constexpr std::size_t int8_sums = 0;
template <class... Ls>
inline constexpr std::size_t int8_sums<Residual<Ls...>> = 1;
template <class... Ls>
inline constexpr std::size_t int8_sums<Add<Ls...>> = sizeof...(Ls) - 1;
template <class L>
inline constexpr std::size_t int8_joined = 0;
template <class... Ls>
inline constexpr std::size_t int8_joined<Concat<Ls...>> = sizeof...(Ls);

// The layout of a linear layer's weights: one group's, and the number of groups.
template <class B>
constexpr simd::int8::Layout int8_layout()
{
    if constexpr (int8_kind<typename B::layer> == Int8Kind::dense)
        return kernels::int8_dense_layout(B::rule::inputs, B::rule::units);
    else
        return kernels::int8_conv_layout(B::rule::geometry);
}
template <class B>
constexpr std::size_t int8_groups()
{
    if constexpr (int8_kind<typename B::layer> == Int8Kind::conv)
        return B::rule::geometry.groups;
    else
        return 1;
}
template <class Rule>
constexpr ConvShape depthwise_geometry()
{
    return Rule::window::template geometry<Rule::channels, Rule::channels>;
}
// Output channels of a linear layer: its kernel is a matrix of so many columns in logical order.
template <class B>
constexpr std::size_t int8_outputs()
{
    using Kernel = typename slots_type<B>::template slot<0>::shape;
    return int8_kind<typename B::layer> == Int8Kind::depthwise ? Kernel::extents[Kernel::rank - 2] : Kernel::last;
}
// Bytes of a linear layer's kernel, and entries of its other arrays.
template <class B>
constexpr std::size_t int8_kernel_bytes()
{
    if constexpr (int8_kind<typename B::layer> == Int8Kind::depthwise)
        return slots_type<B>::template slot<0>::shape::size;
    else
        return int8_groups<B>() * int8_layout<B>().size();
}
template <class B>
constexpr std::size_t int8_channels()
{
    if constexpr (int8_kind<typename B::layer> == Int8Kind::depthwise)
        return B::rule::channels;
    else
        return int8_groups<B>() * int8_layout<B>().channels();
}

}  // namespace detail

// Tables of a layer or a chain, by kind; and the bytes of what they point to.
struct Int8Counts {
    std::size_t linear = 0, add = 0, rescale = 0, table = 0, softmax = 0;
    std::size_t kernel_bytes = 0, channels = 0;

    friend constexpr Int8Counts operator+(const Int8Counts& a, const Int8Counts& b)
    {
        return {a.linear + b.linear,    a.add + b.add,         a.rescale + b.rescale,
                a.table + b.table,      a.softmax + b.softmax, a.kernel_bytes + b.kernel_bytes,
                a.channels + b.channels};
    }
};

// What the layers of a chain need.
template <class C>
constexpr Int8Counts int8_chain_counts();

// A layer that Model<Net, Int8> cannot run.
template <class Layer>
struct HasInt8Form {
    static constexpr bool value = detail::int8_kind<Layer> != detail::Int8Kind::none;
    static_assert(detail::int8_kind<Layer> != detail::Int8Kind::none,
                  "tenon: this layer has no int8 form: fold BatchNorm before (fold_batch_norm), see "
                  "docs/guide/quantisation.md for the layers that have one.");
};

// What one layer needs.
template <class B>
constexpr Int8Counts int8_layer_counts()
{
    using L = typename B::layer;
    constexpr detail::Int8Kind kind = detail::int8_kind<L>;
    Int8Counts counts{};
    if constexpr (HasBranches<B>) {
        counts = []<class... Cs>(List<Cs...>) {
            return (Int8Counts{} + ... + int8_chain_counts<Cs>());
        }(typename B::rule::branches{});
        counts.add += detail::int8_sums<L>;
        counts.rescale += detail::int8_joined<L>;
    } else if constexpr (detail::is_linear(kind)) {
        counts.linear = 1;
        counts.kernel_bytes = (detail::int8_kernel_bytes<B>() + 63) / 64 * 64;
        counts.channels = detail::int8_channels<B>();
        counts.table = detail::int8_table_behind<L> ? 1 : 0;
    } else if constexpr (kind == detail::Int8Kind::table) {
        counts.table = 1;
    } else if constexpr (kind == detail::Int8Kind::softmax) {
        counts.softmax = 1;
    } else {
        static_cast<void>(checked<HasInt8Form<L>>::value);
    }
    return counts;
}

// What the layers of a chain need.
template <class C>
constexpr Int8Counts int8_chain_counts()
{
    Int8Counts counts{};
    C::for_each([&]<std::size_t I>() { counts = counts + int8_layer_counts<typename C::template bound<I>>(); });
    return counts;
}

// The tables of a chain in the order in which data pass its layers; a block's own stand before its branches'.
struct Int8View {
    const Int8Linear* linear;
    const Int8Add* add;
    const Int8Rescale* rescale;
    const Int8Table* table;
    const Int8Softmax* softmax;

    constexpr Int8View behind(const Int8Counts& counts) const
    {
        return {linear + counts.linear, add + counts.add, rescale + counts.rescale, table + counts.table,
                softmax + counts.softmax};
    }
};

namespace detail {

template <std::size_t N>
struct CountsTable {
    Int8Counts at[N + 1];
};

// What stands before each layer of a chain.
template <class C>
inline constexpr auto int8_before = [] {
    CountsTable<C::count> table{};
    C::for_each(
        [&]<std::size_t I>() { table.at[I + 1] = table.at[I] + int8_layer_counts<typename C::template bound<I>>(); });
    return table;
}();

}  // namespace detail

namespace detail {

// Whether a residual block adds its branch to the shortcut pixel by pixel, in the shortcut's own place: where convolutions take
// a few windows at a time, the branch ends in one, and something else of the branch has read the shortcut before.
template <class B>
constexpr bool int8_adds_in_place()
{
    bool result = false;
    if constexpr (!TENON_SIMD && int8_sums<typename B::layer> == 1) {
        if constexpr (B::rule::branches::size == 1) {
            using C = typename B::rule::branches::template at<0>;
            std::size_t computing = 0;
            C::for_each([&]<std::size_t I>() {
                if (is_view<typename C::template bound<I>>()) return;
                ++computing;
                result = computing > 1 && I + 1 == C::count && int8_plain_conv<typename C::template layer<I>>;
            });
        }
    }
    return result;
}

}  // namespace detail

// What int8 layers need beside their inputs and outputs.
template <>
struct ScratchOf<std::int8_t> {
    // Layers that work in place on int8 alone.
    template <class B>
    static constexpr bool in_place = detail::int8_adds_in_place<B>();

    template <class B, std::size_t Rows>
    static constexpr std::size_t scalars()
    {
        if constexpr (detail::int8_kind<typename B::layer> == detail::Int8Kind::dense)
            return kernels::int8_dense_scratch(Rows, B::rule::inputs);
        else if constexpr (detail::int8_kind<typename B::layer> == detail::Int8Kind::conv)
            return kernels::int8_conv_scratch(B::rule::geometry);
        else
            return 0;
    }
};

// The bytes of an int8 network.
template <>
struct Footprint<Int8> {
    // Everything that inference reads: kernels, the four arrays of each channel's numbers, the tables themselves.
    template <class C>
    static constexpr std::size_t parameters = [] {
        constexpr Int8Counts counts = int8_chain_counts<rewritten_chain<Purpose::inference, C>>();
        return counts.kernel_bytes + counts.channels * 9 + counts.linear * sizeof(Int8Linear) +
               counts.add * sizeof(Int8Add) + counts.rescale * sizeof(Int8Rescale) + counts.table * sizeof(Int8Table) +
               counts.softmax * sizeof(Int8Softmax) + 2 * sizeof(Affine);
    }();
    template <class C, std::size_t Rows>
    static constexpr std::size_t workspace = chain_workspace<std::int8_t, C, Rows>();
};

}  // namespace tenon
