// SPDX-License-Identifier: BSL-1.0
// ConvTransposeShape: the extents of a transposed convolution as numbers, shared by the layer that states them and the
// kernels that run it.
#pragma once

#include <tenon/core/conv_shape.hpp>

namespace tenon::inline TENON_ISA {

// One axis: input pixel h adds to the outputs h · stride + tap - before. Outputs fall into `stride` phases that different
// taps reach: those of phase p are made by the taps p, p + stride, …, a plain convolution with steps of one input pixel.
struct ConvTransposeAxis {
    std::size_t in, out, kernel, stride;
    std::size_t before;  // rows of the full result that are cut off in front

    // Taps of a phase, and of all phases before it.
    constexpr std::size_t taps(std::size_t phase) const
    {
        return phase < kernel ? (kernel - phase - 1) / stride + 1 : 0;
    }
    constexpr std::size_t taps_before(std::size_t phase) const
    {
        std::size_t sum = 0;
        for (std::size_t p = 0; p < phase; ++p) sum += taps(p);
        return sum;
    }
    // A phase's first output and their number.
    constexpr std::size_t first(std::size_t phase) const { return (phase + stride - before % stride) % stride; }
    constexpr std::size_t count(std::size_t phase) const
    {
        return first(phase) < out ? (out - first(phase) - 1) / stride + 1 : 0;
    }
    // The last input pixel that a phase's first output sees; the first one is taps - 1 before it, perhaps before the image.
    constexpr std::size_t last_seen(std::size_t phase) const { return (first(phase) + before - phase) / stride; }

    // Zeros before and behind the input that serve all phases.
    constexpr std::size_t zeros_before() const
    {
        std::size_t most = 0;
        for (std::size_t p = 0; p < stride; ++p)
            if (taps(p) > last_seen(p) + 1 + most) most = taps(p) - last_seen(p) - 1;
        return most;
    }
    constexpr std::size_t zeros_behind() const
    {
        std::size_t most = 0;
        for (std::size_t p = 0; p < stride; ++p)
            if (taps(p) > 0 && last_seen(p) + count(p) > in + most) most = last_seen(p) + count(p) - in;
        return most;
    }
    constexpr std::size_t padded() const { return zeros_before() + in + zeros_behind(); }
    // Where the window of a phase's first output starts in the padded input.
    constexpr std::size_t start(std::size_t phase) const { return zeros_before() + last_seen(phase) + 1 - taps(phase); }
    // The largest number of outputs of a phase.
    constexpr std::size_t most_outputs() const { return (out + stride - 1) / stride; }
};

struct ConvTransposeShape {
    ConvTransposeAxis rows, columns;
    std::size_t channels, filters;  // of the input, of the output

    constexpr std::size_t in_size() const { return rows.in * columns.in * channels; }
    constexpr std::size_t out_size() const { return rows.out * columns.out * filters; }
    constexpr std::size_t kernel_rows() const { return rows.kernel * columns.kernel * channels; }

    // The kernel as phases one after the other, each a matrix of (taps down · taps across · channels, filters) with the taps
    // turned: rows of such matrices before a phase's.
    constexpr std::size_t rows_before(std::size_t down, std::size_t across) const
    {
        return (rows.taps_before(down) * columns.kernel + rows.taps(down) * columns.taps_before(across)) * channels;
    }

    constexpr bool is_padded() const
    {
        return rows.zeros_before() + rows.zeros_behind() + columns.zeros_before() + columns.zeros_behind() != 0;
    }
    constexpr std::size_t padded_size() const { return is_padded() ? rows.padded() * columns.padded() * channels : 0; }
    // The outputs of one phase, before they are put between the others'.
    constexpr std::size_t phase_size() const
    {
        return rows.stride * columns.stride == 1 ? 0 : rows.most_outputs() * columns.most_outputs() * filters;
    }

    // The convolution whose input gradient this is: from (out, filters) to (in, channels).
    constexpr ConvShape convolution() const
    {
        const auto behind = [](const ConvTransposeAxis& axis) {
            const std::size_t reach = (axis.in - 1) * axis.stride + axis.kernel;
            return reach > axis.before + axis.out ? reach - axis.before - axis.out : 0;
        };
        ConvShape s{};
        s.height = rows.out;
        s.width = columns.out;
        s.channels = filters;
        s.out_height = rows.in;
        s.out_width = columns.in;
        s.filters = channels;
        s.kernel_height = rows.kernel;
        s.kernel_width = columns.kernel;
        s.stride_height = rows.stride;
        s.stride_width = columns.stride;
        s.dilation_height = s.dilation_width = 1;
        s.top = rows.before;
        s.bottom = behind(rows);
        s.left = columns.before;
        s.right = behind(columns);
        s.groups = 1;
        return s;
    }
};

// The axis of a transposed convolution as Keras has it. Same: out = in · stride, and a kernel wider than the stride is cut
// off evenly, the odd row behind. Valid: every product is kept, out = in · stride + max(kernel - stride, 0).
constexpr ConvTransposeAxis conv_transpose_axis(std::size_t in, std::size_t kernel, std::size_t stride, bool same)
{
    const std::size_t wider = kernel > stride ? kernel - stride : 0;
    return {in, in * stride + (same ? 0 : wider), kernel, stride, same ? wider / 2 : 0};
}

}  // namespace tenon
