// SPDX-License-Identifier: BSL-1.0
//
// One row times a matrix whose zeros are not there.
//
// The outputs are dealt out to panels of one register each; a panel is a list of steps, and in a step each of its outputs
// takes at most one input, all within a window of a few dozen inputs, so that a permutation of two registers brings them to
// their lanes. Each output goes through its own inputs in order and waits only where the window would leave another behind:
// with 90 % random zeros 64 % of the lanes have work, and a step is a load of weights, one permutation and one multiply-add.
// Tried and left: a gather in the place of the permutation, whole registers of weights skipped where all are zero (18 % of
// them at 90 %), weights packed behind a bit mask for each register (as many steps as the dense kernel).
#pragma once

#include <tenon/config.hpp>
#include <tenon/kernels/activations.hpp>
#include <tenon/simd/lookup.hpp>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon::inline TENON_ISA::kernels {

// From which share of zeros on a layer is faster without them, for one row. Measured with 784 → 128, whose weights come from the
// second-level cache, and 128 → 64, where they are at hand (docs/guide/pruning.md): equal at 66 and 76 % with AVX-512, 78 and
// 82 % with AVX2, 84 and 87 % with SSE2, whose lanes are filled one by one (as NEON's, which was not measured), 67 and 76 %
// without SIMD.
template <class T>
inline constexpr double sparse_pays_from = simd::width<T> == 1                ? 0.8
                                           : !simd::lookup_reads_window<T>    ? 0.88
                                           : sizeof(T) * simd::width<T> == 64 ? 0.8
                                                                              : 0.85;

// The same for weights in flash of a processor without vectors: instructions are as many at 62 % with a Cortex-M4F, at fewer
// without a floating-point unit; bytes at 33 % (784 → 128, emulated).
inline constexpr double sparse_pays_from_flash = 0.7;

// Outputs of one panel.
template <class T>
inline constexpr std::size_t sparse_lanes = simd::width<T>;

// Whether a matrix of K inputs has this form: its windows lie within a row, and their starts in 16 bits.
template <class T>
constexpr bool sparse_fits(std::size_t inputs)
{
    return inputs <= 65536 && (!simd::lookup_reads_window<T> || inputs >= simd::lookup_window<T>);
}

template <class T>
struct SparseMatrix {
    const T* values;             // (steps, lanes)
    const std::uint8_t* places;  // (steps, lanes): of the inputs within the window; not read where there is one lane
    const std::uint16_t* first;  // (steps): where the window starts
    const std::uint32_t* ends;   // (panels): steps up to the end of each
    const T* bias;               // (panels, lanes)
    // Not null: at most two weights of each four inputs, in the form of kernels::FourMatrix, with these places.
    const std::uint32_t* fours = nullptr;
};

// Goes through the steps of a (K, N) matrix: sink.begin(first), sink.put(lane, place, k, n) for each weight that is not zero,
// sink.end() after each panel. weight(k, n)
template <class T, class Weight, class Sink>
constexpr void each_sparse_step(std::size_t inputs, std::size_t outputs, Weight weight, Sink&& sink)
{
    constexpr std::size_t W = sparse_lanes<T>, window = simd::lookup_window<T>;
    for (std::size_t panel = 0; panel < outputs; panel += W) {
        const std::size_t lanes = outputs - panel < W ? outputs - panel : W;
        const auto next = [&](std::size_t k, std::size_t lane) {
            while (k < inputs && weight(k, panel + lane) == 0) ++k;
            return k;
        };
        std::size_t at[W] = {};  // each lane's next input
        for (std::size_t lane = 0; lane < lanes; ++lane) at[lane] = next(0, lane);
        for (;;) {
            std::size_t first = inputs;
            for (std::size_t lane = 0; lane < lanes; ++lane) first = at[lane] < first ? at[lane] : first;
            if (first == inputs) break;
            if constexpr (simd::lookup_reads_window<T>) {
                first -= first % W;  // whole registers, as far as the row is aligned
                if (first > inputs - window) first = inputs - window;
            }
            sink.begin(first);
            for (std::size_t lane = 0; lane < lanes; ++lane)
                if (at[lane] < inputs && at[lane] < first + window) {
                    sink.put(lane, at[lane] - first, at[lane], panel + lane);
                    at[lane] = next(at[lane] + 1, lane);
                }
        }
        sink.end();
    }
}

// The number of steps, before there is memory for them.
struct CountSparseSteps {
    std::size_t steps = 0;

    constexpr void begin(std::size_t) { ++steps; }
    constexpr void put(std::size_t, std::size_t, std::size_t, std::size_t) {}
    constexpr void end() {}
};

// Fills in the arrays of a SparseMatrix, all zero before.
template <class T, class Weight>
struct FillSparseSteps {
    Weight weight;
    T* values;
    std::uint8_t* places;
    std::uint16_t* first;
    std::uint32_t* ends;
    std::size_t steps = 0, panels = 0;

    constexpr void begin(std::size_t start) { first[steps++] = static_cast<std::uint16_t>(start); }
    constexpr void put(std::size_t lane, std::size_t place, std::size_t k, std::size_t n)
    {
        values[(steps - 1) * sparse_lanes<T> + lane] = weight(k, n);
        // Of one lane a window starts where its input is.
        if constexpr (sparse_lanes < T >> 1)
            places[(steps - 1) * sparse_lanes<T> + lane] = static_cast<std::uint8_t>(place);
    }
    constexpr void end() { ends[panels++] = static_cast<std::uint32_t>(steps); }
};

namespace detail {

// In the order of the steps, one value after the other.
template <class T, std::size_t N, class Epilogue>
constexpr void sparse_gemv_reference(const T* x, const SparseMatrix<T>& w, T* y, Epilogue epilogue)
{
    constexpr std::size_t W = sparse_lanes<T>;
    for (std::size_t n = 0; n < N; ++n) {
        T sum = w.bias[n];
        for (std::size_t s = n < W ? 0 : w.ends[n / W - 1]; s < w.ends[n / W]; ++s)
            sum += w.values[s * W + n % W] * x[w.first[s] + (W == 1 ? 0u : w.places[s * W + n % W])];
        y[n] = epilogue(simd::Pack<T, 1>(sum)).lanes;
    }
}

}  // namespace detail

// y[n] = f(bias[n] + Σ_k x[k] · w[k, n]) with f = epilogue, called on packs.
template <class T, std::size_t N, class Epilogue = Identity>
constexpr void sparse_gemv(const T* x, const SparseMatrix<T>& w, T* y, Epilogue epilogue = {})
{
    constexpr std::size_t W = sparse_lanes<T>;
    using P = simd::Pack<T, W>;
    if (std::is_constant_evaluated()) {
        detail::sparse_gemv_reference<T, N>(x, w, y, epilogue);
    } else {
        std::size_t step = 0;
        for (std::size_t panel = 0; panel * W < N; ++panel) {
            P sum[4] = {P::load(w.bias + panel * W), T(0), T(0), T(0)};
            const auto add = [&](std::size_t s, P& to) TENON_LAMBDA_INLINE {
                P from;
                if constexpr (W == 1)
                    from = P(x[w.first[s]]);
                else
                    from = simd::lookup(x + w.first[s], w.places + s * W);
                to = fma(from, P::load(w.values + s * W), to);
            };
            const std::size_t end = w.ends[panel];
            for (; step + 4 <= end; step += 4) {
                TENON_UNROLL
                for (std::size_t i = 0; i < 4; ++i) add(step + i, sum[i]);
            }
            for (; step < end; ++step) add(step, sum[0]);
            const P result = epilogue((sum[0] + sum[1]) + (sum[2] + sum[3]));
            if ((panel + 1) * W <= N)
                result.store(y + panel * W);
            else
                result.store_partial(y + panel * W, N % W);
        }
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
