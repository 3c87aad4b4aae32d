// SPDX-License-Identifier: BSL-1.0
// Losses that keep something through a training: values that learn along, what they look at behind inner layers, the sums of
// their parts. A loss that has nothing of it costs nothing here.
//
// Such a loss has, besides what losses/loss.hpp asks for,
//     template <class C> using taps = std::index_sequence<…>;
//         behind which layers of C, the network as written up to what the loss takes, it looks (network/taps.hpp);
//     template <class C, class P> struct fits;
//         `value`: whether all of that is possible; behind it a static_assert with a sentence;
//     template <class C, class P> class state;
//         made by each trainer anew, with
//         static constexpr bool learns;      whether it has values that learn
//         template <class Target> double loss(const Loss& loss, const LossRows<T>& rows, const Target* target, T* dy, T scale);
//             as the loss's own operator; what it learns takes its gradient here;
//         T* const* gradients();     at [I], what the last call adds to the gradient behind layer I; or null
//         template <class Optimizer> void update(const Team&, const Optimizer&, std::uint64_t t, double factor);
//             the t-th step of what it learns;
//         void each_learned(f);      f(name, value, gradient) for each value that it learns;
//         void keep(State&);         what a checkpoint has to keep;
//         std::vector<LossPart> parts(bool restart);     mean values since the last restart.
#pragma once

#include <tenon/training/history.hpp>
#include <tenon/training/state.hpp>
#include <tenon/training/training_chain.hpp>

#include <cstdint>
#include <vector>

namespace tenon::inline TENON_ISA {

// The rows of one call, and what is known of them.
template <class T>
struct LossRows {
    std::size_t rows;
    const T* inputs;                   // (rows, input)
    const T* outputs;                  // (rows, output), the network's
    const T* const* tapped = nullptr;  // at [I], (rows, shape behind layer I), where the loss taps
    Team team = {};
    std::size_t target_stride = 1;           // targets of one row
    const float* weights = nullptr;          // (rows), what each row's loss is multiplied with; null: 1
    const void* dataset = nullptr;           // where the rows come from; null: not known
    const std::uint32_t* numbers = nullptr;  // (rows), their numbers in it
    bool first = true;                       // of the batches that make one step
};

namespace detail {

template <class Loss, class C, class P>
concept KeepsState = C::valid && requires
{
    typename Loss::template state<C, P>;
};

template <class Loss, class C, class P>
constexpr bool loss_state_fits()
{
    if constexpr (C::valid && requires { typename Loss::template fits<C, P>; })
        return checked<typename Loss::template fits<C, P>>::value;
    else
        return true;
}

// For every other loss.
template <class Loss, class C, class P>
class LossState {
public:
    using T = typename P::scalar;
    static constexpr bool keeps = false;
    static constexpr bool learns = false;

    template <class Target>
    double loss(const Loss& loss, const LossRows<T>& rows, const Target* target, T* dy, T scale)
    {
        using Input = typename C::input;
        using Output = typename C::output;
        if (rows.weights == nullptr)
            return loss_sum_with_inputs<Input, Output>(loss, rows.rows, rows.inputs, rows.outputs, target, dy, scale,
                                                       rows.team);
        double total = 0;
        for (std::size_t r = 0; r < rows.rows; ++r)
            total += static_cast<double>(rows.weights[r]) *
                     loss_sum_with_inputs<Input, Output>(
                         loss, 1, rows.inputs + r * Input::size, rows.outputs + r * Output::size,
                         target + r * rows.target_stride, dy == nullptr ? nullptr : dy + r * Output::size,
                         scale * static_cast<T>(rows.weights[r]), rows.team);
        return total;
    }
    static constexpr T* const* gradients() { return nullptr; }
    template <class Optimizer>
    void update(const Team&, const Optimizer&, std::uint64_t, double)
    {}
    template <class F>
    void each_learned(F&&)
    {}
    void keep(State&) {}
    static std::vector<LossPart> parts(bool) { return {}; }
};

template <class Loss, class C, class P>
    requires KeepsState<Loss, C, P>
class LossState<Loss, C, P> : public Loss::template state<C, P> {
public:
    static constexpr bool keeps = true;
};

// Nothing is instantiated for a loss that does not fit.
struct NoLossState {
    static constexpr bool keeps = false;
    static constexpr bool learns = false;
};

}  // namespace detail

// What a trainer keeps for a loss. C: loss_input_chain of the network.
template <class Loss, class C, class P, bool Fits>
using loss_state = typename std::conditional_t<Fits, std::type_identity<detail::LossState<Loss, C, P>>,
                                               std::type_identity<detail::NoLossState>>::type;

}  // namespace tenon
