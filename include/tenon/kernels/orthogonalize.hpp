// SPDX-License-Identifier: BSL-1.0
//
// Orthogonalisation of a matrix in panels (simd/panels.hpp) by Newton-Schulz: with x = U S Vᵀ, nearly U Vᵀ.
//
// X₀ = x / (|x|_F + 1e-7), and five times X ← (a I + b A + c A²) X with A = X Xᵀ and X the wider than tall one of x and xᵀ. The
// coefficients (Jordan et al. 2024) are chosen for speed and not for a fixed point at 1: singular values of X₀ from 0.0015 on
// end between 0.68 and 1.21, smaller ones are multiplied by up to 485.
//
// All Aₖ are polynomials of A₀, so they commute, and the iteration needs the small matrices only:
//     Pₖ = a I + b Aₖ + c Aₖ²     Qₖ₊₁ = Pₖ Qₖ     Aₖ₊₁ = Pₖ Aₖ Pₖ     and at the end X₅ = Q₅ X₀
// With x (m, n), n <= m: 17 products of n³ and two of m n² instead of five and ten, and all but the last are symmetric, of which
// little more than half is computed. For 784 × 128 these are 40 million multiply-adds instead of 139, for 128 × 128 23 instead of
// 31: 0.4 ms and 0.25 ms (Zen 5, AVX-512; bench/kernels/orthogonalize).
//
// Error: in float at most 4e-5 in any element against the iteration with X in double, for random matrices with up to 65 columns
// (7e-14 in double). The products must be symmetric to the last bit: with both halves computed, rounded differently, it was 0.007,
// and 0.06 for a matrix of rank 1.
//
// Order of summation: as in gemm.hpp, each element of a product is one chain over the whole depth. Any split of the rows among
// threads gives the same bits.
#pragma once

#include <tenon/kernels/gemm.hpp>
#include <tenon/kernels/reference/orthogonalize.hpp>
#include <tenon/parallel/team.hpp>

#include <utility>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// a, b, c.
template <class T>
inline constexpr T newton_schulz[3] = {T(3.4445), T(-4.7750), T(2.0315)};

// Rows of a product that are one thread's at a time. They lie within a panel.
template <class T>
inline constexpr std::size_t product_rows = simd::width<T> == 1 || simd::panel_width<T> > 16 ? 16
                                                                                             : simd::panel_width<T>;

// f(first, end) for the rows of a product. Threads are for those that take more than some microseconds.
template <class T, class F>
void each_rows(const Team& team, std::size_t rows, std::size_t multiplications, F&& f)
{
    constexpr std::size_t step = product_rows<T>;
    const Team alone{};
    (multiplications < 400'000 ? alone : team).each((rows + step - 1) / step, [&](std::size_t part) {
        f(part * step, smaller(rows, (part + 1) * step));
    });
}

// Columns of a matrix in panels, from column n on to the end of its panel: those of row 0, and how far the next row is.
template <class T>
struct PanelColumns {
    std::size_t at, row;

    PanelColumns(simd::PanelLayout<T> layout, std::size_t n)
        : at{layout.index(0, n)},
          row{n / layout.full_width() < layout.full_panels() ? layout.full_width() : layout.last_width()}
    {}
};

// c[j, i] = c[i, j] for first <= i < end and `count` columns j of one panel from n >= end on.
template <class T>
void mirror(simd::PanelLayout<T> layout, T* c, std::size_t first, std::size_t end, std::size_t n, std::size_t count)
{
    constexpr std::size_t B = simd::transpose_side<T>;
    const PanelColumns<T> from{layout, n}, to{layout, first};
    const T* source = c + from.at + first * from.row;
    T* target = c + to.at + n * to.row;
    for (std::size_t i = 0; i < end - first; i += B) {
        std::size_t j = 0;
        for (; j + B <= count; j += B)
            simd::transpose_block<B>(B, source + i * from.row + j, from.row, target + j * to.row + i, to.row);
        for (; j < count; ++j)
            for (std::size_t k = i; k < i + B; ++k) target[j * to.row + k] = source[k * from.row + j];
    }
}

// What is above the diagonal, below it, within rows and columns [first, end), which lie in one panel.
template <class T>
void mirror_own(simd::PanelLayout<T> layout, T* c, std::size_t first, std::size_t end)
{
    const PanelColumns<T> own{layout, first};
    T* block = c + own.at + first * own.row;
    for (std::size_t i = 0; i < end - first; ++i)
        for (std::size_t j = i + 1; j < end - first; ++j) block[j * own.row + i] = block[i * own.row + j];
}

// c[i, j] = f(place, Σ_k z[k, i] · y[k, j]) for first <= i < end.   z: (depth, P), y: (depth, Q), c: (P, Q), all in panels
// f is called on packs, with their place in c. Symmetric, for a c that is: only the panels and registers that reach j >= i are summed,
// and the half below is copied, to be equal to the last bit: a difference would grow twelvefold with each iteration.
template <class T, std::size_t LastWidth, bool Symmetric, class F>
void transposed_product(simd::PanelLayout<T> z_layout, const T* z, simd::PanelLayout<T> y_layout, const T* y, T* c,
                        std::size_t first, std::size_t end, F f)
{
    const std::size_t depth = y_layout.rows;
    const simd::PanelLayout<T> layout{z_layout.logical, y_layout.logical};
    const PanelColumns<T> rows{z_layout, first};
    for_each_panel<T, LastWidth>(layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                             std::size_t width) TENON_LAMBDA_INLINE {
        using P = decltype(pack);
        constexpr std::size_t All = decltype(registers)::value, W = P::size;
        if (Symmetric && n + All * W <= first) return;
        const std::size_t y_at = PanelColumns<T>{y_layout, n}.at;
        // The last V registers of the panel.
        const auto product = [&]<std::size_t V>(Registers<V>) TENON_LAMBDA_INLINE {
            constexpr std::size_t skipped = (All - V) * W;
            const Panel<T> panel{depth, 1, rows.row, y + y_at + skipped, width, 0, width, V * W, no_floor<T>};
            T* own = c + offset + first * width + skipped;
            run_panel<P, V>(split_rows<T, V>(end - first), panel, z + rows.at, zero_row<T>, own);
            for (std::size_t i = 0; i < end - first; ++i)
                for (std::size_t v = 0; v < V; ++v) {
                    T* at = own + i * width + v * W;
                    f(static_cast<std::size_t>(at - c), P::load(at)).store(at);
                }
        };
        constexpr std::size_t step = product_rows<T> / W;
        if constexpr (Symmetric && step < All) {
            const std::size_t skipped = first < n ? 0 : first - n;
            const auto choose = [&]<std::size_t... I>(std::index_sequence<I...>) TENON_LAMBDA_INLINE
            {
                ((skipped == I * product_rows<T> ? product(Registers<All - I * step>{}) : void()), ...);
            };
            choose(std::make_index_sequence<(All - 1) / step + 1>{});
        } else {
            product(registers);
        }
        const std::size_t beside = n < end ? end : n, stop = smaller(layout.logical, n + All * W);
        if (Symmetric && beside < stop) mirror(layout, c, first, end, beside, stop - beside);
    });
    if (Symmetric) mirror_own(layout, c, first, end);
}

// y[r, j] = Σ_k x[r, k] · w[k, j] for first <= r < end.   x, y: (rows, N), w: (N, N), all in panels
template <class T, std::size_t LastWidth>
void panel_product(simd::PanelLayout<T> layout, const T* x, const T* w, T* y, std::size_t first, std::size_t end)
{
    const std::size_t N = layout.logical;
    for_each_panel<T, LastWidth>(layout, [&](auto pack, auto registers, std::size_t n, std::size_t offset,
                                             std::size_t width) TENON_LAMBDA_INLINE {
        using P = decltype(pack);
        constexpr std::size_t V = decltype(registers)::value, W = P::size;
        const T* columns = w + PanelColumns<T>{{N, N}, n}.at;
        T* own = y + offset + first * width;
        for (std::size_t k = 0; k < N; k += layout.full_width()) {
            const PanelColumns<T> part{layout, k};
            const std::size_t depth = smaller(N - k, layout.full_width()), start_row = k == 0 ? 0 : width;
            const Panel<T> panel{depth, part.row, 1, columns + k * width, width, start_row, width, V * W, no_floor<T>};
            run_panel<P, V>(split_rows<T, V>(end - first), panel, x + part.at + first * part.row,
                            k == 0 ? zero_row<T> : own, own);
        }
    });
}

// to[n, k] = from[k, n] for first <= n < end.   from: (K, N), to: (N, K), both in panels
template <class T>
void transpose(simd::PanelLayout<T> layout, const T* from, T* to, std::size_t first, std::size_t end)
{
    constexpr std::size_t B = simd::transpose_side<T>;
    const simd::PanelLayout<T> transposed{layout.logical, layout.rows};
    const PanelColumns<T> source{layout, first};
    for (std::size_t k = 0; k < layout.rows; k += B) {
        const PanelColumns<T> target{transposed, k};
        const std::size_t rows = smaller(B, layout.rows - k);
        const T* in = from + source.at + k * source.row;
        T* out = to + target.at + first * target.row;
        std::size_t n = 0;
        if (rows == B)
            for (; n + B <= end - first; n += B)
                simd::transpose_block<B>(B, in + n, source.row, out + n * target.row, target.row);
        for (; n < end - first; ++n)
            for (std::size_t i = 0; i < rows; ++i) out[n * target.row + i] = in[i * source.row + n];
    }
}

// A block's size in whole cache lines.
template <class T>
constexpr std::size_t whole_lines(std::size_t size)
{
    constexpr std::size_t line = 64 / sizeof(T);
    return (size + line - 1) / line * line;
}

// LastSmall: the last panel's width of (n, n), n being the smaller side; LastColumns: of x.
template <class T, std::size_t LastSmall, std::size_t LastColumns>
void orthogonalize(const Team& team, simd::PanelLayout<T> layout, const T* x, T* y, T* workspace)
{
    constexpr int iterations = 5;
    const bool wide = layout.rows < layout.logical;
    const std::size_t n = wide ? layout.rows : layout.logical, m = wide ? layout.logical : layout.rows;
    const simd::PanelLayout<T> square{n, n}, tall{m, n};
    const std::size_t size = square.size(), place = whole_lines<T>(size);
    T *A = workspace, *B = A + place, *Q = B + place, *other = Q + place;

    const auto symmetric = [&](simd::PanelLayout<T> from, const T* z, const T* w, T* to, auto f) {
        each_rows<T>(team, n, n * n / 2 * from.rows, [&](std::size_t first, std::size_t end) {
            transposed_product<T, LastSmall, true>(from, z, from, w, to, first, end, f);
        });
    };
    const auto plain = [](std::size_t, auto sum) TENON_LAMBDA_INLINE { return sum; };
    const auto multiply = [&](T* matrix, T factor) {
        using Pack = simd::Pack<T, simd::width<T>>;
        std::size_t i = 0;
        for (; i + Pack::size <= size; i += Pack::size) (Pack(factor) * Pack::load(matrix + i)).store(matrix + i);
        if (i < size) (Pack(factor) * Pack::load_partial(matrix + i, size - i)).store_partial(matrix + i, size - i);
    };

    const T* columns = x;
    if (wide) {
        T* transposed = other + place;
        for (std::size_t i = tall.full_panels() * tall.full_width() * m; i < tall.size(); ++i) transposed[i] = T(0);
        each_rows<T>(team, m, m * n,
                     [&](std::size_t first, std::size_t end) { transpose(layout, x, transposed, first, end); });
        columns = transposed;
    }
    symmetric(tall, columns, columns, A, plain);
    double squares = 0;  // |x|² is the trace
    for (std::size_t i = 0; i < n; ++i) squares += static_cast<double>(A[square.index(i, i)]);
    const double scale = 1 / (__builtin_sqrt(squares) + 1e-7);
    multiply(A, static_cast<T>(scale * scale));

    for (int iteration = 0; iteration < iterations; ++iteration) {
        T* polynomial = iteration == 0 ? Q : B;
        symmetric(square, A, A, polynomial, [A](std::size_t at, auto sum) TENON_LAMBDA_INLINE {
            using Pack = decltype(sum);
            return fma(Pack(newton_schulz<T>[2]), sum, Pack(newton_schulz<T>[1]) * Pack::load(A + at));
        });
        for (std::size_t i = 0; i < n; ++i) polynomial[square.index(i, i)] += newton_schulz<T>[0];
        if (iteration > 0) {
            symmetric(square, polynomial, Q, other, plain);
            T* before = Q;
            Q = other;
            other = before;
        }
        if (iteration + 1 < iterations) {
            symmetric(square, polynomial, A, other, plain);
            symmetric(square, other, polynomial, A, plain);
        }
    }
    multiply(Q, static_cast<T>(scale));
    each_rows<T>(team, layout.rows, n * n * m, [&](std::size_t first, std::size_t end) {
        if (wide)
            transposed_product<T, LastColumns, false>(square, Q, layout, x, y, first, end, plain);
        else
            panel_product<T, LastColumns>(layout, x, Q, y, first, end);
    });
}

}  // namespace detail

// Scalars that orthogonalize needs to work on.
template <class T, std::size_t K, std::size_t N>
inline constexpr std::size_t orthogonalize_workspace = [] {
    constexpr std::size_t n = K < N ? K : N;
    return 4 * detail::whole_lines<T>(simd::Panels<T, n, n>::size) + (K < N ? simd::Panels<T, N, K>::size : 0);
}();

// y: x with its singular values near 1.   x, y: (K, N) in panels, padding 0; workspace on a cache line.
template <class T, std::size_t K, std::size_t N>
void orthogonalize(const Team& team, const T* x, T* y, T* workspace)
{
    constexpr std::size_t n = K < N ? K : N;
    detail::orthogonalize<T, simd::Panels<T, n, n>::last_width, simd::Panels<T, K, N>::last_width>(
        team, simd::Panels<T, K, N>::layout, x, y, workspace);
}

}  // namespace tenon::inline TENON_ISA::kernels
