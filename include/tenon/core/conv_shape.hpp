// SPDX-License-Identifier: BSL-1.0
// ConvShape: the extents of a convolution as numbers, shared by the layers that state them and the kernels that run them.
#pragma once

#include <tenon/config.hpp>

#include <cstddef>

namespace tenon::inline TENON_ISA {

// The extents of a convolution, as values: one body serves all layers.
struct ConvShape {
    std::size_t height, width, channels;  // input
    std::size_t out_height, out_width, filters;
    std::size_t kernel_height, kernel_width;
    std::size_t stride_height, stride_width;
    std::size_t dilation_height, dilation_width;
    std::size_t top, bottom, left, right;  // zeros around the input
    std::size_t groups;

    constexpr std::size_t padded_height() const { return top + height + bottom; }
    constexpr std::size_t padded_width() const { return left + width + right; }
    constexpr std::size_t padded_size() const { return padded_height() * padded_width() * channels; }
    constexpr bool is_padded() const { return top + bottom + left + right != 0; }
    constexpr std::size_t in_size() const { return height * width * channels; }
    constexpr std::size_t out_pixels() const { return out_height * out_width; }
    constexpr std::size_t out_size() const { return out_pixels() * filters; }
    constexpr std::size_t group_channels() const { return channels / groups; }
    constexpr std::size_t group_filters() const { return filters / groups; }
    // Rows of a group's kernel matrix.
    constexpr std::size_t window() const { return kernel_height * kernel_width * group_channels(); }

    // Whether it is a matrix product of pixels: of all of them, as a phase of a transposed convolution may take fewer.
    constexpr bool is_product() const
    {
        return kernel_height * kernel_width * stride_height * stride_width * groups == 1 && !is_padded() &&
               out_height == height && out_width == width;
    }

    // The convolution that gives the input gradient: over the output gradient with zeros between its values (for strides)
    // and around it, with the kernel turned by half a circle and its channels exchanged.
    constexpr ConvShape transposed() const
    {
        const std::size_t reach_h = (kernel_height - 1) * dilation_height,
                          reach_w = (kernel_width - 1) * dilation_width;
        const std::size_t spread_h = (out_height - 1) * stride_height + 1,
                          spread_w = (out_width - 1) * stride_width + 1;
        ConvShape t{};
        t.height = spread_h;
        t.width = spread_w;
        t.channels = filters;
        t.out_height = height;
        t.out_width = width;
        t.filters = channels;
        t.kernel_height = kernel_height;
        t.kernel_width = kernel_width;
        t.stride_height = t.stride_width = 1;
        t.dilation_height = dilation_height;
        t.dilation_width = dilation_width;
        // Where the padding of the forward pass is wider than the kernel's reach, rows of zeros would be cut off instead;
        // conv layers refuse such padding.
        t.top = reach_h - top;
        t.left = reach_w - left;
        t.bottom = height + reach_h - t.top - spread_h;
        t.right = width + reach_w - t.left - spread_w;
        t.groups = groups;
        return t;
    }
};

// Images that the weight gradient takes together: their output gradients should stay in the second-level cache.
constexpr std::size_t conv_gradient_images(const ConvShape& s)
{
    const std::size_t fitting = 64 * 1024 / (s.out_size() + s.padded_size() + 1);
    return fitting < 1 ? 1 : fitting > 16 ? 16 : fitting;
}

}  // namespace tenon
