// SPDX-License-Identifier: BSL-1.0
// Which scheme computes a convolution, from its shape and the target's registers, and the scratch that scheme needs: one
// place, asked by layers (to plan memory) and by kernels (to use it).
#pragma once

#include <tenon/core/conv_shape.hpp>
#include <tenon/simd/panels.hpp>

namespace tenon::inline TENON_ISA::simd {

// Winograd's scheme: tiles of out × out outputs, 2 or 4, and where their transforms lie (kernels/winograd.hpp). `pooled`: only
// whole 2 × 2 blocks are wanted.
template <class T>
struct WinogradPlan {
    ConvShape shape;  // with as many zeros below and to the right as the tiles reach
    std::size_t out;
    std::size_t tiles_high, tiles_wide;
    std::size_t block;                           // tiles that are transformed together
    std::size_t kernel_step;                     // between two places' transformed kernels
    std::size_t input_tile, output_tile;         // between two tiles' transforms
    std::size_t image, kernel, inputs, outputs;  // scalars: the padded image, and all transforms of a block

    constexpr std::size_t tiles() const { return tiles_high * tiles_wide; }
    constexpr std::size_t places() const { return (out + 2) * (out + 2); }
    constexpr std::size_t scratch() const { return image + kernel + inputs + outputs; }
};

template <class T>
constexpr WinogradPlan<T> winograd_plan(const ConvShape& s, bool pooled, std::size_t out)
{
    WinogradPlan<T> plan{};
    plan.shape = s;
    plan.out = out;
    const auto tiles = [&](std::size_t extent) { return ((pooled ? extent / 2 * 2 : extent) + out - 1) / out; };
    plan.tiles_high = tiles(s.out_height);
    plan.tiles_wide = tiles(s.out_width);
    const std::size_t reach_h = out * plan.tiles_high + 2, reach_w = out * plan.tiles_wide + 2;
    plan.shape.bottom = reach_h > s.top + s.height ? reach_h - s.top - s.height : 0;
    plan.shape.right = reach_w > s.left + s.width ? reach_w - s.left - s.width : 0;
    // Strides of an odd number of cache lines: the parts of a transform are read together, and powers of two would put
    // them into one set of the cache.
    const std::size_t line = 64 / sizeof(T);
    plan.kernel_step = s.channels * PanelLayout<T>{s.channels, s.filters}.columns() + line;
    plan.input_tile = plan.places() * s.channels + line;
    plan.output_tile = plan.places() * s.filters + line;
    // About 24 tiles: four of the register tile. Blocks of equal size.
    const std::size_t blocks = (plan.tiles() + 29) / 30;
    plan.block = blocks == 0 ? 0 : (plan.tiles() + blocks - 1) / blocks;
    const auto lines = [&](std::size_t n) { return (n + line - 1) / line * line; };
    plan.image = plan.shape.is_padded() ? lines(plan.shape.padded_size()) : 0;
    plan.kernel = lines(plan.places() * plan.kernel_step);
    plan.inputs = lines(plan.block * plan.input_tile);
    plan.outputs = lines(plan.block * plan.output_tile);
    return plan;
}

// The scheme of a forward pass: the outputs on a side of Winograd's tile, 2 or 4, or 0 for the direct scheme, which takes the
// window's products one by one in a register tile (kernels/conv.hpp).
// Winograd saves 20 of 36 products, or 108 of 144, and pays for it with transforms: about 60 (130) instructions for each register
// of the kernel once a call, and 50 (170) for each register of a tile's channels and filters. Large tiles need a kernel whose
// 36 parts stay in a second-level cache: they are written and read in each call.
template <class T>
constexpr std::size_t winograd_outputs(const ConvShape& s, bool pooled)
{
    constexpr std::size_t W = width<T>;
    if constexpr (W == 1) {
        return 0;
    } else {
        if (s.kernel_height != 3 || s.kernel_width != 3 || s.stride_height != 1 || s.stride_width != 1 ||
            s.dilation_height != 1 || s.dilation_width != 1 || s.groups != 1 || s.channels % W != 0 ||
            s.filters % W != 0)
            return 0;
        const std::size_t products = s.channels * s.filters / W, registers = (s.channels + s.filters) / W;
        const std::size_t pixels = pooled ? s.out_height / 2 * (s.out_width / 2) * 4 : s.out_pixels();
        const auto cost = [&](std::size_t out, std::size_t kernel, std::size_t transforms) {
            const std::size_t tiles = winograd_plan<T>(s, pooled, out).tiles();
            return tiles * (out + 2) * (out + 2) * products + kernel * products + tiles * transforms * registers;
        };
        const std::size_t direct = pixels * 9 * products, small = cost(2, 60, 50), large = cost(4, 130, 170);
        const bool fits = 36 * s.channels * s.filters * sizeof(T) <= 160 * 1024;
        const std::size_t best = fits && large < small ? large : small;
        return 10 * best < 9 * direct ? (best == small ? 2 : 4) : 0;
    }
}

// Scalars of scratch of a forward pass: one padded image, or what the transforms take.
template <class T>
constexpr std::size_t conv_forward_scratch(const ConvShape& s, bool pooled)
{
    if (const std::size_t out = winograd_outputs<T>(s, pooled); out != 0)
        return winograd_plan<T>(s, pooled, out).scratch();
    return s.is_padded() ? s.padded_size() : 0;
}

// Whether the input gradient is made window by window and added up, instead of by the transposed convolution, which has as
// many products for each input as the other has for each output: more where strides or the lack of padding leave few.
template <class T>
constexpr bool scatters_input_gradient(const ConvShape& s)
{
    return width<T> > 1 && s.groups == 1 && 10 * s.height * s.width > 13 * s.out_pixels();
}

// Winograd's tile for the transposed convolution, or 0, and the scratch for it: the turned kernel and the transforms.
template <class T>
constexpr std::size_t winograd_input_gradient(const ConvShape& s)
{
    return s.stride_height == 1 && s.stride_width == 1 && !scatters_input_gradient<T>(s)
               ? winograd_outputs<T>(s.transposed(), false)
               : 0;
}
template <class T>
constexpr std::size_t winograd_input_scratch(const ConvShape& s, std::size_t out)
{
    const ConvShape t = s.transposed();
    const std::size_t kernel = PanelLayout<T>{t.window(), t.filters}.size();
    return (kernel + 15) / 16 * 16 + winograd_plan<T>(t, false, out).scratch();
}

// Images whose windows are made together: a few tiles' rows, or what fits into half of a second-level cache.
constexpr std::size_t scatter_images(const ConvShape& s)
{
    const std::size_t wanted = (48 + s.out_pixels() - 1) / s.out_pixels();
    const std::size_t fitting = 96 * 1024 / (s.out_pixels() * s.window() + 1);
    return fitting < 1 ? 1 : wanted < fitting ? wanted : fitting;
}

// Scalars of scratch: the kernel's transpose, the windows and a padded image.
template <class T>
constexpr std::size_t scatter_scratch(const ConvShape& s)
{
    return PanelLayout<T>{s.filters, s.window()}.size() + scatter_images(s) * s.out_pixels() * s.window() +
           (s.is_padded() ? s.padded_size() : 0);
}

// Whether the gradients behind a pool are taken over the chosen outputs only (kernels/pooled_gradient.hpp): windows' rows
// are whole registers, and a window's height and width fit into them.
template <class T>
constexpr bool pooled_gradients_fit(const ConvShape& s)
{
    constexpr std::size_t W = width<T>;
    return W > 1 && s.groups == 1 && s.dilation_width == 1 && s.channels % W == 0 && s.filters % W == 0 &&
           s.kernel_height <= 3 && s.kernel_width <= 3;
}

// Otherwise the weight gradient may be taken over all four positions of each block, masked, if columns of a window fit into
// registers: the number of values of a window's row that are summed together, or 0. `most`: at most so many.
template <class T>
constexpr std::size_t masked_columns(const ConvShape& s, std::size_t most)
{
    if (width<T> == 1 || s.groups != 1 || s.dilation_width != 1) return 0;
    const std::size_t widest = s.filters < panel_width<T> ? narrow_width<T>(s.filters) : panel_width<T>;
    const std::size_t registers = (widest + width<T> - 1) / width<T>;
    const std::size_t run = s.kernel_width * s.channels;
    std::size_t columns = (register_count == 32 ? 24 : 12) / (s.kernel_height * registers);
    if (columns > most) columns = most;
    while (columns > 0 && run % columns != 0) --columns;
    return columns;
}

// What a convolution with a pool behind it needs for its training passes, in scalars of either precision: what it shares
// among threads, and what each thread has for itself besides what the convolution alone has.
struct PooledWorkspace {
    std::size_t row, fixed, per_thread;
};
constexpr PooledWorkspace pooled_training_workspace(const ConvShape& s)
{
    const bool both = pooled_gradients_fit<float>(s) && pooled_gradients_fit<double>(s);
    const bool some = pooled_gradients_fit<float>(s) || pooled_gradients_fit<double>(s);
    const std::size_t single = conv_forward_scratch<float>(s, true), twofold = conv_forward_scratch<double>(s, true);
    const std::size_t forward = single < twofold ? twofold : single;
    return {both ? 0 : s.out_size(), some ? (s.window() * s.filters + 15) / 16 * 16 : 0,
            (forward < s.padded_size() ? s.padded_size() : forward) / 16 * 16 + 16};
}

}  // namespace tenon::inline TENON_ISA::simd
