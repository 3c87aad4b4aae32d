// SPDX-License-Identifier: BSL-1.0
// Images with zeros around them, and back: rows of pixels are copied whole.
#pragma once

#include <tenon/kernels/elementwise.hpp>

namespace tenon::inline TENON_ISA::kernels {

// The zeros around an image (height, width, channels).
struct PaddedShape {
    std::size_t height, width, channels;
    std::size_t top, bottom, left, right;

    constexpr std::size_t size() const { return height * width * channels; }
    constexpr std::size_t line() const { return (left + width + right) * channels; }
    constexpr std::size_t padded_size() const { return (top + height + bottom) * line(); }
};

// y = x with zeros around it.   x: (rows, h, w, c), y: (rows, top + h + bottom, left + w + right, c)
template <class T>
constexpr void zero_pad(std::size_t rows, const PaddedShape& s, const T* x, T* y)
{
    const std::size_t own = s.width * s.channels, before = s.left * s.channels, behind = s.right * s.channels;
    for (std::size_t r = 0; r < rows; ++r) {
        fill(s.top * s.line(), T(0), y);
        y += s.top * s.line();
        for (std::size_t h = 0; h < s.height; ++h, x += own) {
            fill(before, T(0), y);
            copy(own, x, y + before);
            fill(behind, T(0), y + before + own);
            y += s.line();
        }
        fill(s.bottom * s.line(), T(0), y);
        y += s.bottom * s.line();
    }
}

// dx = the middle of dy.   dy: (rows, top + h + bottom, left + w + right, c), dx: (rows, h, w, c)
template <class T>
constexpr void zero_pad_gradient(std::size_t rows, const PaddedShape& s, const T* dy, T* dx)
{
    const std::size_t own = s.width * s.channels;
    for (std::size_t r = 0; r < rows; ++r, dy += s.padded_size())
        for (std::size_t h = 0; h < s.height; ++h, dx += own)
            copy(own, dy + (s.top + h) * s.line() + s.left * s.channels, dx);
}

}  // namespace tenon::inline TENON_ISA::kernels
