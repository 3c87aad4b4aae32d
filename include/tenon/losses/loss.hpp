// SPDX-License-Identifier: BSL-1.0
// What a loss is, and the loop that losses made of independent outputs share.
//
// A loss is a struct with its options and
//     template <class Output, class T, class Target>
//     double operator()(std::size_t rows, const T* y, const Target* target, T* dy, T scale) const;
//   y: (rows, Output), what the network gave;  target: (rows, …), std::int32_t labels or floating-point rows
//   returns Σ over the rows of each row's loss, in double and in the order of the rows;
//   dy: (rows, Output), overwritten with scale · d(row loss)/dy, or null where only the value is wanted.
// A trainer that averages over a batch passes scale = 1 / rows. A row's result never depends on the other rows.
//
// A loss of logits says `static constexpr bool accepts_logits = true`, and which final layer it takes the place of:
//     template <class Layer> static constexpr bool absorbs = std::is_same_v<Layer, Softmax>;
// A network that ends with such a layer is trained and evaluated without it: loss and layer together are cheaper, and
// stable where the composition of the two is not.
//
// A loss that cannot take every shape says so in `template <class Output> struct takes`: `value`, and behind it a
// static_assert with a sentence.
//
// A loss that needs the rows' inputs besides (a teacher's outputs for them, for instance) has, instead of the operator,
//     template <class Input, class Output, class T, class Target>
//     double with_inputs(std::size_t rows, const T* inputs, const T* y, const Target* target, T* dy, T scale,
//                        const Team& team) const;
//   inputs: (rows, Input);  team: threads to share the work with.
//
// A user's own loss is such a struct in any namespace; where each output counts for itself, mean_over_outputs is the loop.
#pragma once

#include <tenon/core/diagnostics.hpp>
#include <tenon/core/shape.hpp>
#include <tenon/kernels/row.hpp>
#include <tenon/parallel/team.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <type_traits>

namespace tenon::inline TENON_ISA {

// Whether the loss takes the place of Layer at the end of a network.
template <class Loss, class Layer>
constexpr bool absorbs()
{
    if constexpr (requires { Loss::template absorbs<Layer>; })
        return Loss::template absorbs<Layer>;
    else
        return false;
}

// Whether the loss takes outputs of that shape; its own static_assert says why not.
template <class Loss, class Output>
constexpr bool takes_output()
{
    if constexpr (requires { typename Loss::template takes<Output>; })
        return checked<typename Loss::template takes<Output>>::value;
    else
        return true;
}

// Σ of the rows' losses: the call operator with its shape named.
template <class Output, class Loss, class T, class Target>
double loss_sum(const Loss& loss, std::size_t rows, const T* y, const Target* target, T* dy = nullptr, T scale = T(1))
{
    return loss.template operator()<Output>(rows, y, target, dy, scale);
}

// The same where the rows' inputs are at hand: a loss that wants them gets them.
template <class Input, class Output, class Loss, class T, class Target>
double loss_sum_with_inputs(const Loss& loss, std::size_t rows, const T* inputs, const T* y, const Target* target, T* dy,
                            T scale, const Team& team)
{
    if constexpr (requires { loss.template with_inputs<Input, Output>(rows, inputs, y, target, dy, scale, team); })
        return loss.template with_inputs<Input, Output>(rows, inputs, y, target, dy, scale, team);
    else
        return loss_sum<Output>(loss, rows, y, target, dy, scale);
}

// One output's loss and its derivative with respect to the output.
template <class V>
struct LossAndSlope {
    V loss, slope;
};

namespace detail {

// Targets in T, whatever type they are kept in: N values from p on, and zeros.
template <class R, class Value, std::size_t N>
TENON_ALWAYS_INLINE typename R::P load_targets(const Value* p, kernels::detail::Lanes<N> lanes)
{
    using T = typename R::P::value_type;
    if constexpr (std::is_same_v<T, Value>)
        return R::load(p, lanes);
    else {
        T values[R::P::size] = {};
        for (std::size_t i = 0; i < N; ++i) values[i] = static_cast<T>(p[i]);
        return R::P::load(values);
    }
}

// How the losses walk a row of `Columns` outputs.
template <class T, std::size_t Columns>
using LossRow = kernels::detail::Row<T, Columns, kernels::detail::row_width<T>(Columns)>;

}  // namespace detail

// Σ over rows of the mean over outputs of f(y, t).loss, with dy = scale / Output::size · f(y, t).slope.
// y: (rows, Output); target: (rows, Output) in any floating-point type; f: two packs to a LossAndSlope, for packs of every
// width. Each row is summed in T, the rows in double. dy == y is allowed.
template <class Output, class T, class Target, class F>
double mean_over_outputs(std::size_t rows, const T* y, const Target* target, T* dy, T scale, const F& f)
{
    constexpr std::size_t size = Output::size;
    using R = detail::LossRow<T, size>;
    using V = typename R::P;
    const V slope_scale = scale / static_cast<T>(size);
    double total = 0;
    for (std::size_t r = 0; r < rows; ++r, y += size, target += size) {
        V sum = T(0);
        R::each([&](std::size_t i, auto lanes) TENON_LAMBDA_INLINE {
            const LossAndSlope<V> each = f(R::load(y + i, lanes), detail::load_targets<R>(target + i, lanes));
            sum += R::inside(each.loss, T(0), lanes);
            if (dy != nullptr) R::store(dy + r * size + i, slope_scale * each.slope, lanes);
        });
        total += static_cast<double>(reduce_add(sum)) / static_cast<double>(size);
    }
    return total;
}

}  // namespace tenon
