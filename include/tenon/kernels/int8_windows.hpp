// SPDX-License-Identifier: BSL-1.0
// Convolutions on int8 where memory counts: no copy of the image with its padding, but of four windows at a time. Without SIMD.
#pragma once

#include <tenon/kernels/int8_dsp.hpp>

#if !TENON_SIMD

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

#    if !defined(TENON_DETAIL_INT8_DSP)

// A tile of four windows: rows of inputs one after the other, which the kernel of a dense layer takes.
template <bool Pool>
class Int8Tile {
public:
    static constexpr std::size_t bytes(const i8::Layout& l) { return 4 * l.segments * l.length; }

    Int8Tile(const i8::Layout& l, std::int8_t* scratch) : layout_{l}, rows_{scratch} {}

    void begin(std::size_t v) { to_ = rows_ + v * layout_.segments * layout_.length; }
    void append(const std::int8_t* x)
    {
        std::memcpy(to_, x, layout_.length);
        to_ += layout_.length;
    }

    void run(std::size_t count, Int8Linear layer, const Int8Add* add, std::int8_t* y, std::size_t pitch) const
    {
        const std::size_t depth = layout_.segments * layout_.length, outputs = Pool ? 1 : count;
        for (std::size_t c = 0; c < layout_.outputs; c += i8::lanes) {
            const std::size_t channels = layout_.outputs - c < i8::lanes ? layout_.outputs - c : i8::lanes;
            std::int8_t values[4 * i8::lanes];
            int8_linear<Pool>({1, depth, channels}, {1, outputs, 2 * depth, depth, 1, 0, 1, 0}, rows_, layer, values);
            for (std::size_t v = 0; v < outputs; ++v)
                for (std::size_t n = 0; n < channels; ++n) {
                    std::int8_t& to = y[v * pitch + c + n];
                    const std::int8_t value = values[v * channels + n];
                    to = add != nullptr ? int8_sum(to, value, *add) : value;
                }
            layer.kernel += depth * i8::lanes;
            layer.bias += i8::lanes;
            layer.multiplier += i8::lanes;
            layer.shift += i8::lanes;
        }
    }

private:
    i8::Layout layout_;
    std::int8_t *rows_, *to_ = nullptr;
};

#    endif

// What all windows of a convolution have in common, in bytes.
struct Int8Walk {
    std::size_t height, width, channels, line, down, down_step, across, across_step;  // segments: rows of taps, or taps
    std::size_t taps, each;  // of a segment: its taps, and theirs
    std::int8_t nothing;

    Int8Walk(const ConvShape& s, const simd::int8::Layout& l, std::int8_t zero)
        : height{s.height},
          width{s.width},
          channels{s.channels},
          line{s.width * s.channels},
          down{s.kernel_height},
          down_step{s.dilation_height},
          across{l.segments / s.kernel_height},
          across_step{s.dilation_width},
          taps{s.kernel_width / across},
          each{s.group_channels()},
          nothing{zero}
    {}
};

// A segment that reaches over an edge of its image, with the zero point outside.
TENON_NOINLINE inline void int8_edge(const Int8Walk& walk, const std::int8_t* x, std::size_t row, std::size_t column,
                                     std::int8_t* to)
{
    for (std::size_t t = 0; t < walk.taps; ++t, ++column, to += walk.each) {
        // Before the image, both have wrapped and are too large.
        if (row < walk.height && column < walk.width)
            std::memcpy(to, x + row * walk.line + column * walk.channels, walk.each);
        else
            std::memset(to, walk.nothing, walk.each);
    }
}

// The window whose first tap is at (row, column), which wrap before the image. x: the image's first channel of the group; edge:
// room for a segment.
template <class Tile>
TENON_NOINLINE void int8_window(Tile& tile, const Int8Walk& walk, const std::int8_t* x, std::size_t row,
                                std::size_t first_column, std::int8_t* edge)
{
    for (std::size_t a = 0; a < walk.down; ++a, row += walk.down_step) {
        std::size_t column = first_column;
        for (std::size_t b = 0; b < walk.across; ++b, column += walk.across_step) {
            if (row < walk.height && column < walk.width && column + walk.taps <= walk.width) {
                tile.append(x + row * walk.line + column * walk.channels);
            } else {
                int8_edge(walk, x, row, column, edge);
                tile.append(edge);
            }
        }
    }
}

}  // namespace detail

// Bytes of a tile, and of a segment that reaches over an edge of its image.
constexpr std::size_t int8_conv_scratch(const ConvShape& s)
{
    const simd::int8::Layout l = int8_conv_layout(s);
    return detail::Int8Tile<false>::bytes(l) + (s.is_padded() ? (l.length + 3) / 4 * 4 : 0);
}

// A convolution over images, channels last; with Pool the largest of each 2 × 2 block of outputs; with add y = y + that, where
// y holds the shortcut of a residual block.
// x: (rows, h, w, c), y: (rows, h', w', filters), scratch: int8_conv_scratch bytes.
template <bool Pool>
void int8_conv(std::size_t rows, const ConvShape& s, const std::int8_t* x, const Int8Linear& layer, std::int8_t* y,
               std::int8_t* scratch, const Int8Add* add = nullptr)
{
    const simd::int8::Layout l = int8_conv_layout(s);
    using Tile = detail::Int8Tile<Pool>;
    Tile tile{l, scratch};
    const detail::Int8Walk walk{s, l, layer.input_zero};
    std::int8_t* const edge = scratch + Tile::bytes(l);
    const std::size_t width = Pool ? s.out_width / 2 : s.out_width,
                      pixels = Pool ? s.out_height / 2 * width : s.out_pixels();
    constexpr std::size_t step = Pool ? 1 : 4;
    for (std::size_t r = 0; r < rows; ++r, x += s.in_size()) {
        std::size_t i = 0, j = 0;
        for (std::size_t left = pixels; left != 0;) {
            const std::size_t count = left < step ? left : step;
            const std::size_t first_i = i, first_j = j;
            Int8Linear part = layer;
            for (std::size_t g = 0; g < s.groups; ++g) {
                i = first_i;
                j = first_j;
                for (std::size_t v = 0; v < (Pool ? 4 : count); ++v) {
                    tile.begin(v);
                    const std::size_t row = Pool ? 2 * i + v / 2 : i, column = Pool ? 2 * j + v % 2 : j;
                    detail::int8_window(tile, walk, x + g * walk.each, row * s.stride_height - s.top,
                                        column * s.stride_width - s.left, edge);
                    if ((!Pool || v == 3) && ++j == width) {
                        j = 0;
                        ++i;
                    }
                }
                tile.run(Pool ? 4 : count, part, add, y + g * l.outputs, s.filters);
                part.kernel += l.size();
                part.bias += l.channels();
                part.multiplier += l.channels();
                part.shift += l.channels();
            }
            y += count * s.filters;
            left -= count;
        }
    }
}

}  // namespace tenon::inline TENON_ISA::kernels

#endif
