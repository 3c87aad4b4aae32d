// SPDX-License-Identifier: BSL-1.0
// Convolutions over images, channels last: forward, input gradient, weight gradient. Nothing is rearranged into a matrix
// of windows: a window's rows are contiguous runs of (kernel width · channels) values of the image, and the register tile
// walks over them.
//
// Layouts: x (rows, h, w, c), y (rows, h', w', f); the kernel of one group is a (kh · kw · c, f) matrix in panels
// (simd/panels.hpp), groups one after the other; the bias has the panels' columns for each group.
//
// Order of summation: as in gemm.hpp each output is one chain of multiply-adds over the window, first to last; each weight
// gradient is one chain over images and positions. Splitting the rows of forward and input gradient changes no bit.
#pragma once

#include <tenon/core/conv_shape.hpp>
#include <tenon/kernels/elementwise.hpp>
#include <tenon/kernels/gemm.hpp>
#include <tenon/simd/conv_scheme.hpp>

#include <cstdint>

namespace tenon::inline TENON_ISA::kernels {

// Scalars of a kernel in panels, all groups, and the place of k = (a, b, c) and filter f in it.
template <class T>
constexpr std::size_t conv_kernel_size(ConvShape s)
{
    return s.groups * simd::PanelLayout<T>{s.window(), s.group_filters()}.size();
}
template <class T>
constexpr std::size_t conv_kernel_index(ConvShape s, std::size_t k, std::size_t f)
{
    const simd::PanelLayout<T> layout{s.window(), s.group_filters()};
    return f / s.group_filters() * layout.size() + layout.index(k, f % s.group_filters());
}

namespace detail {

// Whether a tile of M rows needs them at equal steps: so many single registers are multiplied faster than as many pointers
// are fetched, so that three rows share one, with an index for each.
template <class T, std::size_t V, std::size_t M = tile_rows<T, V>>
inline constexpr bool even_rows = V == 1 && M > 6;

// One tile's work. Row m of x starts at x + row[m]; from there it consists of outer · inner runs of `depth` values each.
template <class T>
struct WindowTile {
    const T* x;
    std::size_t row[12];
    std::size_t row_step;  // between neighbours, where they must be even_rows
    std::size_t outer, outer_step;
    std::size_t inner, inner_step;
    std::size_t depth, x_depth;
    const T* w;
    std::size_t w_row;
    const T* start;  // whole registers are read when start_row is 0 (one row, such as a bias, for all)
    std::size_t start_row;
    T* y;
    std::size_t y_row;
    std::size_t columns;
    T floor;
    std::uint8_t* choice;  // as y, for Finish::choose
};

// What becomes of a tile's sums: each row is stored, or the largest of each four rows (a pooling window) is, with or
// without the place where it was.
enum class Finish : unsigned char { store, largest, choose };

// The largest of four values and, in `choice`, which of them it was, the first of equals.
template <class P>
TENON_ALWAYS_INLINE void store_largest(const P (&four)[4], P floor, typename P::value_type* y, std::uint8_t* choice,
                                       std::size_t lanes = P::size)
{
    using T = typename P::value_type;
    P most = four[0], which = T(0);
    TENON_UNROLL
    for (std::size_t p = 1; p < 4; ++p) {
        which = select(four[p] > most, P(static_cast<T>(p)), which);
        most = max(four[p], most);
    }
    alignas(64) T block[P::size];
    which.store(block);
    most = max(floor, most);
    if (lanes == P::size) {
        most.store(y);
        for (std::size_t i = 0; i < P::size; ++i) choice[i] = static_cast<std::uint8_t>(static_cast<int>(block[i]));
    } else {
        most.store_partial(y, lanes);
        for (std::size_t i = 0; i < lanes; ++i) choice[i] = static_cast<std::uint8_t>(static_cast<int>(block[i]));
    }
}

template <class P, std::size_t M, std::size_t V, Reach R, Finish F>
TENON_NOINLINE void run_window(const WindowTile<typename P::value_type>& tile)
{
    using T = typename P::value_type;
    constexpr std::size_t W = P::size;
    const std::size_t last_columns = tile.columns - (V - 1) * W;

    constexpr std::size_t Shared = F == Finish::store && even_rows<T, V, M> ? 3 : 1;
    P sum[M][V];
    const T* row[(M + Shared - 1) / Shared];
    const std::size_t row_step = tile.row_step;
    const std::size_t last_start = tile.start_row == 0 ? W : last_columns;
    TENON_UNROLL
    for (std::size_t m = 0; m < M; ++m) {
        if (m % Shared == 0) row[m / Shared] = tile.x + tile.row[m];
        TENON_UNROLL
        for (std::size_t v = 0; v < V - 1; ++v) sum[m][v] = P::load(tile.start + m * tile.start_row + v * W);
        sum[m][V - 1] = P::load_partial(tile.start + m * tile.start_row + (V - 1) * W, last_start);
    }

    const T* w = tile.w;
    std::size_t outer_at = 0;
    for (std::size_t o = tile.outer; o != 0; --o) {
        std::size_t inner_at = outer_at;
        for (std::size_t i = tile.inner; i != 0; --i) {
            std::size_t at[Shared];
            TENON_UNROLL
            for (std::size_t r = 0; r < Shared; ++r) at[r] = inner_at + r * row_step;
            for (std::size_t k = tile.depth; k != 0; --k) {
                P b[V];
                TENON_UNROLL
                for (std::size_t v = 0; v < V; ++v)
                    b[v] = R == Reach::exact && v == V - 1 ? P::load_partial(w + v * W, last_columns)
                                                           : P::load(w + v * W);
                TENON_UNROLL
                for (std::size_t m = 0; m < M; ++m) {
                    const P a = row[m / Shared][at[m % Shared]];
                    TENON_UNROLL
                    for (std::size_t v = 0; v < V; ++v) sum[m][v] = fma(a, b[v], sum[m][v]);
                }
                w += tile.w_row;
                TENON_UNROLL
                for (std::size_t r = 0; r < Shared; ++r) at[r] += tile.x_depth;
            }
            inner_at += tile.inner_step;
        }
        outer_at += tile.outer_step;
    }

    const P floor = tile.floor;
    const bool whole = tile.columns == V * W;
    if constexpr (F == Finish::choose) {
        TENON_UNROLL
        for (std::size_t m = 0; m < M; m += 4) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) {
                const P four[4] = {sum[m][v], sum[m + 1][v], sum[m + 2][v], sum[m + 3][v]};
                const std::size_t at = m / 4 * tile.y_row + v * W;
                store_largest(four, floor, tile.y + at, tile.choice + at, v + 1 < V ? W : last_columns);
            }
        }
    } else if constexpr (F == Finish::largest) {
        TENON_UNROLL
        for (std::size_t m = 0; m < M; m += 4) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) {
                const P most = max(floor, max(max(sum[m][v], sum[m + 1][v]), max(sum[m + 2][v], sum[m + 3][v])));
                T* const y = tile.y + m / 4 * tile.y_row + v * W;
                if (whole || v + 1 < V)
                    most.store(y);
                else
                    most.store_partial(y, last_columns);
            }
        }
    } else if (R == Reach::exact || whole) {
        TENON_UNROLL
        for (std::size_t m = 0; m < M; ++m) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) max(floor, sum[m][v]).store(tile.y + m * tile.y_row + v * W);
        }
    } else {
        alignas(64) T block[M][V * W];
        TENON_UNROLL
        for (std::size_t m = 0; m < M; ++m) {
            TENON_UNROLL
            for (std::size_t v = 0; v < V; ++v) max(floor, sum[m][v]).store(&block[m][v * W]);
        }
        for (std::size_t m = 0; m < M; ++m) {
            T* y = tile.y + m * tile.y_row;
            for (std::size_t v = 0; v < V - 1; ++v) P::load(&block[m][v * W]).store(y + v * W);
            P::load(&block[m][(V - 1) * W]).store_partial(y + (V - 1) * W, last_columns);
        }
    }
}

// The tiles of each number of rows.
template <class P, std::size_t V, Reach R, class Sequence>
struct WindowBodies;
template <class P, std::size_t V, Reach R, std::size_t... M>
struct WindowBodies<P, V, R, std::index_sequence<M...>> {
    static constexpr void (*bodies[])(const WindowTile<typename P::value_type>&) = {
        run_window<P, M + 1, V, R, Finish::store>...};
};

template <class P, std::size_t V, Reach R>
TENON_ALWAYS_INLINE void run_window_rows(std::size_t m, const WindowTile<typename P::value_type>& tile)
{
    WindowBodies<P, V, R, std::make_index_sequence<tile_rows<typename P::value_type, V>>>::bodies[m - 1](tile);
}

// f(first, count) for groups of `most` rows or nearly: tiles of equal height, as split_rows has them.
template <class F>
TENON_ALWAYS_INLINE void for_each_group(std::size_t most, std::size_t begin, std::size_t end, F f)
{
    for (std::size_t groups = (end - begin + most - 1) / most; groups != 0; --groups) {
        const std::size_t count = (end - begin + groups - 1) / groups;
        f(begin, count);
        begin += count;
    }
}

// The same within each run of so many rows.
template <class F>
TENON_ALWAYS_INLINE void for_each_run(std::size_t run, std::size_t most, std::size_t begin, std::size_t end, F f)
{
    while (begin < end) {
        const std::size_t stop = smaller(end, begin - begin % run + run);
        for_each_group(most, begin, stop, f);
        begin = stop;
    }
}

// Runs of a window: whole kernel rows where they are contiguous, single positions otherwise.
template <class T>
TENON_ALWAYS_INLINE void set_runs(WindowTile<T>& tile, const ConvShape& s)
{
    tile.outer = s.kernel_height;
    tile.outer_step = s.dilation_height * s.padded_width() * s.channels;
    const bool contiguous = s.groups == 1 && s.dilation_width == 1;
    tile.inner = contiguous ? 1 : s.kernel_width;
    tile.inner_step = s.dilation_width * s.channels;
    tile.depth = contiguous ? s.kernel_width * s.channels : s.group_channels();
    tile.x_depth = 1;
}

// All output pixels of one image, for one panel of filters. x: the padded image.
template <class P, std::size_t V>
TENON_NOINLINE void conv_panel(const ConvShape& s, WindowTile<typename P::value_type> tile)
{
    using T = typename P::value_type;
    const std::size_t step = s.stride_width * s.channels, line = s.stride_height * s.padded_width() * s.channels;
    T* const y = tile.y;
    if constexpr (even_rows<T, V>)
        if (s.out_width > 6) {  // line by line
            tile.row_step = step;
            for (std::size_t i = 0; i < s.out_height; ++i)
                for_each_group(tile_rows<T, V>, 0, s.out_width,
                               [&](std::size_t first, std::size_t m) TENON_LAMBDA_INLINE {
                                   for (std::size_t j = 0; j < m; ++j) tile.row[j] = i * line + (first + j) * step;
                                   tile.y = y + (i * s.out_width + first) * tile.y_row;
                                   run_window_rows<P, V, Reach::padded>(m, tile);
                               });
            return;
        }
    std::size_t column = 0, at = 0, first_at = 0;
    for_each_group(even_rows<T, V> ? 6 : tile_rows<T, V>, 0, s.out_pixels(),
                   [&](std::size_t first, std::size_t m) TENON_LAMBDA_INLINE {
                       for (std::size_t i = 0; i < m; ++i) {
                           tile.row[i] = at;
                           at += step;
                           if (++column == s.out_width) {
                               column = 0;
                               at = first_at += line;
                           }
                       }
                       tile.y = y + first * tile.y_row;
                       run_window_rows<P, V, Reach::padded>(m, tile);
                   });
}

// The largest output of each 2 × 2 block of pixels; a last odd row or column is not even computed. With 32 registers two
// blocks are taken together, half a panel at a time: one block of a whole panel would read all weights twice as often.
template <class P, std::size_t V, Finish F>
TENON_NOINLINE void conv_pool_panel(const ConvShape& s, WindowTile<typename P::value_type> tile)
{
    using T = typename P::value_type;
    constexpr std::size_t together = simd::register_count == 32 ? 2 : 1;
    constexpr std::size_t Part = together == 2 && V == 4 ? 2 : V;
    const std::size_t step = s.stride_width * s.channels, line = s.stride_height * s.padded_width() * s.channels;
    const std::size_t across = s.out_width / 2, blocks = s.out_height / 2 * across;
    const WindowTile<T> panel = tile;
    for (std::size_t part = 0; part < V; part += Part) {
        if (part * P::size >= panel.columns) break;
        tile.w = panel.w + part * P::size;
        tile.start = panel.start + (panel.start == zero_row<T> ? 0 : part * P::size);
        tile.columns = smaller(panel.columns - part * P::size, Part * P::size);
        std::size_t block = 0, i = 0, j = 0;
        const auto place = [&](std::size_t first) TENON_LAMBDA_INLINE {
            const std::size_t at = 2 * (i * line + j * step);
            tile.row[first] = at;
            tile.row[first + 1] = at + step;
            tile.row[first + 2] = at + line;
            tile.row[first + 3] = at + line + step;
            if (++j == across) {
                j = 0;
                ++i;
            }
        };
        if constexpr (together == 2)
            for (; block + 2 <= blocks; block += 2) {
                place(0);
                place(4);
                tile.y = panel.y + block * tile.y_row + part * P::size;
                if constexpr (F == Finish::choose) tile.choice = panel.choice + block * tile.y_row + part * P::size;
                run_window<P, 8, Part, Reach::padded, F>(tile);
            }
        for (; block < blocks; ++block) {
            place(0);
            tile.y = panel.y + block * tile.y_row + part * P::size;
            if constexpr (F == Finish::choose) tile.choice = panel.choice + block * tile.y_row + part * P::size;
            run_window<P, 4, Part, Reach::padded, F>(tile);
        }
    }
}

// Copies one image into the middle of zeros; the zeros around it are written as well.
template <class T>
void pad_image(const ConvShape& s, const T* x, T* padded)
{
    const std::size_t line = s.padded_width() * s.channels, own = s.width * s.channels;
    const auto zero = [](T* p, std::size_t n) TENON_LAMBDA_INLINE {
        for (std::size_t i = 0; i < n; ++i) p[i] = T(0);
    };
    zero(padded, s.top * line);
    padded += s.top * line;
    for (std::size_t h = 0; h < s.height; ++h) {
        zero(padded, s.left * s.channels);
        T* to = padded + s.left * s.channels;
        for (std::size_t i = 0; i < own; ++i) to[i] = x[i];
        zero(to + own, s.right * s.channels);
        x += own;
        padded += line;
    }
    zero(padded, s.bottom * line);
}

template <Finish F, class T, std::size_t LastWidth>
void conv_forward(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y, T floor,
                  T* scratch, std::uint8_t* choice = nullptr)
{
    constexpr bool Pool = F != Finish::store;
    const simd::PanelLayout<T> layout{s.window(), s.group_filters()};
    if constexpr (!Pool)
        if (s.is_product()) return forward<T, LastWidth>(rows * s.out_pixels(), layout, x, w, bias, y, floor);
    const std::size_t y_size = Pool ? s.out_height / 2 * (s.out_width / 2) * s.filters : s.out_size();
    for (std::size_t r = 0; r < rows; ++r) {
        const T* image = x + r * s.in_size();
        if (s.is_padded()) {
            pad_image(s, image, scratch);
            image = scratch;
        }
        for (std::size_t g = 0; g < s.groups; ++g) {
            const T* group_w = w + g * layout.size();
            const T* group_bias = bias == nullptr ? nullptr : bias + g * layout.columns();
            for_each_panel<T, LastWidth>(layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                                     std::size_t width) TENON_LAMBDA_INLINE {
                using P = decltype(pack);
                constexpr std::size_t V = decltype(registers)::value;
                WindowTile<T> tile{};
                set_runs(tile, s);
                tile.x = image + g * s.group_channels();
                tile.w = group_w + offset;
                tile.w_row = width;
                tile.start = group_bias == nullptr ? zero_row<T> : group_bias + n;
                tile.y = y + r * y_size + g * s.group_filters() + n;
                tile.y_row = s.filters;
                tile.columns = smaller(s.group_filters() - n, V * P::size);
                tile.floor = floor;
                if constexpr (F == Finish::choose) tile.choice = choice + (tile.y - y);
                if constexpr (Pool)
                    conv_pool_panel<P, V, F>(s, tile);
                else
                    conv_panel<P, V>(s, tile);
            });
        }
    }
}

// One image of output gradients with stride - 1 zeros between neighbours and the transposed convolution's padding around.
template <class T>
void spread_image(const ConvShape& s, const ConvShape& t, const T* dy, T* padded)
{
    for (std::size_t i = 0; i < t.padded_size(); ++i) padded[i] = T(0);
    for (std::size_t i = 0; i < s.out_height; ++i)
        for (std::size_t j = 0; j < s.out_width; ++j) {
            T* to = padded +
                    ((t.top + i * s.stride_height) * t.padded_width() + t.left + j * s.stride_width) * s.filters;
            for (std::size_t f = 0; f < s.filters; ++f) to[f] = dy[f];
            dy += s.filters;
        }
}

// The kernel turned by half a circle, input and output channels exchanged.
template <class T>
void turn_kernel(const ConvShape& s, const ConvShape& t, const T* w, T* turned)
{
    const std::size_t size = conv_kernel_size<T>(t);
    for (std::size_t i = 0; i < size; ++i) turned[i] = T(0);
    const simd::PanelLayout<T> from{s.window(), s.group_filters()}, to{t.window(), t.group_filters()};
    const std::size_t positions = s.kernel_height * s.kernel_width;
    for (std::size_t g = 0; g < s.groups; ++g)
        for (std::size_t p = 0; p < positions; ++p)
            for (std::size_t f = 0; f < s.group_filters(); ++f) {
                const T* source = w + g * from.size() + from.index(p * s.group_channels(), f);
                const std::size_t panel = f / from.full_width();
                const std::size_t step = panel < from.full_panels() ? from.full_width() : from.last_width();
                const std::size_t k = (positions - 1 - p) * s.group_filters() + f;
                for (std::size_t c = 0; c < s.group_channels(); ++c)
                    turned[g * to.size() + to.index(k, c)] = source[c * step];
            }
}

}  // namespace detail

// Scalars of scratch: forward one padded image; backward also the turned kernel and a spread image, or the padded images
// of one block of the weight gradient.
constexpr std::size_t conv_forward_scratch(const ConvShape& s) { return s.is_padded() ? s.padded_size() : 0; }
template <class T>
constexpr std::size_t conv_backward_scratch(const ConvShape& s)
{
    const std::size_t input = s.transposed().padded_size() + conv_kernel_size<T>(s.transposed());
    const std::size_t weights = s.is_padded() ? conv_gradient_images(s) * s.padded_size() : 0;
    return input < weights ? weights : input;
}

// y = max(floor, bias + x ∗ w), the cross-correlation with zeros around x. LastWidth: of a group's last panel.
template <class T, std::size_t LastWidth>
void conv_forward(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y, T floor,
                  T* scratch)
{
    detail::conv_forward<detail::Finish::store, T, LastWidth>(rows, s, x, w, bias, y, floor, scratch);
}

// The same followed by a 2 × 2 maximum with stride 2; the map before it is never stored. choice gets for each
// pooled value which of its four positions (0, 1 above, 2, 3 below) held it, the first of equals.
template <class T, std::size_t LastWidth>
void conv_pool_forward(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y, T floor,
                       T* scratch)
{
    detail::conv_forward<detail::Finish::largest, T, LastWidth>(rows, s, x, w, bias, y, floor, scratch);
}
template <class T, std::size_t LastWidth>
void conv_pool_forward(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y, T floor,
                       T* scratch, std::uint8_t* choice)
{
    detail::conv_forward<detail::Finish::choose, T, LastWidth>(rows, s, x, w, bias, y, floor, scratch, choice);
}

// dx[i] = Σ over the windows that hold pixel i.   dy (rows, h', w', f), dx (rows, h, w, c). LastWidth: of the transposed
// convolution's last panel.
template <class T, std::size_t LastWidth>
void conv_input_gradient(std::size_t rows, const ConvShape& s, const T* dy, const T* w, T* dx, T* scratch)
{
    const ConvShape t = s.transposed();
    T* const turned = scratch;
    T* const spread = scratch + conv_kernel_size<T>(t);
    detail::turn_kernel(s, t, w, turned);
    // The spread image has its zeros already.
    ConvShape bare = t;
    bare.height = t.padded_height();
    bare.width = t.padded_width();
    bare.top = bare.bottom = bare.left = bare.right = 0;
    for (std::size_t r = 0; r < rows; ++r) {
        detail::spread_image(s, t, dy + r * s.out_size(), spread);
        detail::conv_forward<detail::Finish::store, T, LastWidth>(1, bare, spread, turned, nullptr,
                                                                  dx + r * s.in_size(), detail::no_floor<T>, nullptr);
    }
}

namespace detail {

// The kernel with filters as rows and windows as columns, in panels of its own.
template <class T>
void transpose_kernel(const simd::PanelLayout<T>& from, const simd::PanelLayout<T>& to, const T* w, T* transposed)
{
    constexpr std::size_t B = simd::transpose_side<T>;
    const auto width_at = [](const simd::PanelLayout<T>& layout, std::size_t n) {
        return n / layout.full_width() < layout.full_panels() ? layout.full_width() : layout.last_width();
    };
    if (to.columns() != to.logical) fill(to.size(), T(0), transposed);
    for (std::size_t n = 0; n < from.logical; n += B)
        for (std::size_t k = 0; k < from.rows; k += B) {
            if (n + B <= from.logical && k + B <= from.rows) {
                simd::transpose_block<B>(B, w + from.index(k, n), width_at(from, n), transposed + to.index(n, k),
                                         width_at(to, k));
            } else {
                for (std::size_t j = n; j < n + B && j < from.logical; ++j)
                    for (std::size_t i = k; i < k + B && i < from.rows; ++i)
                        transposed[to.index(j, i)] = w[from.index(i, j)];
            }
        }
}

// Copies the middle of a padded image.
template <class T>
void crop_image(const ConvShape& s, const T* padded, T* x)
{
    const std::size_t line = s.padded_width() * s.channels, own = s.width * s.channels;
    padded += s.top * line + s.left * s.channels;
    for (std::size_t h = 0; h < s.height; ++h) copy(own, padded + h * line, x + h * own);
}

}  // namespace detail

// The same, output by output: the gradients of whole windows, dy · wᵀ, are added up where they lie in the image.
// LastWidth: of the last panel of (f, window); scratch: simd::scatter_scratch.
template <class T, std::size_t LastWidth>
void conv_scatter_gradient(std::size_t rows, const ConvShape& s, const T* dy, const T* w, T* dx, T* scratch)
{
    using namespace detail;
    const std::size_t window = s.window(), images = simd::scatter_images(s);
    const simd::PanelLayout<T> layout{window, s.filters}, transposed{s.filters, window};
    T* const kernel = scratch;
    T* const windows = kernel + transposed.size();
    T* const padded = windows + images * s.out_pixels() * window;
    transpose_kernel(layout, transposed, w, kernel);

    // Runs of a window that are contiguous in the image.
    const bool whole = s.dilation_width == 1;
    const std::size_t run = whole ? s.kernel_width * s.channels : s.channels, runs = whole ? 1 : s.kernel_width;
    const std::size_t line = s.padded_width() * s.channels;
    for (std::size_t r = 0; r < rows; r += images) {
        const std::size_t count = smaller(images, rows - r);
        forward<T, LastWidth>(count * s.out_pixels(), transposed, dy + r * s.out_size(), kernel, nullptr, windows,
                              no_floor<T>);
        const T* values = windows;
        for (std::size_t i = r; i < r + count; ++i) {
            T* const image = s.is_padded() ? padded : dx + i * s.in_size();
            fill(s.padded_size(), T(0), image);
            for (std::size_t h = 0; h < s.out_height; ++h)
                for (std::size_t v = 0; v < s.out_width; ++v)
                    for (std::size_t a = 0; a < s.kernel_height; ++a)
                        for (std::size_t b = 0; b < runs; ++b, values += run)
                            add(run, values,
                                image + (h * s.stride_height + a * s.dilation_height) * line +
                                    (v * s.stride_width + b * s.dilation_width) * s.channels);
            if (s.is_padded()) crop_image(s, static_cast<const T*>(padded), dx + i * s.in_size());
        }
    }
}

// dw[a, b, c, f] = Σ over images and positions of x · dy for the rows [window_begin, window_end) of the kernel matrix, each
// finished vector put once into the sink.
// partial: conv_kernel_size scalars for sums between blocks of images (the gradient's own storage will do).
template <class T, std::size_t LastWidth, bool Exact, class Sink>
void conv_weight_gradient(std::size_t rows, const ConvShape& s, const T* x, const T* dy, Sink sink, T* partial,
                          T* scratch, std::size_t window_begin, std::size_t window_end)
{
    using namespace detail;
    const simd::PanelLayout<T> layout{s.window(), s.group_filters()};
    const std::size_t block = conv_gradient_images(s);
    // Rows of a tile, and within which they may follow one another.
    constexpr std::size_t LastV = last_registers<T, LastWidth>;
    const bool contiguous = s.groups == 1 && s.dilation_width == 1, narrow = layout.full_panels() == 0;
    const std::size_t run = contiguous ? s.kernel_width * s.channels : s.group_channels();
    const bool in_runs = even_rows<T, LastV> && narrow && run > 6;
    const std::size_t most = !narrow || (even_rows<T, LastV> && !in_runs) ? tile_rows<T> : tile_rows<T, LastV>;
    for (std::size_t r = 0; r < rows; r += block) {
        const std::size_t images = smaller(block, rows - r);
        const bool last = r + images == rows;
        const T* image = x + r * s.in_size();
        if (s.is_padded()) {
            for (std::size_t i = 0; i < images; ++i)
                pad_image(s, image + i * s.in_size(), scratch + i * s.padded_size());
            image = scratch;
        }
        for (std::size_t g = 0; g < s.groups; ++g)
            for_each_run(
                in_runs ? run : s.window(), most, window_begin, window_end,
                [&](std::size_t k, std::size_t m) TENON_LAMBDA_INLINE {
                    WindowTile<T> tile{};
                    tile.row_step = 1;
                    for (std::size_t i = 0; i < m; ++i) {
                        const std::size_t c = (k + i) % s.group_channels(), position = (k + i) / s.group_channels();
                        const std::size_t a = position / s.kernel_width, b = position % s.kernel_width;
                        tile.row[i] = (a * s.dilation_height * s.padded_width() + b * s.dilation_width) * s.channels +
                                      c;
                    }
                    tile.x = image + g * s.group_channels();
                    tile.outer = images;
                    tile.outer_step = s.padded_size();
                    tile.inner = s.out_height;
                    tile.inner_step = s.stride_height * s.padded_width() * s.channels;
                    tile.depth = s.out_width;
                    tile.x_depth = s.stride_width * s.channels;
                    tile.w_row = s.filters;
                    tile.floor = no_floor<T>;
                    for_each_panel<T, LastWidth>(
                        layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                    std::size_t width) TENON_LAMBDA_INLINE {
                            using P = decltype(pack);
                            constexpr std::size_t V = decltype(registers)::value, W = P::size;
                            constexpr Reach reach = Exact && V * W == LastWidth ? Reach::exact : Reach::padded;
                            const std::size_t at = g * layout.size() + offset + k * width;
                            tile.w = dy + r * s.out_size() + g * s.group_filters() + n;
                            tile.columns = reach == Reach::exact ? smaller(s.group_filters() - n, V * W) : V * W;
                            alignas(64) T sums[tile_rows<T, V> * V * W];
                            if (r == 0) {
                                tile.start = zero_row<T>;
                                tile.start_row = 0;
                            } else {
                                // Partial sums have whole registers: their padding is zero.
                                for (std::size_t i = 0; i < m; ++i)
                                    for (std::size_t v = 0; v < V * W; ++v)
                                        sums[i * V * W + v] = partial[at + i * width + v];
                                tile.start = sums;
                                tile.start_row = V * W;
                            }
                            tile.y = sums;
                            tile.y_row = V * W;
                            run_window_rows<P, V, reach>(m, tile);
                            for (std::size_t i = 0; i < m; ++i)
                                for (std::size_t v = 0; v < V * W; v += W) {
                                    const P sum = P::load(sums + i * V * W + v);
                                    if (last)
                                        sink.put(at + i * width + v, sum);
                                    else
                                        sum.store(partial + at + i * width + v);
                                }
                        });
                });
    }
}

// dbias[f] = Σ over images and positions of dy.
template <class T, std::size_t LastWidth, class Sink>
void conv_bias_gradient(std::size_t rows, const ConvShape& s, const T* dy, Sink sink)
{
    const simd::PanelLayout<T> layout{1, s.filters};
    detail::bias_gradient<T, LastWidth>(rows * s.out_pixels(), layout, dy, sink);
}

// The same with groups, whose slices are padded one by one: value by value.
template <class T, class Sink>
void conv_group_bias_gradient(std::size_t rows, const ConvShape& s, const T* dy, Sink sink)
{
    const std::size_t columns = simd::PanelLayout<T>{1, s.group_filters()}.columns();
    for (std::size_t g = 0; g < s.groups; ++g)
        for (std::size_t f = 0; f < columns; ++f) {
            T sum = T(0);
            if (f < s.group_filters())
                for (std::size_t p = 0; p < rows * s.out_pixels(); ++p)
                    sum += dy[p * s.filters + g * s.group_filters() + f];
            sink.put(g * columns + f, simd::Pack<T, 1>(sum));
        }
}

// The naive twin, for constant evaluation and tests: the formula as it stands.
// One output: image r, position (i, j), filter f, before the activation.
template <class T>
constexpr T conv_reference_at(const ConvShape& s, const T* x, const T* w, const T* bias, std::size_t r, std::size_t i,
                              std::size_t j, std::size_t f)
{
    const simd::PanelLayout<T> layout{s.window(), s.group_filters()};
    const std::size_t g = f / s.group_filters();
    T sum = bias == nullptr ? T(0) : bias[g * layout.columns() + f % s.group_filters()];
    for (std::size_t a = 0; a < s.kernel_height; ++a)
        for (std::size_t b = 0; b < s.kernel_width; ++b) {
            const std::size_t h = i * s.stride_height + a * s.dilation_height;
            const std::size_t v = j * s.stride_width + b * s.dilation_width;
            if (h < s.top || h - s.top >= s.height || v < s.left || v - s.left >= s.width) continue;
            const T* pixel = x + ((r * s.height + h - s.top) * s.width + v - s.left) * s.channels +
                             g * s.group_channels();
            for (std::size_t c = 0; c < s.group_channels(); ++c)
                sum += pixel[c] * w[conv_kernel_index<T>(s, (a * s.kernel_width + b) * s.group_channels() + c, f)];
        }
    return sum;
}

template <class T, class Epilogue>
constexpr void conv_reference(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y,
                              Epilogue epilogue)
{
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i < s.out_height; ++i)
            for (std::size_t j = 0; j < s.out_width; ++j)
                for (std::size_t f = 0; f < s.filters; ++f)
                    *y++ = epilogue(simd::Pack<T, 1>(conv_reference_at(s, x, w, bias, r, i, j, f))).lanes;
}

// With the maximum of each 2 × 2 block.
template <class T, class Epilogue>
constexpr void conv_pool_reference(std::size_t rows, const ConvShape& s, const T* x, const T* w, const T* bias, T* y,
                                   Epilogue epilogue)
{
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t i = 0; i + 1 < s.out_height; i += 2)
            for (std::size_t j = 0; j + 1 < s.out_width; j += 2)
                for (std::size_t f = 0; f < s.filters; ++f) {
                    T most = conv_reference_at(s, x, w, bias, r, i, j, f);
                    for (std::size_t other = 1; other < 4; ++other) {
                        const T value = conv_reference_at(s, x, w, bias, r, i + other / 2, j + other % 2, f);
                        most = value > most ? value : most;
                    }
                    *y++ = epilogue(simd::Pack<T, 1>(most)).lanes;
                }
}

}  // namespace tenon::inline TENON_ISA::kernels
