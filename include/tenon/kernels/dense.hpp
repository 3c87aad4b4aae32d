// SPDX-License-Identifier: BSL-1.0
//
// The Dense layer's kernels: forward with its activation, gradient by the input, gradient by the parameters.
//
// Layouts: x (rows, K), y (rows, N), dx and dy alike are row-major without padding and need no alignment; nothing outside
// them is read or written. The kernel w (K, N) lies in panels (simd/panels.hpp); the bias has as many scalars as the
// panels have columns, padding included. Padding of w and of the bias may hold anything finite in the forward pass; its
// gradient is 0.
//
// Results do not depend on how rows are split among calls, except that a call with one row may sum in another order.
#pragma once

#include <tenon/config.hpp>
#include <tenon/kernels/activations.hpp>
#include <tenon/kernels/gemm.hpp>
#include <tenon/kernels/gemv.hpp>
#include <tenon/kernels/reference/dense.hpp>
#include <tenon/simd/panels.hpp>

#include <cstddef>
#include <type_traits>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// Epilogues that the tile applies by itself.
template <class Epilogue>
inline constexpr bool is_floor = std::is_same_v<Epilogue, Identity> || std::is_same_v<Epilogue, ReLU>;

template <class T, class Epilogue>
void apply_in_place(std::size_t count, T* y, const Epilogue& epilogue)
{
    using P = simd::Pack<T, simd::width<T>>;
    std::size_t i = 0;
    for (; i + P::size <= count; i += P::size) epilogue(P::load(y + i)).store(y + i);
    if (i < count) epilogue(P::load_partial(y + i, count - i)).store_partial(y + i, count - i);
}

// Several rows, extents as values. Activations other than ReLU take a second look at the block just written, while it is
// in the cache: inside the tile they would be compiled for each of its shapes, and spill its sums.
template <class T, std::size_t LastWidth, class S, class Epilogue>
void forward_rows(std::size_t rows, simd::PanelLayout<T> layout, const T* x, const S* w, const S* bias, T* y,
                  const Epilogue& epilogue)
{
    if constexpr (is_floor<Epilogue>) {
        const T floor = std::is_same_v<Epilogue, ReLU> ? T(0) : no_floor<T>;
        forward<T, LastWidth>(rows, layout, x, w, bias, y, floor);
    } else {
        const std::size_t K = layout.rows, N = layout.logical;
        const std::size_t fitting = 64 * 1024 / sizeof(T) / N;
        const std::size_t block = fitting < 12 ? 12 : fitting > 192 ? 192 : fitting / 6 * 6;
        for (std::size_t r = 0; r < rows; r += block) {
            const std::size_t count = smaller(block, rows - r);
            forward<T, LastWidth>(count, layout, x + r * K, w, bias, y + r * N, no_floor<T>);
            apply_in_place(count * N, y + r * N, epilogue);
        }
    }
}

}  // namespace detail

// y[r, n] = f(bias[n] + Σ_k x[r, k] · w[k, n]) with f = epilogue, called on packs; bias may be null. w and the bias may be
// stored in 16 bits (S): they become floats on their way into registers.
template <class T, std::size_t K, std::size_t N, class Epilogue = Identity, class S>
TENON_ALWAYS_INLINE constexpr void dense_forward(std::size_t rows, const T* x, const S* w,
                                                 const std::type_identity_t<S>* bias, T* y, Epilogue epilogue = {})
{
    using L = simd::Panels<T, K, N>;
    if (std::is_constant_evaluated())
        reference::dense_forward(rows, L::layout, x, w, bias, y, epilogue);
    else if (rows == 1)
        detail::gemv<T, K, N>(x, w, bias, y, epilogue);
    else
        detail::forward_rows<T, L::last_width>(rows, L::layout, x, w, bias, y, epilogue);
}

// dx[r, k] = Σ_n dy[r, n] · w[k, n].
template <class T, std::size_t K, std::size_t N>
TENON_ALWAYS_INLINE void dense_input_gradient(std::size_t rows, const T* dy, const T* w, T* dx)
{
    constexpr std::size_t rest = K % simd::panel_width<T>;
    detail::input_gradient<T, (rest + simd::width<T> - 1) / simd::width<T>>(rows, simd::Panels<T, K, N>::layout, dy, w,
                                                                            dx);
}

// dw[k, n] = Σ_r x[r, k] · dy[r, n] for k_begin <= k < k_end, and dbias[n] = Σ_r dy[r, n] if k_begin is 0: ranges of k
// split the work among threads and change no bit. Each pack goes once to put(offset, pack) of its sink (gemm.hpp has
// Store, Accumulate and Ignore), offsets counting scalars of the slot in its layout.
template <class T, std::size_t K, std::size_t N, class KernelSink, class BiasSink>
TENON_ALWAYS_INLINE void dense_weight_gradient(std::size_t rows, const T* x, const T* dy, KernelSink kernel_sink,
                                               BiasSink bias_sink, std::size_t k_begin = 0, std::size_t k_end = K)
{
    using L = simd::Panels<T, K, N>;
    constexpr bool exact = L::rest != L::last_width;
    if constexpr (!std::is_same_v<KernelSink, Ignore>)
        detail::weight_gradient<T, L::last_width, exact>(rows, L::layout, x, dy, kernel_sink, k_begin, k_end);
    if constexpr (!std::is_same_v<BiasSink, Ignore>)
        if (k_begin == 0) detail::bias_gradient<T, L::last_width>(rows, L::layout, dy, bias_sink);
}

}  // namespace tenon::inline TENON_ISA::kernels
