// SPDX-License-Identifier: BSL-1.0
// Terms whose options change: with the steps of the training, or from row to row.
#pragma once

#include <tenon/distillation/term.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

// How far a training is, in [0, 1]. Evaluations are at its end.
inline double progress_of(std::uint64_t step, std::uint64_t steps)
{
    return steps == 0 || step >= steps ? 1.0 : static_cast<double>(step) / static_cast<double>(steps);
}

// What wrappers of one term share.
template <class Term>
struct Wrapper {
    static constexpr bool takes_teacher = detail::takes_teacher<Term>();
    static constexpr bool takes_labels = detail::takes_labels<Term>();
    static constexpr bool relates_rows = detail::relates_rows<Term>();
    static constexpr bool accepts_logits = true;
    template <class Layer>
    static constexpr bool absorbs = tenon::absorbs<Term, Layer>();

    template <class Output>
    struct takes {
        static constexpr bool value = takes_output<Term, Output>();
    };
};

}  // namespace detail

// A term whose temperature goes from one value to another over the first `steps` optimiser steps, in equal parts (Jafari et al.
// 2021 go down to 1 epoch by epoch): Annealed{SoftTargets{}, {.from = 10, .to = 1, .steps = 5 * 938}}. For terms with a
// `temperature`; outside a training, as in evaluate, the temperature is `to`.
struct Anneal {
    double from, to;
    std::uint64_t steps;
};
template <class Term>
struct Annealed : detail::Wrapper<Term> {
    Term term;
    Anneal over;

    constexpr Annealed(Term each, Anneal range) : term{each}, over{range} {}

    // The term of a step, counted from 0.
    Term at(std::uint64_t step) const
    {
        Term now = term;
        using Temperature = decltype(now.temperature);
        now.temperature = static_cast<Temperature>(over.from +
                                                   (over.to - over.from) * detail::progress_of(step, over.steps));
        return now;
    }
    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target* target, T* dy, T scale) const
    {
        return at(~std::uint64_t{0}).template operator()<Output>(rows, y, teacher, target, dy, scale);
    }
};

// A term whose weight grows from 0 to 1 over the first `steps` optimiser steps, as Decoupled's authors do over 20 epochs:
// WarmedUp{Decoupled{}, 20 * 938}.
template <class Term>
struct WarmedUp : detail::Wrapper<Term> {
    Term term;
    std::uint64_t steps;
    double weight = 1;

    constexpr WarmedUp(Term each, std::uint64_t over) : term{each}, steps{over} {}

    WarmedUp at(std::uint64_t step) const
    {
        WarmedUp now = *this;
        now.weight = detail::progress_of(step, steps);
        return now;
    }
    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target* target, T* dy, T scale) const
    {
        return weight * term.template operator()<Output>(rows, y, teacher, target, dy,
                                                         static_cast<T>(static_cast<double>(scale) * weight));
    }
};

// A term with a temperature of its own for each row: T_r = 1 + (T - 1) · c_r, c_r the largest of the teacher's probabilities at
// temperature 1. Where the teacher is sure its answer is softened by the whole T, to show what else it thought of; where
// it wavers its answer is soft as it is. For terms of logits with a `temperature` whose rows are independent.
template <class Term>
struct ByConfidence : detail::Wrapper<Term> {
    Term term;

    constexpr explicit ByConfidence(Term each) : term{each} {}

    template <class Output, class T, class Target>
    double operator()(std::size_t rows, const T* y, const T* teacher, const Target* target, T* dy, T scale) const
    {
        static_assert(!detail::relates_rows<Term>(), "tenon: ByConfidence takes a term whose rows are independent.");
        static_assert(Output::rank == 1, "tenon: ByConfidence takes one row of logits: put Flatten before it.");
        constexpr std::size_t C = Output::size;
        detail::Scratch<T> memory{2 * C};
        double total = 0;
        for (std::size_t r = 0; r < rows; ++r) {
            const detail::SoftRow<C, T> row{teacher + r * C, T(1), memory.data()};
            // exp(0) over the sum.
            const double sure = std::exp(-static_cast<double>(row.sum().log_sum));
            Term own = term;
            using Temperature = decltype(own.temperature);
            own.temperature = static_cast<Temperature>(1 + (static_cast<double>(term.temperature) - 1) * sure);
            total += own.template operator()<Output>(1, y + r * C, teacher + r * C,
                                                     target == nullptr ? nullptr : target + r,
                                                     dy == nullptr ? nullptr : dy + r * C, scale);
        }
        return total;
    }
};

}  // namespace tenon::inline TENON_ISA::distillation
