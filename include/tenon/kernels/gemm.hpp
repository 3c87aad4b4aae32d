// SPDX-License-Identifier: BSL-1.0
//
// Matrix products of many rows with a matrix in panels, and the two products of its backward pass. One register tile
// computes all three; it is compiled once per tile shape and not per layer, so every extent in this file is a value.
//
// Order of summation: each element of a result is one chain of fused multiply-adds over the whole depth, from first to
// last, whatever tile it falls into. Splitting the rows, in any way, changes no bit.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/half.hpp>
#include <tenon/simd/pack.hpp>
#include <tenon/simd/panels.hpp>
#include <tenon/simd/transpose.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace tenon::inline TENON_ISA::kernels {

// Rows of a full register tile V registers wide: 6 × 4 registers of 32, or 6 × 2 of 16, hold sums; the others hold what is
// multiplied. Full panels of 8 × 3 were no faster. A narrow panel, the last one or the only one, takes as many rows as keep
// two multiply-adds of four cycles each in flight: six of a single register would wait for one another. Nine of two are the
// window of a 3 × 3 kernel, in one tile of the weight gradient. More rows are more to compile and no faster.
template <class T, std::size_t V = simd::panel_registers>
inline constexpr std::size_t tile_rows = simd::width<T> == 1                    ? 1
                                         : V == 1                               ? 12
                                         : V == 2 && simd::register_count == 32 ? 9
                                                                                : 6;

// What the tiles of one panel share: y[m, c] = max(floor, start[m, c] + Σ_k x[m, k] · w[k, c]) for `depth` k. The strides
// say where x[m, k] lies, so that x may be transposed; w and y have contiguous columns, of which `columns` are written.
// S: the type that w is stored in.
template <class T, class S = T>
struct Panel {
    std::size_t depth;
    std::size_t x_row, x_depth;
    const S* w;
    std::size_t w_row;
    std::size_t start_row;  // 0: one row, such as a bias, for all; whole registers of it are read
    std::size_t y_row;
    std::size_t columns;
    T floor;  // 0 for ReLU, -inf for none: an epilogue at the price of one instruction per register
};

namespace detail {

template <class T>
inline constexpr T no_floor = -__builtin_huge_val();

// Where sums start without a bias.
template <class T>
alignas(64) inline constexpr T zero_row[simd::width<T> == 1 ? 8 : simd::panel_width<T>] = {};

// Which part of w's rows may be read: all of them (they are padded), or `columns` only (they are rows of a user's matrix).
enum class Reach : unsigned char { padded, exact };

// M rows by V registers. x is broadcast, w is loaded; both feed M · V independent sums that stay in registers.
template <class P, std::size_t M, std::size_t V, Reach R, class T, class S>
TENON_NOINLINE void run_tile(const Panel<T, S>& panel, const T* x, const T* start, T* y)
{
    constexpr std::size_t W = P::size;
    const std::size_t last_columns = panel.columns - (V - 1) * W;
    const std::size_t x_row = panel.x_row, x_depth = panel.x_depth, w_row = panel.w_row;

    // So many pointers do not fit into the registers for addresses: of tall tiles three rows share one, with an index for each.
    constexpr std::size_t Shared = M > 6 ? 3 : 1;
    P sum[M][V];
    const T* row[(M + Shared - 1) / Shared];
    std::size_t at[Shared];
    TENON_UNROLL
    for (std::size_t i = 0; i < Shared; ++i) at[i] = i * x_row;
    const std::size_t last_start = panel.start_row == 0 ? W : last_columns;
    TENON_UNROLL
    for (std::size_t m = 0; m < M; ++m) {
        if (m % Shared == 0) row[m / Shared] = x + m * x_row;
        TENON_UNROLL
        for (std::size_t v = 0; v < V - 1; ++v) sum[m][v] = P::load(start + m * panel.start_row + v * W);
        sum[m][V - 1] = P::load_partial(start + m * panel.start_row + (V - 1) * W, last_start);
    }

    const S* w = panel.w;
    TENON_UNROLL_BY(4)
    for (std::size_t k = panel.depth; k != 0; --k) {
        P b[V];
        TENON_UNROLL
        for (std::size_t v = 0; v < V; ++v)
            if constexpr (R == Reach::exact)
                b[v] = v == V - 1 ? P::load_partial(w + v * W, last_columns) : P::load(w + v * W);
            else
                b[v] = simd::load_widened<P>(w + v * W);
        TENON_UNROLL
        for (std::size_t m = 0; m < M; ++m) {
            const P a = row[m / Shared][at[m % Shared]];
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) sum[m][v] = fma(a, b[v], sum[m][v]);
        }
        w += w_row;
        TENON_UNROLL
        for (std::size_t i = 0; i < Shared; ++i) at[i] += x_depth;
    }

    if (panel.floor != no_floor<T>) {  // max competes with fma for its units: 24 of them are felt at a depth of 64
        const P floor = panel.floor;
        TENON_UNROLL
        for (std::size_t m = 0; m < M; ++m) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) sum[m][v] = max(floor, sum[m][v]);
        }
    }
    const std::size_t y_row = panel.y_row;
    if (R == Reach::exact || panel.columns == V * W) {
        TENON_UNROLL
        for (std::size_t m = 0; m < M; ++m) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) sum[m][v].store(y + m * y_row + v * W);
        }
    } else {
        // By way of the stack: unrolled partial stores would be most of the function.
        alignas(64) T block[M][V * W];
        TENON_UNROLL
        for (std::size_t m = 0; m < M; ++m) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) sum[m][v].store(&block[m][v * W]);
        }
        for (std::size_t m = 0; m < M; ++m) {
            for (std::size_t v = 0; v < V - 1; ++v) P::load(&block[m][v * W]).store(y + m * y_row + v * W);
            P::load(&block[m][(V - 1) * W]).store_partial(y + m * y_row + (V - 1) * W, last_columns);
        }
    }
}

// The tiles of each number of rows.
template <class P, std::size_t V, Reach R, class S, class Sequence>
struct TileBodies;
template <class P, std::size_t V, Reach R, class S, std::size_t... M>
struct TileBodies<P, V, R, S, std::index_sequence<M...>> {
    using T = typename P::value_type;
    static constexpr void (*bodies[])(const Panel<T, S>&, const T*, const T*, T*) = {run_tile<P, M + 1, V, R, T, S>...};
};
template <class P, std::size_t V, Reach R, class S>
inline constexpr auto& tile_bodies =
    TileBodies<P, V, R, S, std::make_index_sequence<tile_rows<typename P::value_type, V>>>::bodies;

template <class P, std::size_t V, Reach R, class T, class S>
TENON_ALWAYS_INLINE void run_rows(std::size_t m, const Panel<T, S>& panel, const T* x, const T* start, T* y)
{
    tile_bodies<P, V, R, S>[m - 1](panel, x, start, y);
}

// Tiles of nearly equal height: 32 rows are 6+6+5+5+5+5, not 5 · 6 + 2, since a tile of two rows waits for its own results.
struct Split {
    std::uint32_t tiles, height, taller;  // the first `taller` tiles have one row more than `height`
};
template <class T, std::size_t V>
constexpr Split split_rows(std::size_t rows)
{
    const auto count = static_cast<std::uint32_t>(rows);
    constexpr auto most = static_cast<std::uint32_t>(tile_rows<T, V>);
    if (count <= most) return {count != 0, count, 0};
    const std::uint32_t tiles = (count + most - 1) / most;
    return {tiles, count / tiles, count % tiles};
}

// All rows of one panel.
template <class P, std::size_t V, Reach R = Reach::padded, class T, class S>
TENON_NOINLINE void run_panel(Split split, const Panel<T, S>& panel, const T* x, const T* start, T* y)
{
    for (std::uint32_t tile = 0; tile < split.tiles; ++tile) {
        const std::size_t m = split.height + (tile < split.taller);
        run_rows<P, V, R>(m, panel, x, start, y);
        x += m * panel.x_row;
        start += m * panel.start_row;
        y += m * panel.y_row;
    }
}

// The registers of a panel of Width columns.
template <class T, std::size_t Width>
struct PanelRegisters {
    static constexpr std::size_t lanes = Width % simd::width<T> == 0 ? simd::width<T> : Width;
    static constexpr std::size_t count = Width / lanes;
    using pack = simd::Pack<T, lanes>;
};

// Registers of the last panel; of a full one where there is no other.
template <class T, std::size_t LastWidth>
inline constexpr std::size_t last_registers = LastWidth == 0 || simd::width<T> == 1
                                                  ? simd::panel_registers
                                                  : PanelRegisters<T, LastWidth>::count;

// Calls f(pack, registers, first column, offset of the panel, its width) for each panel; both first arguments are types.
template <std::size_t V>
struct Registers {
    static constexpr std::size_t value = V;
};
template <class T, std::size_t LastWidth, class F>
TENON_ALWAYS_INLINE void for_each_panel(simd::PanelLayout<T> layout, F f)
{
    constexpr std::size_t W = simd::width<T>;
    if constexpr (W == 1) {
        // Row-major without padding: groups of columns stand in for panels.
        using P = simd::Pack<T, 1>;
        const std::size_t N = layout.logical;
        std::size_t n = 0;
        for (; n + 8 <= N; n += 8) f(P{}, Registers<8>{}, n, n, N);
        for (; n + 2 <= N; n += 2) f(P{}, Registers<2>{}, n, n, N);
        if (n < N) f(P{}, Registers<1>{}, n, n, N);
    } else {
        constexpr std::size_t width = simd::panel_width<T>;
        const std::size_t full = layout.full_panels() * width;
        for (std::size_t n = 0; n < full; n += width)
            f(simd::Pack<T, W>{}, Registers<simd::panel_registers>{}, n, n * layout.rows, width);
        if constexpr (LastWidth != 0) {
            using Last = PanelRegisters<T, LastWidth>;
            f(typename Last::pack{}, Registers<Last::count>{}, full, full * layout.rows, LastWidth);
        }
    }
}

constexpr std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

// Rows that are taken through all panels together: their x should stay in the second-level cache.
template <class T>
constexpr std::size_t row_block(std::size_t depth)
{
    const std::size_t fitting = 128 * 1024 / sizeof(T) / (depth + 1);
    return fitting < 24 ? 24 : fitting > 192 ? 192 : fitting / 6 * 6;
}

// y = max(floor, bias + x · w).   x: (rows, K), w: (K, N) in panels, bias: padded columns or null, y: (rows, N)
template <class T, std::size_t LastWidth, class S>
TENON_ALWAYS_INLINE void forward(std::size_t rows, simd::PanelLayout<T> layout, const T* x, const S* w,
                                 const std::type_identity_t<S>* bias, T* y, T floor)
{
    const std::size_t K = layout.rows, N = layout.logical;
    const std::size_t block = row_block<T>(K);
    for (std::size_t r = 0; r < rows; r += block) {
        const std::size_t count = smaller(block, rows - r);
        for_each_panel<T, LastWidth>(layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                                 std::size_t width) TENON_LAMBDA_INLINE {
            using P = decltype(pack);
            constexpr std::size_t V = decltype(registers)::value;
            const T* start = zero_row<T>;
            [[maybe_unused]] alignas(64) T widened[std::is_same_v<S, T> ? 1 : V * P::size];
            if (bias != nullptr) {
                if constexpr (std::is_same_v<S, T>) {
                    start = bias + n;
                } else {
                    simd::widen(V * P::size, bias + n, widened);
                    start = widened;
                }
            }
            const Panel<T, S> panel{K, K, 1, w + offset, width, 0, N, smaller(N - n, V * P::size), floor};
            run_panel<P, V>(split_rows<T, V>(count), panel, x + r * K, start, y + r * N + n);
        });
    }
}

// Columns of dx's sums that are taken through the scratch block together: 16 KiB of it stay in the first-level cache.
template <class T>
inline constexpr std::size_t transposed_depth = 16 * 1024 / sizeof(T) / simd::panel_width<T>;

// Copies w[k0 + i, n0 + j] to scratch[j, i], rows of panel_width, for i < count and j < depth.
template <std::size_t B, class T>
void transpose_panel(const T* panel, std::size_t width, std::size_t count, std::size_t depth, T* scratch)
{
    constexpr std::size_t row = simd::panel_width<T>;
    for (std::size_t j = 0; j < depth; j += B) {
        std::size_t i = 0;
        for (; i + B <= count; i += B)
            simd::transpose_block<B>(B, panel + i * width + j, width, scratch + j * row + i, row);
        if (i < count) simd::transpose_block<B>(count - i, panel + i * width + j, width, scratch + j * row + i, row);
    }
}

// dx = dy · wᵀ.   dy: (rows, N), w: (K, N) in panels, dx: (rows, K)
// A strip of w is transposed at a time, on the stack, and used for all rows: reading the panels as they are would need a
// sum across the lanes for every element.
template <class T, std::size_t LastRegisters>
void input_gradient(std::size_t rows, simd::PanelLayout<T> layout, const T* dy, const T* w, T* dx)
{
    const std::size_t K = layout.rows, N = layout.logical;
    if constexpr (simd::width<T> == 1) {
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t k = 0; k < K; ++k) {
                simd::Pack<T, 1> sum = T(0);
                for (std::size_t n = 0; n < N; ++n) sum = fma(simd::Pack<T, 1>(dy[r * N + n]), w[k * N + n], sum);
                dx[r * K + k] = sum.lanes;
            }
    } else {
        using P = simd::Pack<T, simd::width<T>>;
        constexpr std::size_t width = simd::panel_width<T>, side = simd::transpose_side<T>;
        constexpr std::size_t most = transposed_depth<T>;
        static_assert(most % width == 0 && width % side == 0);
        alignas(64) T scratch[most * width];
        const Split split = split_rows<T, simd::panel_registers>(rows);
        for (std::size_t k = 0; k < K; k += width) {
            const std::size_t count = smaller(width, K - k);
            for (std::size_t n = 0; n < N; n += most) {
                const std::size_t depth = smaller(most, N - n);
                for (std::size_t j = 0; j < depth; j += width) {
                    const bool full = N - n - j >= width;
                    const std::size_t own = full ? width : layout.last_width();
                    const T* panel = w + (n + j) * K + k * own;
                    const std::size_t columns = smaller(width, N - n - j);
                    if constexpr (simd::has_width<T, side / 2> && side > 2)
                        if (own % side != 0) {
                            transpose_panel<side / 2>(panel, own, count, columns, scratch + j * width);
                            continue;
                        }
                    transpose_panel<side>(panel, own, count, columns, scratch + j * width);
                }
                const bool first = n == 0;
                const Panel<T> strip{depth, N, 1, scratch, width, first ? 0 : K, K, count, no_floor<T>};
                const T* start = first ? zero_row<T> : dx + k;
                if (count == width) {
                    run_panel<P, simd::panel_registers>(split, strip, dy + n, start, dx + k);
                } else {
                    if constexpr (LastRegisters != 0)
                        run_panel<P, LastRegisters>(split_rows<T, LastRegisters>(rows), strip, dy + n, start, dx + k);
                }
            }
        }
    }
}

}  // namespace detail

// ---- where gradients go ------------------------------------------------------------------------------------------
// A sink takes each pack of a gradient once, finished: put(offset, pack), offset counting scalars of the slot, in its
// layout. Packs of padding lanes are 0 there. A sink may offer prefetch(offset), called early.

// g = gradient.
template <class T>
struct Store {
    T* g;

    template <class P>
    TENON_ALWAYS_INLINE void put(std::size_t offset, P gradient) const
    {
        gradient.store(g + offset);
    }
};

// g += gradient.
template <class T>
struct Accumulate {
    T* g;

    template <class P>
    TENON_ALWAYS_INLINE void put(std::size_t offset, P gradient) const
    {
        (P::load(g + offset) + gradient).store(g + offset);
    }
};

// Nobody wants this gradient; it is not computed.
struct Ignore {
    template <class P>
    TENON_ALWAYS_INLINE void put(std::size_t, P) const
    {}
};

namespace detail {

// dw[k, n] = Σ_r x[r, k] · dy[r, n] for k_begin <= k < k_end.   x: (rows, K), dy: (rows, N), dw: (K, N) in panels
// The columns of x take the place of rows: six or more of them at a time are broadcast, while rows of dy are loaded.
template <class T, std::size_t LastWidth, bool Exact, class Sink>
void weight_gradient(std::size_t rows, simd::PanelLayout<T> layout, const T* x, const T* dy, Sink sink,
                     std::size_t k_begin, std::size_t k_end)
{
    const std::size_t K = layout.rows, N = layout.logical;
    const Split split = layout.full_panels() == 0 ? split_rows<T, last_registers<T, LastWidth>>(k_end - k_begin)
                                                  : split_rows<T, simd::panel_registers>(k_end - k_begin);
    std::size_t k = k_begin;
    for (std::uint32_t tile = 0; tile < split.tiles; ++tile) {
        const std::size_t m = split.height + (tile < split.taller);
        for_each_panel<T, LastWidth>(layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                                 std::size_t width) TENON_LAMBDA_INLINE {
            using P = decltype(pack);
            constexpr std::size_t V = decltype(registers)::value, W = P::size;
            // Only the last panel can end within a register.
            constexpr Reach reach = Exact && V * W == LastWidth ? Reach::exact : Reach::padded;
            const std::size_t first = offset + k * width;
            Panel<T> panel{rows, 1, K, dy + n, N, 0, V * W, smaller(N - n, V * W), no_floor<T>};
            if constexpr (std::is_same_v<Sink, Store<T>>) {
                panel.y_row = width;
                run_rows<P, V, reach>(m, panel, x + k, zero_row<T>, sink.g + first);
            } else {
                if constexpr (requires { sink.prefetch(first); })
                    for (std::size_t i = 0; i < m * V * W; i += 64 / sizeof(T)) sink.prefetch(first + i);
                alignas(64) T block[tile_rows<T, V> * V * W];
                run_rows<P, V, reach>(m, panel, x + k, zero_row<T>, block);
                for (std::size_t i = 0; i < m * V * W; i += W) sink.put(first + i, P::load(block + i));
            }
        });
        k += m;
    }
}

// dbias[n] = Σ_r dy[r, n].   dy: (rows, N), dbias: padded columns
template <class T, std::size_t LastWidth, class Sink>
void bias_gradient(std::size_t rows, simd::PanelLayout<T> layout, const T* dy, Sink sink)
{
    const std::size_t N = layout.logical;
    for_each_panel<T, LastWidth>(
        layout, [&](auto pack, auto registers, std::size_t n, std::size_t, std::size_t) TENON_LAMBDA_INLINE {
            using P = decltype(pack);
            constexpr std::size_t V = decltype(registers)::value, W = P::size;
            for (std::size_t v = 0; v < V; ++v) {
                const T* at = dy + n + v * W;
                P sum = T(0);
                if (n + (v + 1) * W <= N)
                    for (std::size_t r = 0; r < rows; ++r) sum += P::load(at + r * N);
                else
                    for (std::size_t r = 0; r < rows; ++r) sum += P::load_partial(at + r * N, N - n - v * W);
                sink.put(n + v * W, sum);
            }
        });
}

}  // namespace detail

}  // namespace tenon::inline TENON_ISA::kernels
