// SPDX-License-Identifier: BSL-1.0
// 3 × 3 convolutions with stride 1 by Winograd's minimal filtering F(2 × 2, 3 × 3) (Lavin & Gray 2016): a tile of 4 × 4
// inputs and the kernel are transformed, multiplied at 16 places, and transformed back to 2 × 2 outputs: 16 products for 36.
//   Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// The transforms consist of sums, differences and halves, so the error stays that of the direct sum within a small factor.
//
// The products at each place, summed over channels, are a matrix product of tiles by filters in gemm.hpp's register tile.
// Each output is one chain of operations that depends on nothing but its tile: splitting rows changes no bit.
#pragma once

#include <tenon/kernels/conv.hpp>
#include <tenon/simd/conv_scheme.hpp>

#include <cstdint>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// U = G g Gᵀ for all channels and filters.   w: (9 · c, f) in panels; u: 16 matrices (c, f) in panels
template <class T, std::size_t LastWidth>
void winograd_kernel(const simd::WinogradPlan<T>& plan, const T* w, T* u)
{
    const std::size_t channels = plan.shape.channels;
    for_each_panel<T, LastWidth>(simd::PanelLayout<T>{channels, plan.shape.filters},
                                 [&](auto pack, auto registers, std::size_t, std::size_t offset, std::size_t width) {
                                     using P = decltype(pack);
                                     constexpr std::size_t V = decltype(registers)::value;
                                     const P half = T(0.5);
                                     for (std::size_t i = 0; i < channels * V; ++i) {
                                         // Within a panel rows are V registers: i counts them all.
                                         const T* from = w + 9 * offset + i * P::size;
                                         T* to = u + offset + i * P::size;
                                         const std::size_t tap = channels * width;
                                         P rows[4][3];
                                         TENON_UNROLL
                                         for (std::size_t b = 0; b < 3; ++b) {
                                             const P g0 = P::load(from + b * tap), g1 = P::load(from + (3 + b) * tap),
                                                     g2 = P::load(from + (6 + b) * tap);
                                             const P outer = (g0 + g2) * half, inner = g1 * half;
                                             rows[0][b] = g0;
                                             rows[1][b] = outer + inner;
                                             rows[2][b] = outer - inner;
                                             rows[3][b] = g2;
                                         }
                                         TENON_UNROLL
                                         for (std::size_t a = 0; a < 4; ++a) {
                                             const P outer = (rows[a][0] + rows[a][2]) * half,
                                                     inner = rows[a][1] * half;
                                             T* const place = to + 4 * a * plan.kernel_step;
                                             rows[a][0].store(place);
                                             (outer + inner).store(place + plan.kernel_step);
                                             (outer - inner).store(place + 2 * plan.kernel_step);
                                             rows[a][2].store(place + 3 * plan.kernel_step);
                                         }
                                     }
                                 });
}

// V = Bᵀ d B for one tile, whose first pixel is at x.   v: 16 vectors of c
template <class P, class T>
TENON_ALWAYS_INLINE void winograd_input(std::size_t channels, std::size_t line, const T* x, T* v)
{
    for (std::size_t c = 0; c < channels; c += P::size) {
        P rows[4][4];
        TENON_UNROLL
        for (std::size_t b = 0; b < 4; ++b) {
            const T* at = x + b * channels + c;
            const P d0 = P::load(at), d1 = P::load(at + line), d2 = P::load(at + 2 * line), d3 = P::load(at + 3 * line);
            rows[0][b] = d0 - d2;
            rows[1][b] = d1 + d2;
            rows[2][b] = d2 - d1;
            rows[3][b] = d1 - d3;
        }
        TENON_UNROLL
        for (std::size_t a = 0; a < 4; ++a) {
            T* const to = v + 4 * a * channels + c;
            (rows[a][0] - rows[a][2]).store(to);
            (rows[a][1] + rows[a][2]).store(to + channels);
            (rows[a][2] - rows[a][1]).store(to + 2 * channels);
            (rows[a][1] - rows[a][3]).store(to + 3 * channels);
        }
    }
}

// Aᵀ m A of one register of filters: the four outputs of a tile.
template <class P, class T>
TENON_ALWAYS_INLINE void winograd_output(std::size_t filters, const T* m, P bias, P (&y)[4])
{
    P rows[2][4];
    TENON_UNROLL
    for (std::size_t b = 0; b < 4; ++b) {
        const T* at = m + b * filters;
        const P m0 = P::load(at), m1 = P::load(at + 4 * filters), m2 = P::load(at + 8 * filters),
                m3 = P::load(at + 12 * filters);
        rows[0][b] = m0 + m1 + m2;
        rows[1][b] = m1 - m2 - m3;
    }
    TENON_UNROLL
    for (std::size_t a = 0; a < 2; ++a) {
        y[2 * a] = rows[a][0] + rows[a][1] + rows[a][2] + bias;
        y[2 * a + 1] = rows[a][1] - rows[a][2] - rows[a][3] + bias;
    }
}

}  // namespace detail

// y = max(floor, bias + x ∗ w), or with Pool the largest of each 2 × 2 block of it. LastWidth: of the last panel.
// choice, unless null, gets for each pooled value which of its four positions (0, 1 above, 2, 3 below) held it, the first of
// equals.
template <bool Pool, class T, std::size_t LastWidth>
void winograd_forward(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y, T floor,
                      T* scratch, std::uint8_t* choice = nullptr)
{
    using namespace detail;
    using P = simd::Pack<T, simd::width<T>>;
    const simd::WinogradPlan<T> plan = simd::winograd_plan<T>(s, Pool);
    const std::size_t channels = s.channels, filters = s.filters;
    T* const padded = scratch;
    T* const u = padded + plan.image;
    T* const v = u + plan.kernel;
    T* const m = v + plan.inputs;
    winograd_kernel<T, LastWidth>(plan, w, u);

    const simd::PanelLayout<T> layout{channels, filters};
    const std::size_t line = plan.shape.padded_width() * channels;
    const std::size_t y_size = Pool ? plan.tiles() * filters : s.out_size();
    const P lowest = floor;
    for (std::size_t r = 0; r < rows; ++r) {
        const T* image = x + r * s.in_size();
        if (plan.shape.is_padded()) {
            pad_image(plan.shape, image, padded);
            image = padded;
        }
        T* const out = y + r * y_size;
        for (std::size_t first = 0; first < plan.tiles(); first += plan.block) {
            const std::size_t count = smaller(plan.block, plan.tiles() - first);
            for (std::size_t t = 0; t < count; ++t) {
                const std::size_t i = (first + t) / plan.tiles_wide, j = (first + t) % plan.tiles_wide;
                winograd_input<P>(channels, line, image + 2 * (i * line + j * channels), v + t * plan.input_tile);
            }
            const Split split = split_rows<T>(count);
            for (std::size_t place = 0; place < 16; ++place)
                for_each_panel<T, LastWidth>(layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                                         std::size_t width) TENON_LAMBDA_INLINE {
                    using Q = decltype(pack);
                    constexpr std::size_t V = decltype(registers)::value;
                    const Panel<T> panel{
                        channels,         plan.input_tile, 1,          u + place * plan.kernel_step + offset, width, 0,
                        plan.output_tile, V * Q::size,     no_floor<T>};
                    run_panel<Q, V>(split, panel, v + place * channels, zero_row<T>, m + place * filters + n);
                });
            for (std::size_t t = 0; t < count; ++t) {
                const std::size_t i = (first + t) / plan.tiles_wide, j = (first + t) % plan.tiles_wide;
                for (std::size_t f = 0; f < filters; f += P::size) {
                    P four[4];
                    winograd_output(filters, m + t * plan.output_tile + f,
                                    bias == nullptr ? P(T(0)) : P::load(bias + f), four);
                    if constexpr (Pool) {
                        const std::size_t at = (first + t) * filters + f;
                        if (choice == nullptr) {
                            max(lowest, max(max(four[0], four[1]), max(four[2], four[3]))).store(out + at);
                        } else {
                            store_largest(four, lowest, out + at, choice + r * y_size + at);
                        }
                    } else {
                        T* const at = out + (2 * i * s.out_width + 2 * j) * filters + f;
                        max(lowest, four[0]).store(at);
                        if (2 * j + 1 < s.out_width) max(lowest, four[1]).store(at + filters);
                        if (2 * i + 1 < s.out_height) {
                            T* const below = at + s.out_width * filters;
                            max(lowest, four[2]).store(below);
                            if (2 * j + 1 < s.out_width) max(lowest, four[3]).store(below + filters);
                        }
                    }
                }
            }
        }
    }
}

// dx, by the transposed convolution: s.transposed() with the turned kernel. LastWidth: of that convolution's last panel;
// scratch: simd::winograd_input_scratch.
template <class T, std::size_t LastWidth>
void winograd_input_gradient(std::size_t rows, const ConvShape& s, const T* dy, const T* w, T* dx, T* scratch)
{
    const ConvShape t = s.transposed();
    detail::turn_kernel(s, t, w, scratch);
    winograd_forward<false, T, LastWidth>(rows, t, dy, scratch, nullptr, dx, detail::no_floor<T>,
                                          scratch + (conv_kernel_size<T>(t) + 15) / 16 * 16);
}

}  // namespace tenon::inline TENON_ISA::kernels
