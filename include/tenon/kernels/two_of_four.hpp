// SPDX-License-Identifier: BSL-1.0
//
// One row times a matrix of which each output has at most two weights among four neighbouring inputs (2:4).
//
// A register of outputs takes two steps for each four inputs, which a permutation within 128 bits brings to its lanes; two bits
// say which. So half of the values are read, and a sixteenth of their bytes beside.
#pragma once

#include <tenon/config.hpp>
#include <tenon/kernels/activations.hpp>
#include <tenon/simd/lookup.hpp>

#include <cstddef>
#include <cstdint>

namespace tenon::inline TENON_ISA::kernels {

// Whether a matrix of K inputs may have this form.
template <class T>
constexpr bool fours_fit(std::size_t inputs)
{
    return simd::permutes_fours<T> && inputs % 4 == 0;
}

template <class T>
struct FourMatrix {
    static constexpr std::size_t lanes = simd::width<T>;

    const T* values;  // (panels, K / 4, 2, lanes)
    const std::uint32_t*
        places;     // (panels, ⌈K / 32⌉, lanes): two bits for each value of 8 · 4 inputs, the first ones lowest
    const T* bias;  // (panels, lanes)
};
template <class T>
constexpr std::size_t four_values(std::size_t inputs, std::size_t panels)
{
    return panels * inputs / 2 * FourMatrix<T>::lanes;
}
template <class T>
constexpr std::size_t four_words(std::size_t inputs, std::size_t panels)
{
    return panels * ((inputs + 31) / 32) * FourMatrix<T>::lanes;
}

// Whether weight(k, n) of a (K, N) matrix has the pattern.
template <class Weight>
constexpr bool is_two_of_four(std::size_t inputs, std::size_t outputs, Weight weight)
{
    for (std::size_t n = 0; n < outputs; ++n)
        for (std::size_t k = 0; k < inputs; k += 4) {
            std::size_t some = 0;
            for (std::size_t i = k; i < k + 4 && i < inputs; ++i) some += weight(i, n) == 0 ? 0 : 1;
            if (some > 2) return false;
        }
    return true;
}

// Fills in values and places, all zero before.
template <class T, class Weight>
constexpr void fill_fours(std::size_t inputs, std::size_t outputs, Weight weight, T* values, std::uint32_t* places)
{
    constexpr std::size_t W = FourMatrix<T>::lanes;
    for (std::size_t n = 0; n < outputs; ++n)
        for (std::size_t k = 0; k < inputs; k += 4) {
            std::size_t next = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                if (weight(k + i, n) == 0) continue;
                values[(n / W * inputs / 2 + k / 2 + next) * W + n % W] = weight(k + i, n);
                places[(n / W * ((inputs + 31) / 32) + k / 32) * W + n % W] |= static_cast<std::uint32_t>(i)
                                                                               << (k % 32 + 2 * next);
                ++next;
            }
        }
}

// y[n] = f(bias[n] + Σ_k x[k] · w[k, n]) with f = epilogue, called on packs. Four sums, because each waits for its last product.
template <class T, std::size_t K, std::size_t N, class Epilogue = Identity>
TENON_NOINLINE void four_gemv(const T* x, const FourMatrix<T>& w, T* y, Epilogue epilogue = {})
{
    constexpr std::size_t W = FourMatrix<T>::lanes;
    using P = simd::Pack<T, W>;
    const T* values = w.values;
    const std::uint32_t* words = w.places;
    for (std::size_t panel = 0; panel * W < N; ++panel) {
        P sum[4] = {P::load(w.bias + panel * W), T(0), T(0), T(0)};
        for (std::size_t k = 0; k < K; k += 32, words += W) {
            simd::FourPlaces<T> places{words};
            const auto add = [&](const T* four, P& first, P& second) TENON_LAMBDA_INLINE {
                const simd::Four<T> from{four};
                first = fma(places.choose(from), P::load(values), first);
                places.next();
                second = fma(places.choose(from), P::load(values + W), second);
                places.next();
                values += 2 * W;
            };
            if (k + 32 <= K) {
                TENON_UNROLL
                for (std::size_t i = 0; i < 8; ++i) add(x + k + 4 * i, sum[i % 2 * 2], sum[i % 2 * 2 + 1]);
            } else {
                for (std::size_t i = k; i < K; i += 4) add(x + i, sum[0], sum[1]);
            }
        }
        const P result = epilogue((sum[0] + sum[1]) + (sum[2] + sum[3]));
        if ((panel + 1) * W <= N)
            result.store(y + panel * W);
        else
            result.store_partial(y + panel * W, N % W);
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
