// SPDX-License-Identifier: BSL-1.0
// Gradients of a convolution behind which a 2 × 2 maximum pool stands. Of each four outputs and each filter one has a
// gradient at most, so both products are taken over those only: a quarter of the work, less where ReLU was 0 as well.
//
// dz: (rows, h'/2, w'/2, f), the gradient by the pool's output, 0 where ReLU cut it off; choice: its position within each
// block (0, 1 above, 2, 3 below). `kernel` here is (f, window), each filter's own values together.
//
// Order of summation: input gradients block by block, position by position, filter by filter; weight gradients image by
// image, block by block.
#pragma once

#include <tenon/kernels/conv.hpp>
#include <tenon/kernels/elementwise.hpp>
#include <tenon/simd/conv_scheme.hpp>

#include <bit>
#include <cstdint>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// (k, n) in panels → (n, k).   K and N are multiples of the block.
template <class T>
void panels_to_filters(const simd::PanelLayout<T>& layout, const T* w, T* to)
{
    constexpr std::size_t B = simd::transpose_side<T>;
    for (std::size_t n = 0; n < layout.logical; n += B) {
        const std::size_t panel = n / layout.full_width();
        const std::size_t width = panel < layout.full_panels() ? layout.full_width() : layout.last_width();
        const T* from = w + layout.index(0, n);
        for (std::size_t k = 0; k < layout.rows; k += B)
            simd::transpose_block<B>(B, from + k * width, width, to + n * layout.rows + k, layout.rows);
    }
}

// (n, k) → a sink's packs, for k_begin <= k < k_end, multiples of the block.
template <class T, std::size_t LastWidth, class Sink>
void put_filters(const simd::PanelLayout<T>& layout, const T* sums, const Sink& sink, std::size_t k_begin,
                 std::size_t k_end)
{
    constexpr std::size_t B = simd::transpose_side<T>;
    for_each_panel<T, LastWidth>(
        layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset, std::size_t width) {
            using P = decltype(pack);
            constexpr std::size_t V = decltype(registers)::value;
            static_assert(P::size == simd::width<T>);
            for (std::size_t k = k_begin; k < k_end; k += B) {
                alignas(64) T block[B * V * P::size];
                for (std::size_t f = 0; f < V * P::size; f += B)
                    simd::transpose_block<B>(B, sums + (n + f) * layout.rows + k, layout.rows, block + f, V * P::size);
                for (std::size_t i = 0; i < B; ++i)
                    for (std::size_t v = 0; v < V; ++v)
                        sink.put(offset + (k + i) * width + v * P::size, P::load(block + (i * V + v) * P::size));
            }
        });
}

// Where blocks and positions lie in a padded image.
struct BlockSteps {
    std::size_t line, high, wide;  // a row of pixels; one position down, one to the right
    std::size_t blocks_high, blocks_wide;

    constexpr explicit BlockSteps(const ConvShape& s)
        : line{s.padded_width() * s.channels},
          high{s.stride_height * line},
          wide{s.stride_width * s.channels},
          blocks_high{s.out_height / 2},
          blocks_wide{s.out_width / 2}
    {}
    constexpr std::size_t block(std::size_t i, std::size_t j) const { return 2 * (i * high + j * wide); }
};

// sums[f] += Σ over the blocks of one image of d · window, for one filter and Height · R registers of its window.
template <class P, std::size_t Height, std::size_t R>
TENON_ALWAYS_INLINE void add_windows(const BlockSteps& steps, std::size_t row, std::size_t run, std::size_t filters,
                                     const typename P::value_type* x, const typename P::value_type* d,
                                     const std::uint8_t* choice, typename P::value_type* sums)
{
    using T = typename P::value_type;
    const std::size_t position[4] = {0, steps.wide, steps.high, steps.high + steps.wide};
    P sum[Height][R];
    TENON_UNROLL
    for (std::size_t a = 0; a < Height; ++a) {
        TENON_UNROLL
        for (std::size_t r = 0; r < R; ++r) sum[a][r] = P::load(sums + a * run + r * P::size);
    }
    const T* line = x;
    for (std::size_t i = steps.blocks_high; i != 0; --i) {
        const T* block = line;
        for (std::size_t j = steps.blocks_wide; j != 0; --j) {
            const P value = *d;
            const T* at = block + position[*choice];
            d += filters;
            choice += filters;
            TENON_UNROLL
            for (std::size_t a = 0; a < Height; ++a) {
                TENON_UNROLL
                for (std::size_t r = 0; r < R; ++r)
                    sum[a][r] = fma(value, P::load(at + a * row + r * P::size), sum[a][r]);
            }
            block += 2 * steps.wide;
        }
        line += 2 * steps.high;
    }
    TENON_UNROLL
    for (std::size_t a = 0; a < Height; ++a) {
        TENON_UNROLL
        for (std::size_t r = 0; r < R; ++r) sum[a][r].store(sums + a * run + r * P::size);
    }
}

// Registers of a window's row that are summed together: as many as divide it and leave the height of the window in registers.
template <class T>
constexpr std::size_t window_registers(std::size_t height, std::size_t run)
{
    const std::size_t all = run / simd::width<T>;
    std::size_t most = (simd::register_count == 32 ? 24 : 12) / height;
    while (all % most != 0) --most;
    return most;
}

}  // namespace detail

// sums (f, window) = Σ over images and blocks for the filters [begin, end).   scratch: a padded image, if s.is_padded()
template <class T, std::size_t KernelHeight, std::size_t Run>
void pooled_weight_gradient(std::size_t rows, const ConvShape& s, const T* x, const T* dz, const std::uint8_t* choice,
                            T* sums, T* scratch, std::size_t begin, std::size_t end)
{
    using P = simd::Pack<T, simd::width<T>>;
    constexpr std::size_t R = detail::window_registers<T>(KernelHeight, Run);
    const detail::BlockSteps steps(s);
    const std::size_t window = s.window(), blocks = steps.blocks_high * steps.blocks_wide;
    const std::size_t row = s.dilation_height * steps.line;
    fill((end - begin) * window, T(0), sums + begin * window);
    for (std::size_t r = 0; r < rows; ++r) {
        const T* image = x + r * s.in_size();
        if (s.is_padded()) {
            detail::pad_image(s, image, scratch);
            image = scratch;
        }
        const std::size_t at = r * blocks * s.filters;
        for (std::size_t k = 0; k < Run; k += R * P::size)
            for (std::size_t f = begin; f < end; ++f)
                detail::add_windows<P, KernelHeight, R>(steps, row, Run, s.filters, image + k, dz + at + f,
                                                        choice + at + f, sums + f * window + k);
    }
}

namespace detail {

// The filters of a block that chose a position, as bits, 32 of them at a time.
template <class P>
TENON_ALWAYS_INLINE void chosen(std::size_t filters, const typename P::value_type* d, const std::uint8_t* choice,
                                std::uint32_t (&bits_of)[4])
{
    using T = typename P::value_type;
    for (std::uint32_t& set : bits_of) set = 0;
    for (std::size_t f = 0; f < filters; f += P::size) {
        const P value = P::load(d + f), where = simd::load_bytes<P>(choice + f);
        const std::uint32_t alive = bits(value != P(T(0)));
        TENON_UNROLL
        for (std::size_t p = 0; p < 4; ++p) bits_of[p] |= (alive & bits(where == P(static_cast<T>(p)))) << f;
    }
}

// dx += d · kernel over the windows of one block, for one register of channels.
template <class P, std::size_t KernelHeight, std::size_t KernelWidth>
TENON_ALWAYS_INLINE void scatter_block(const std::uint32_t (&bits_of)[4], const BlockSteps& steps, std::size_t row,
                                       std::size_t channels, const typename P::value_type* d,
                                       const typename P::value_type* kernel, typename P::value_type* dx)
{
    using T = typename P::value_type;
    const std::size_t window = KernelHeight * KernelWidth * channels;
    const std::size_t position[4] = {0, steps.wide, steps.high, steps.high + steps.wide};
    TENON_UNROLL
    for (std::size_t p = 0; p < 4; ++p) {
        std::uint32_t left = bits_of[p];
        if (left == 0) continue;
        T* const to = dx + position[p];
        P sum[KernelHeight][KernelWidth];
        TENON_UNROLL
        for (std::size_t a = 0; a < KernelHeight; ++a) {
            TENON_UNROLL
            for (std::size_t b = 0; b < KernelWidth; ++b) sum[a][b] = P::load(to + a * row + b * channels);
        }
        do {
            const auto f = static_cast<std::size_t>(std::countr_zero(left));
            left &= left - 1;
            const P value = d[f];
            const T* w = kernel + f * window;
            TENON_UNROLL
            for (std::size_t a = 0; a < KernelHeight; ++a) {
                TENON_UNROLL
                for (std::size_t b = 0; b < KernelWidth; ++b)
                    sum[a][b] = fma(value, P::load(w + (a * KernelWidth + b) * channels), sum[a][b]);
            }
        } while (left != 0);
        TENON_UNROLL
        for (std::size_t a = 0; a < KernelHeight; ++a) {
            TENON_UNROLL
            for (std::size_t b = 0; b < KernelWidth; ++b) sum[a][b].store(to + a * row + b * channels);
        }
    }
}

// The same with the whole patch that the four windows cover in registers.
template <class P, std::size_t KernelHeight, std::size_t KernelWidth>
TENON_ALWAYS_INLINE void scatter_patch(const std::uint32_t (&bits_of)[4], std::size_t line, std::size_t channels,
                                       const typename P::value_type* d, const typename P::value_type* kernel,
                                       typename P::value_type* dx)
{
    using T = typename P::value_type;
    const std::size_t window = KernelHeight * KernelWidth * channels;
    P sum[KernelHeight + 1][KernelWidth + 1];
    TENON_UNROLL
    for (std::size_t a = 0; a <= KernelHeight; ++a) {
        TENON_UNROLL
        for (std::size_t b = 0; b <= KernelWidth; ++b) sum[a][b] = P::load(dx + a * line + b * channels);
    }
    TENON_UNROLL
    for (std::size_t p = 0; p < 4; ++p)
        for (std::uint32_t left = bits_of[p]; left != 0; left &= left - 1) {
            const auto f = static_cast<std::size_t>(std::countr_zero(left));
            const P value = d[f];
            const T* w = kernel + f * window;
            TENON_UNROLL
            for (std::size_t a = 0; a < KernelHeight; ++a) {
                TENON_UNROLL
                for (std::size_t b = 0; b < KernelWidth; ++b)
                    sum[a + p / 2][b + p % 2] = fma(value, P::load(w + (a * KernelWidth + b) * channels),
                                                    sum[a + p / 2][b + p % 2]);
            }
        }
    TENON_UNROLL
    for (std::size_t a = 0; a <= KernelHeight; ++a) {
        TENON_UNROLL
        for (std::size_t b = 0; b <= KernelWidth; ++b) sum[a][b].store(dx + a * line + b * channels);
    }
}

}  // namespace detail

// dx (rows, h, w, c) = Σ over the windows that hold a pixel.   kernel: (f, window); scratch: a padded image, if any
template <class T, std::size_t KernelHeight, std::size_t KernelWidth>
void pooled_input_gradient(std::size_t rows, const ConvShape& s, const T* dz, const std::uint8_t* choice,
                           const T* kernel, T* dx, T* scratch)
{
    using P = simd::Pack<T, simd::width<T>>;
    const detail::BlockSteps steps(s);
    const std::size_t window = s.window();
    const bool patch = simd::register_count == 32 && s.stride_height == 1 && s.stride_width == 1 &&
                       s.dilation_height == 1;
    for (std::size_t r = 0; r < rows; ++r, dx += s.in_size()) {
        T* const image = s.is_padded() ? scratch : dx;
        fill(s.padded_size(), T(0), image);
        // 32 filters' values for a register of channels stay in the first-level cache.
        for (std::size_t f = 0; f < s.filters; f += 32) {
            const std::size_t count = detail::smaller(32, s.filters - f);
            const T* d = dz + f;
            const std::uint8_t* where = choice + f;
            for (std::size_t i = 0; i < steps.blocks_high; ++i)
                for (std::size_t j = 0; j < steps.blocks_wide; ++j, d += s.filters, where += s.filters) {
                    std::uint32_t bits_of[4];
                    detail::chosen<P>(count, d, where, bits_of);
                    for (std::size_t c = 0; c < s.channels; c += P::size) {
                        T* const to = image + steps.block(i, j) + c;
                        if (patch)
                            detail::scatter_patch<P, KernelHeight, KernelWidth>(bits_of, steps.line, s.channels, d,
                                                                                kernel + f * window + c, to);
                        else
                            detail::scatter_block<P, KernelHeight, KernelWidth>(
                                bits_of, steps, s.dilation_height * steps.line, s.channels, d, kernel + f * window + c,
                                to);
                    }
                }
        }
        dz += steps.blocks_high * steps.blocks_wide * s.filters;
        choice += steps.blocks_high * steps.blocks_wide * s.filters;
        if (s.is_padded()) detail::crop_image(s, static_cast<const T*>(scratch), dx);
    }
}

namespace detail {

// Height · R rows of the window by V registers of filters: all four positions of a block, each with the filters that chose
// it. x is broadcast, so that windows of any width will do: the first layer's, of one channel or three.
template <class P, std::size_t V, std::size_t Height, std::size_t R>
TENON_NOINLINE void add_masked(std::size_t rows, const ConvShape& s, std::size_t lanes, std::size_t row,
                               const typename P::value_type* x, const typename P::value_type* dz,
                               const std::uint8_t* choice, typename P::value_type* scratch, std::size_t at, P* sums)
{
    using T = typename P::value_type;
    const BlockSteps steps(s);
    const std::size_t position[4] = {0, steps.wide, steps.high, steps.high + steps.wide};
    P sum[Height * R][V];
    TENON_UNROLL
    for (std::size_t m = 0; m < Height * R; ++m) {
        TENON_UNROLL
        for (std::size_t v = 0; v < V; ++v) sum[m][v] = T(0);
    }
    for (std::size_t image = 0; image < rows; ++image) {
        const T* line = x + image * s.in_size();
        if (s.is_padded()) {
            pad_image(s, line, scratch);
            line = scratch;
        }
        line += at;
        for (std::size_t i = steps.blocks_high; i != 0; --i, line += 2 * steps.high) {
            const T* block = line;
            for (std::size_t j = steps.blocks_wide; j != 0; --j, block += 2 * steps.wide) {
                P d[V], where[V];
                TENON_UNROLL
                for (std::size_t v = 0; v < V; ++v) {
                    if (v + 1 < V || lanes == P::size) {
                        d[v] = P::load(dz + v * P::size);
                        where[v] = simd::load_bytes<P>(choice + v * P::size);
                    } else {
                        alignas(64) std::uint8_t bytes[P::size] = {};
                        for (std::size_t l = 0; l < lanes; ++l) bytes[l] = choice[v * P::size + l];
                        d[v] = P::load_partial(dz + v * P::size, lanes);
                        where[v] = simd::load_bytes<P>(bytes);
                    }
                }
                dz += s.filters;
                choice += s.filters;
                TENON_UNROLL
                for (std::size_t p = 0; p < 4; ++p) {
                    const T* const from = block + position[p];
                    P chosen_d[V];
                    TENON_UNROLL
                    for (std::size_t v = 0; v < V; ++v)
                        chosen_d[v] = select(where[v] == P(static_cast<T>(p)), d[v], P(T(0)));
                    TENON_UNROLL
                    for (std::size_t a = 0; a < Height; ++a) {
                        TENON_UNROLL
                        for (std::size_t r = 0; r < R; ++r) {
                            const P value = from[a * row + r];
                            TENON_UNROLL
                            for (std::size_t v = 0; v < V; ++v)
                                sum[a * R + r][v] = fma(value, chosen_d[v], sum[a * R + r][v]);
                        }
                    }
                }
            }
        }
    }
    TENON_UNROLL
    for (std::size_t m = 0; m < Height * R; ++m) {
        TENON_UNROLL
        for (std::size_t v = 0; v < V; ++v) sums[m * V + v] = sum[m][v];
    }
}

}  // namespace detail

// dw (window, f), each finished vector put once into the sink, for the columns [begin, end) of each of the window's rows, a
// whole number of R.   LastWidth: of the last panel; scratch: a padded image, if s.is_padded()
template <std::size_t KernelHeight, std::size_t R, class T, std::size_t LastWidth, class Sink>
void masked_weight_gradient(std::size_t rows, const ConvShape& s, const T* x, const T* dz, const std::uint8_t* choice,
                            const Sink& sink, T* scratch, std::size_t begin, std::size_t end)
{
    const simd::PanelLayout<T> layout{s.window(), s.filters};
    const std::size_t run = s.kernel_width * s.channels, line = s.padded_width() * s.channels;
    for (std::size_t k = begin; k < end; k += R)
        detail::for_each_panel<T, LastWidth>(layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                                         std::size_t width) {
            using P = decltype(pack);
            constexpr std::size_t V = decltype(registers)::value;
            P sums[KernelHeight * R * V];
            const std::size_t columns = detail::smaller(s.filters - n, V * P::size);
            detail::add_masked<P, V, KernelHeight, R>(rows, s, columns - (V - 1) * P::size, s.dilation_height * line, x,
                                                      dz + n, choice + n, scratch, k, sums);
            for (std::size_t a = 0; a < KernelHeight; ++a)
                for (std::size_t r = 0; r < R; ++r)
                    for (std::size_t v = 0; v < V; ++v)
                        sink.put(offset + (a * run + k + r) * width + v * P::size, sums[(a * R + r) * V + v]);
        });
}

// The gradient by the whole map, most of it zeros: for the shapes that the functions above do not fit.
// dz, choice as above; map: (rows, h', w', f)
template <class T>
void spread_pooled(std::size_t rows, const ConvShape& s, const T* dz, const std::uint8_t* choice, T* map)
{
    fill(rows * s.out_size(), T(0), map);
    const std::size_t line = s.out_width * s.filters;
    for (std::size_t r = 0; r < rows; ++r, map += s.out_size())
        for (std::size_t i = 0; i < s.out_height / 2; ++i)
            for (std::size_t j = 0; j < s.out_width / 2; ++j, dz += s.filters, choice += s.filters) {
                T* const block = map + 2 * i * line + 2 * j * s.filters;
                for (std::size_t f = 0; f < s.filters; ++f)
                    block[(choice[f] / 2) * line + (choice[f] % 2) * s.filters + f] = dz[f];
            }
}

}  // namespace tenon::inline TENON_ISA::kernels
