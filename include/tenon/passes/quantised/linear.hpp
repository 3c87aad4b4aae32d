// SPDX-License-Identifier: BSL-1.0
// Dense layers and convolutions on int8, with a ReLU in the clamp and any other activation in a table behind.
#pragma once

#include <tenon/kernels/int8_sparse.hpp>
#include <tenon/network/int8.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

// The same results in constant expressions, where there are no registers: weights are read from where the layout says.
// x: (rows, …) of any dense layer (height 1, width and kernel 1) or convolution.
constexpr void int8_portable(std::size_t rows, const ConvShape& s, const simd::int8::Layout& l, const std::int8_t* x,
                             const Int8Linear& layer, std::int8_t* y, std::size_t pool)
{
    const std::int32_t offset = simd::int8::offset;
    const std::size_t height = s.out_height / pool, width = s.out_width / pool;
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size(), y += height * width * s.filters)
        for (std::size_t i = 0; i < height; ++i)
            for (std::size_t j = 0; j < width; ++j)
                for (std::size_t f = 0; f < s.filters; ++f) {
                    const std::size_t group = f / s.group_filters(), n = f % s.group_filters();
                    const std::int8_t* kernel = layer.kernel + group * l.size();
                    const std::size_t channel = group * l.channels() + n;
                    std::int8_t most = -128;
                    for (std::size_t p = 0; p < pool * pool; ++p) {
                        std::int32_t sum = layer.bias[channel];
                        for (std::size_t k = 0; k < s.window(); ++k) {
                            const std::size_t tap = k / s.group_channels(), c = k % s.group_channels();
                            const std::size_t row = (i * pool + p / pool) * s.stride_height +
                                                    tap / s.kernel_width * s.dilation_height;
                            const std::size_t column = (j * pool + p % pool) * s.stride_width +
                                                       tap % s.kernel_width * s.dilation_width;
                            const bool inside = row >= s.top && row - s.top < s.height && column >= s.left &&
                                                column - s.left < s.width;
                            const std::int32_t value =
                                inside ? x[((row - s.top) * s.width + column - s.left) * s.channels +
                                           group * s.group_channels() + c]
                                       : layer.input_zero;
                            sum += (value + offset) * (l.stored(kernel[l.index(k, n)], n) - layer.kernel_zero);
                        }
                        const std::int8_t q = simd::int8::requantize(sum, layer.multiplier[channel],
                                                                     layer.shift[channel], layer.output_zero,
                                                                     layer.lowest, layer.highest);
                        most = q > most ? q : most;
                    }
                    y[(i * width + j) * s.filters + f] = most;
                }
}

constexpr ConvShape dense_as_conv(std::size_t inputs, std::size_t units)
{
    ConvShape s{};
    s.height = s.width = s.out_height = s.out_width = s.kernel_height = s.kernel_width = 1;
    s.stride_height = s.stride_width = s.dilation_height = s.dilation_width = s.groups = 1;
    s.channels = inputs;
    s.filters = units;
    return s;
}

template <class L>
inline constexpr bool is_fused_pool = false;
template <class Head, class Pool>
inline constexpr bool is_fused_pool<FusedPool<Head, Pool>> = true;

}  // namespace passes

// y = the layer's int8 outputs.   x: (rows, input), y: (rows, output), scratch: ScratchOf<std::int8_t> bytes.
template <class L, class In>
    requires(detail::is_linear(detail::int8_kind<L>))
constexpr void run_int8(Bound<L, In> bound, std::size_t rows, const Int8View& view, const std::int8_t* x,
                        std::int8_t* y, std::int8_t* scratch)
{
    using B = decltype(bound);
    constexpr detail::Int8Kind kind = detail::int8_kind<L>;
    constexpr bool pool = passes::is_fused_pool<L>;
    const Int8Linear& layer = view.linear[0];
    if constexpr (kind == detail::Int8Kind::dense) {
        constexpr std::size_t inputs = B::rule::inputs, units = B::rule::units;
        if (std::is_constant_evaluated())
            passes::int8_portable(rows, passes::dense_as_conv(inputs, units), detail::int8_layout<B>(), x, layer, y, 1);
        else
            kernels::int8_dense(rows, inputs, units, x, layer, y, scratch);
    } else if constexpr (kind == detail::Int8Kind::conv) {
        if (std::is_constant_evaluated())
            passes::int8_portable(rows, B::rule::geometry, detail::int8_layout<B>(), x, layer, y, pool ? 2 : 1);
        else
            kernels::int8_conv<pool>(rows, B::rule::geometry, x, layer, y, scratch);
    } else {
        kernels::int8_depthwise(rows, detail::depthwise_geometry<typename B::rule>(), x, layer, y);
    }
    if constexpr (detail::int8_table_behind<L>) kernels::int8_lookup(rows * B::output::size, y, view.table[0], y);
}

// A layer that is to run without its zeros.
template <class Layer>
struct HasLists {
    static constexpr bool value = detail::int8_kind<Layer> == detail::Int8Kind::dense;
    static_assert(
        detail::int8_kind<Layer> == detail::Int8Kind::dense,
        "tenon: only Dense layers of the network's own list run on lists without zeros: leave this one out of "
        "SparseWeights<Net, Int8, Layers...>.");
};

// As run_int8, of a Dense whose kernel is lists without zeros.
template <class L, class In>
constexpr void run_int8_without_zeros(Bound<L, In> bound, std::size_t rows, const Int8View& view, const std::int8_t* x,
                                      std::int8_t* y)
{
    using B = decltype(bound);
    if constexpr (checked<HasLists<L>>::value) {
        kernels::int8_sparse_dense(rows, B::rule::inputs, B::rule::units, x, view.linear[0], y);
        if constexpr (detail::int8_table_behind<L>) kernels::int8_lookup(rows * B::output::size, y, view.table[0], y);
    }
}

// y = y + the convolution's int8 outputs.
template <class B>
void run_int8_onto(std::size_t rows, const Int8View& view, const Int8Add& add, const std::int8_t* x, std::int8_t* y,
                   std::int8_t* scratch)
{
    if constexpr (!TENON_SIMD) kernels::int8_conv<false>(rows, B::rule::geometry, x, view.linear[0], y, scratch, &add);
}

}  // namespace tenon
