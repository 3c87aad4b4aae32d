// SPDX-License-Identifier: BSL-1.0
// 3 × 3 convolutions with stride 1 by Winograd's minimal filtering F(2 × 2, 3 × 3) and F(4 × 4, 3 × 3) (Lavin & Gray 2016): a
// tile of 4 × 4 (6 × 6) inputs and the kernel are transformed, multiplied at 16 (36) places, and transformed back to 2 × 2
// (4 × 4) outputs: 16 products for 36 (36 for 144).
//   Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// The transforms of F(2 × 2) consist of sums, differences and halves; those of F(4 × 4) multiply by up to 8, which costs some
// bits: tests/unit/convolution_schemes.cpp bounds both.
//
// The products at each place, summed over channels, are a matrix product of tiles by filters in gemm.hpp's register tile.
// Each output is one chain of operations that depends on nothing but its tile: splitting rows changes no bit.
#pragma once

#include <tenon/kernels/conv.hpp>
#include <tenon/simd/conv_scheme.hpp>

#include <cstdint>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// The transforms in one dimension: of a kernel, of inputs and of products, for Out outputs of Out + 2 inputs. Both dimensions are
// the same, one after the other.
template <std::size_t Out>
struct WinogradLine;

// Lavin & Gray 2016, section 4.1.
template <>
struct WinogradLine<2> {
    template <class P>
    TENON_ALWAYS_INLINE static void kernel(const P (&g)[3], P (&u)[4])
    {
        const P half = typename P::value_type(0.5);
        const P outer = (g[0] + g[2]) * half, inner = g[1] * half;
        u[0] = g[0];
        u[1] = outer + inner;
        u[2] = outer - inner;
        u[3] = g[2];
    }
    template <class P>
    TENON_ALWAYS_INLINE static void input(const P (&d)[4], P (&v)[4])
    {
        v[0] = d[0] - d[2];
        v[1] = d[1] + d[2];
        v[2] = d[2] - d[1];
        v[3] = d[1] - d[3];
    }
    template <class P>
    TENON_ALWAYS_INLINE static void output(const P (&m)[4], P (&y)[2])
    {
        y[0] = m[0] + m[1] + m[2];
        y[1] = m[1] - m[2] - m[3];
    }
};

// The same for the points 0, ±a, ±b and infinity, with a² = 1/2 and b² = 2, whose products are 1: with 0, ±1, ±2, as in the paper,
// rounding errors are three times as large.
template <>
struct WinogradLine<4> {
    static constexpr double a = 0.70710678118654752440, b = 2 * a;

    template <class P>
    TENON_ALWAYS_INLINE static void kernel(const P (&g)[3], P (&u)[6])
    {
        using T = typename P::value_type;
        const P near = fma(g[2], P(T(-1.0 / 3)), g[0] * P(T(-2.0 / 3))), near_odd = g[1] * P(T(-2 * a / 3));
        const P far = fma(g[2], P(T(1.0 / 3)), g[0] * P(T(1.0 / 6))), far_odd = g[1] * P(T(b / 6));
        u[0] = g[0];
        u[1] = near + near_odd;
        u[2] = near - near_odd;
        u[3] = far + far_odd;
        u[4] = far - far_odd;
        u[5] = g[2];
    }
    template <class P>
    TENON_ALWAYS_INLINE static void input(const P (&d)[6], P (&v)[6])
    {
        using T = typename P::value_type;
        const P minus_half = T(-0.5), minus_two = T(-2), middle = T(-2.5);
        const P near = fma(minus_two, d[2], d[4]), near_odd = fma(minus_two, d[1], d[3]);
        const P far = fma(minus_half, d[2], d[4]), far_odd = fma(minus_half, d[1], d[3]);
        v[0] = fma(middle, d[2], d[0] + d[4]);
        v[1] = fma(P(T(a)), near_odd, near);
        v[2] = fma(P(T(-a)), near_odd, near);
        v[3] = fma(P(T(b)), far_odd, far);
        v[4] = fma(P(T(-b)), far_odd, far);
        v[5] = fma(middle, d[3], d[1] + d[5]);
    }
    template <class P>
    TENON_ALWAYS_INLINE static void output(const P (&m)[6], P (&y)[4])
    {
        using T = typename P::value_type;
        const P near = m[1] + m[2], near_odd = m[1] - m[2], far = m[3] + m[4], far_odd = m[3] - m[4];
        y[0] = m[0] + near + far;
        y[1] = fma(P(T(b)), far_odd, near_odd * P(T(a)));
        y[2] = fma(P(T(2)), far, near * P(T(0.5)));
        y[3] = fma(P(T(2 * b)), far_odd, fma(P(T(a / 2)), near_odd, m[5]));
    }
};

// U = G g Gᵀ for all channels and filters.   w: (9 · c, f) in panels; u: a matrix (c, f) in panels for each place of a tile
template <std::size_t Out, class T, std::size_t LastWidth>
void winograd_kernel(const simd::WinogradPlan<T>& plan, const T* w, T* u)
{
    constexpr std::size_t N = Out + 2;
    const std::size_t channels = plan.shape.channels;
    for_each_panel<T, LastWidth>(simd::PanelLayout<T>{channels, plan.shape.filters}, [&](auto pack, auto registers,
                                                                                         std::size_t,
                                                                                         std::size_t offset,
                                                                                         std::size_t width) {
        using P = decltype(pack);
        constexpr std::size_t V = decltype(registers)::value;
        for (std::size_t i = 0; i < channels * V; ++i) {
            // Within a panel rows are V registers: i counts them all.
            const T* from = w + 9 * offset + i * P::size;
            T* to = u + offset + i * P::size;
            const std::size_t tap = channels * width;
            P rows[N][3];
            TENON_UNROLL
            for (std::size_t b = 0; b < 3; ++b) {
                const P g[3] = {P::load(from + b * tap), P::load(from + (3 + b) * tap), P::load(from + (6 + b) * tap)};
                P column[N];
                WinogradLine<Out>::kernel(g, column);
                TENON_UNROLL
                for (std::size_t a = 0; a < N; ++a) rows[a][b] = column[a];
            }
            TENON_UNROLL
            for (std::size_t a = 0; a < N; ++a) {
                P row[N];
                WinogradLine<Out>::kernel(rows[a], row);
                TENON_UNROLL
                for (std::size_t b = 0; b < N; ++b) row[b].store(to + (N * a + b) * plan.kernel_step);
            }
        }
    });
}

// V = Bᵀ d B for one tile, whose first pixel is at x.   v: a vector of c for each place
template <std::size_t Out, class P, class T>
TENON_ALWAYS_INLINE void winograd_input(std::size_t channels, std::size_t line, const T* x, T* v)
{
    constexpr std::size_t N = Out + 2;
    for (std::size_t c = 0; c < channels; c += P::size) {
        P rows[N][N];
        TENON_UNROLL
        for (std::size_t b = 0; b < N; ++b) {
            P d[N], column[N];
            TENON_UNROLL
            for (std::size_t a = 0; a < N; ++a) d[a] = P::load(x + b * channels + c + a * line);
            WinogradLine<Out>::input(d, column);
            TENON_UNROLL
            for (std::size_t a = 0; a < N; ++a) rows[a][b] = column[a];
        }
        TENON_UNROLL
        for (std::size_t a = 0; a < N; ++a) {
            P row[N];
            WinogradLine<Out>::input(rows[a], row);
            TENON_UNROLL
            for (std::size_t b = 0; b < N; ++b) row[b].store(v + (N * a + b) * channels + c);
        }
    }
}

// Aᵀ m A of one register of filters: the outputs of a tile.
template <std::size_t Out, class P, class T>
TENON_ALWAYS_INLINE void winograd_output(std::size_t filters, const T* m, P bias, P (&y)[Out][Out])
{
    constexpr std::size_t N = Out + 2;
    P rows[Out][N];
    TENON_UNROLL
    for (std::size_t b = 0; b < N; ++b) {
        P column[N], sums[Out];
        TENON_UNROLL
        for (std::size_t a = 0; a < N; ++a) column[a] = P::load(m + (N * a + b) * filters);
        WinogradLine<Out>::output(column, sums);
        TENON_UNROLL
        for (std::size_t a = 0; a < Out; ++a) rows[a][b] = sums[a];
    }
    TENON_UNROLL
    for (std::size_t a = 0; a < Out; ++a) {
        WinogradLine<Out>::output(rows[a], y[a]);
        TENON_UNROLL
        for (std::size_t b = 0; b < Out; ++b) y[a][b] = y[a][b] + bias;
    }
}

// The place of a tile among the image's.
struct TileWalk {
    std::size_t i = 0, j = 0;

    TENON_ALWAYS_INLINE void next(std::size_t tiles_wide)
    {
        if (++j == tiles_wide) {
            j = 0;
            ++i;
        }
    }
};

}  // namespace detail

// y = max(floor, bias + x ∗ w), or with Pool the largest of each 2 × 2 block of it. LastWidth: of the last panel.
// choice, unless null, gets for each pooled value which of its four positions (0, 1 above, 2, 3 below) held it, the first of
// equals.
template <std::size_t Out, bool Pool, class T, std::size_t LastWidth>
void winograd_forward(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y, T floor,
                      T* scratch, std::uint8_t* choice = nullptr)
{
    using namespace detail;
    using P = simd::Pack<T, simd::width<T>>;
    const simd::WinogradPlan<T> plan = simd::winograd_plan<T>(s, Pool, Out);
    const std::size_t channels = s.channels, filters = s.filters;
    T* const padded = scratch;
    T* const u = padded + plan.image;
    T* const v = u + plan.kernel;
    T* const m = v + plan.inputs;
    winograd_kernel<Out, T, LastWidth>(plan, w, u);

    const simd::PanelLayout<T> layout{channels, filters};
    const std::size_t line = plan.shape.padded_width() * channels;
    const std::size_t across = Pool ? s.out_width / 2 : s.out_width, down = Pool ? s.out_height / 2 : s.out_height;
    const std::size_t y_size = down * across * filters;
    const P lowest = floor;
    for (std::size_t r = 0; r < rows; ++r) {
        const T* image = x + r * s.in_size();
        if (plan.shape.is_padded()) {
            pad_image(plan.shape, image, padded);
            image = padded;
        }
        T* const out = y + r * y_size;
        TileWalk at_block;
        for (std::size_t first = 0; first < plan.tiles(); first += plan.block) {
            const std::size_t count = smaller(plan.block, plan.tiles() - first);
            TileWalk in = at_block;
            for (std::size_t t = 0; t < count; ++t, in.next(plan.tiles_wide))
                winograd_input<Out, P>(channels, line, image + Out * (in.i * line + in.j * channels),
                                       v + t * plan.input_tile);
            for (std::size_t place = 0; place < plan.places(); ++place)
                for_each_panel<T, LastWidth>(layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                                         std::size_t width) TENON_LAMBDA_INLINE {
                    using Q = decltype(pack);
                    constexpr std::size_t V = decltype(registers)::value;
                    const Panel<T> panel{
                        channels,         plan.input_tile, 1,          u + place * plan.kernel_step + offset, width, 0,
                        plan.output_tile, V * Q::size,     no_floor<T>};
                    run_panel<Q, V>(split_rows<T, V>(count), panel, v + place * channels, zero_row<T>,
                                    m + place * filters + n);
                });
            for (std::size_t t = 0; t < count; ++t, at_block.next(plan.tiles_wide)) {
                // A tile's values, or the largest of its 2 × 2 blocks, as far as they belong to the image.
                constexpr std::size_t Side = Pool ? Out / 2 : Out;
                const std::size_t i = Side * at_block.i, j = Side * at_block.j;
                const std::size_t high = smaller(Side, down - i), wide = smaller(Side, across - j);
                for (std::size_t f = 0; f < filters; f += P::size) {
                    P sums[Out][Out];
                    winograd_output<Out>(filters, m + t * plan.output_tile + f,
                                         bias == nullptr ? P(T(0)) : P::load(bias + f), sums);
                    const std::size_t first_at = (i * across + j) * filters + f;
                    TENON_UNROLL
                    for (std::size_t a = 0; a < Side; ++a) {
                        TENON_UNROLL
                        for (std::size_t b = 0; b < Side; ++b) {
                            if (a >= high || b >= wide) continue;  // a break could not be unrolled
                            const std::size_t at = first_at + (a * across + b) * filters;
                            if constexpr (!Pool) {
                                max(lowest, sums[a][b]).store(out + at);
                            } else {
                                const P four[4] = {sums[2 * a][2 * b], sums[2 * a][2 * b + 1], sums[2 * a + 1][2 * b],
                                                   sums[2 * a + 1][2 * b + 1]};
                                if (choice == nullptr)
                                    max(lowest, max(max(four[0], four[1]), max(four[2], four[3]))).store(out + at);
                                else
                                    store_largest(four, lowest, out + at, choice + r * y_size + at);
                            }
                        }
                    }
                }
            }
        }
    }
}

// dx, by the transposed convolution: s.transposed() with the turned kernel. LastWidth: of that convolution's last panel;
// scratch: simd::winograd_input_scratch.
template <std::size_t Out, class T, std::size_t LastWidth>
void winograd_input_gradient(std::size_t rows, const ConvShape& s, const T* dy, const T* w, T* dx, T* scratch)
{
    const ConvShape t = s.transposed();
    detail::turn_kernel(s, t, w, scratch);
    winograd_forward<Out, false, T, LastWidth>(rows, t, dy, scratch, nullptr, dx, detail::no_floor<T>,
                                               scratch + (conv_kernel_size<T>(t) + 15) / 16 * 16);
}

}  // namespace tenon::inline TENON_ISA::kernels
