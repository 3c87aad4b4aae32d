// SPDX-License-Identifier: BSL-1.0
//
// Panels: how the kernel of a Dense layer, a matrix of (K, N), lies in memory for the matrix kernels.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>

namespace tenon::inline TENON_ISA::simd {

// Registers side by side in a full panel. With six rows 24 of 32 (AVX-512, NEON) or 12 of 16 registers are accumulators.
inline constexpr std::size_t panel_registers = register_count == 32 ? 4 : 2;

// Columns of a full panel: 64, 16, 8 floats with AVX-512, AVX2, SSE; 16 with NEON.
template <class T>
inline constexpr std::size_t panel_width = panel_registers* width<T>;

// Columns of the panel that holds the `rest` < panel_width last ones: whole registers, or one of a half or a quarter of
// the widest where that is enough, so that ten columns do not cost 64.
template <class T>
constexpr std::size_t narrow_width(std::size_t rest)
{
    constexpr std::size_t W = width<T>;
    if constexpr (has_width<T, W / 4> && W / 4 > 1)
        if (rest != 0 && rest <= W / 4) return W / 4;
    if constexpr (has_width<T, W / 2> && W / 2 > 1)
        if (rest != 0 && rest <= W / 2) return W / 2;
    return (rest + W - 1) / W * W;
}

// The layout for extents known at run time. A panel is panel_width columns, each of its K rows contiguous, zero-padded
// on the right; panels follow one another. Without SIMD there is one panel of N columns: row-major, no padding.
template <class T>
struct PanelLayout {
    std::size_t rows;     // K
    std::size_t logical;  // N

    static constexpr std::size_t width_of_full(std::size_t n) { return width<T> == 1 ? n : panel_width<T>; }

    constexpr std::size_t full_width() const { return width_of_full(logical); }
    constexpr std::size_t full_panels() const { return full_width() == 0 ? 0 : logical / full_width(); }
    constexpr std::size_t rest() const { return logical - full_panels() * full_width(); }
    constexpr std::size_t last_width() const { return narrow_width<T>(rest()); }
    constexpr std::size_t columns() const { return full_panels() * full_width() + last_width(); }
    constexpr std::size_t size() const { return rows * columns(); }
    constexpr std::size_t index(std::size_t k, std::size_t n) const
    {
        const std::size_t panel = n / full_width();
        const std::size_t own_width = panel < full_panels() ? full_width() : last_width();
        return panel * full_width() * rows + k * own_width + (n - panel * full_width());
    }
};

// The layout of a (K, N) matrix of T. `columns` is N with its padding (a bias has as many scalars), `size` the number of
// scalars with padding, index(k, n) the place of one of them.
template <class T, std::size_t K, std::size_t N>
struct Panels {
    static constexpr PanelLayout<T> layout{K, N};
    static constexpr std::size_t full_width = layout.full_width();
    static constexpr std::size_t full_panels = layout.full_panels();
    static constexpr std::size_t rest = layout.rest();              // columns beyond the full panels
    static constexpr std::size_t last_width = layout.last_width();  // the same with padding
    static constexpr std::size_t columns = layout.columns();
    static constexpr std::size_t size = layout.size();

    static constexpr std::size_t index(std::size_t k, std::size_t n) { return layout.index(k, n); }
};

}  // namespace tenon::inline TENON_ISA::simd
