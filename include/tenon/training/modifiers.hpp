// SPDX-License-Identifier: BSL-1.0
// Modifiers: what a Trainer takes after model, loss and optimiser, in any order:
//     Trainer trainer{model, CrossEntropy{}, Adam{}, Accumulate{4}, ClipNorm{1.0}, L2{1e-4}, freeze("conv2d_1")};
// Without any, each weight is moved inside the kernel that makes its gradient, and gradients are never stored. A modifier
// that has to see gradients first says so by its type, and the step is compiled for it.
//
// The order within a step: gradients of all batches are added up; reduce() of modifiers that have it; L1 and L2; ClipNorm;
// ClipValue; the optimiser, with the slot's rate; AverageWeights.
//
// A modifier is a struct with
//     static constexpr bool stores_gradients;        whether it needs the gradients before the weights move
// and any of
//     void configure(UpdatePlan& plan) const;        changes to how slots are updated
//     template <class O> auto wrap(O optimizer) const;    an optimiser around the optimiser
//     template <class T> void reduce(T* gradients, std::size_t count);     sees all gradients, padding included, and may
//                                                    change them; called once a step
//     template <class Parameters> void stepped(Parameters& parameters, std::uint64_t t);    sees the weights, and may change
//                                                    them, after the t-th step
#pragma once

#include <tenon/core/diagnostics.hpp>
#include <tenon/core/error.hpp>
#include <tenon/network/slot_names.hpp>
#include <tenon/optimizers/average.hpp>
#include <tenon/optimizers/clip_value.hpp>
#include <tenon/training/state.hpp>

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::inline TENON_ISA {

// How one slot is updated.
struct SlotPlan {
    double rate = 1;  // times the learning rate; 0: frozen
    double l1 = 0;
    double l2 = 0;
};

// How all of them are.
struct UpdatePlan {
    std::span<const SlotInfo> slots;
    std::vector<SlotPlan> of_slot;  // in the order of `slots`
    std::size_t batches = 1;        // to a step
    double most_norm = 0;           // of all gradients together; 0: any, and it is not measured
    bool keeps_pruned = false;      // gradients of pruned weights (core/pruned.hpp) do not count
};

template <class M>
concept Modifier = requires
{
    {bool{M::stores_gradients}};
};

namespace detail {

template <class M>
struct TrainerTakes {
    static constexpr bool value = Modifier<M>;
    static_assert(Modifier<M>,
                  "tenon: a Trainer takes a model, a loss, an optimiser, and then modifiers such as ClipNorm{1.0}.");
};

// Whether a modifier stores gradients.
template <class M>
constexpr bool stores_gradients()
{
    if constexpr (checked<TrainerTakes<M>>::value)
        return M::stores_gradients;
    else
        return false;
}

}  // namespace detail

// Gradients of that many batches make one step: the step of one batch of `batches` times the size, whose memory nobody
// has. Each row weighs the same, in an epoch's last, smaller step as well; Dropout draws as for the one large batch, and
// only BatchNorm, which looks at a batch, sees the smaller ones. Schedules and `every_steps` count steps.
struct Accumulate {
    int batches;

    static constexpr bool stores_gradients = true;

    void configure(UpdatePlan& plan) const
    {
        if (batches < 1) throw Error(sentence("tenon: Accumulate: batches is ", batches, ", expected 1 or more"));
        plan.batches = static_cast<std::size_t>(batches);
    }
};

// g ← g · limit / |g| where |g| > limit, the norm being that of all gradients together (Pascanu, Mikolov & Bengio 2013,
// Algorithm 1; Keras's global_clipnorm). Those of frozen slots do not count. With an infinite limit the norm is measured only:
// callbacks see it in StepInfo.
struct ClipNorm {
    double limit;

    static constexpr bool stores_gradients = true;

    void configure(UpdatePlan& plan) const
    {
        if (!(limit > 0)) throw Error(sentence("tenon: ClipNorm: the limit is ", limit, ", expected more than 0"));
        plan.most_norm = limit;
    }
};

// g ← min(max(g, -limit), limit), value by value (Keras's clipvalue).
struct ClipValue {
    double limit;

    static constexpr bool stores_gradients = false;

    template <class Optimizer>
    ClippedOptimizer<Optimizer> wrap(Optimizer optimizer) const
    {
        if (!(limit > 0)) throw Error(sentence("tenon: ClipValue: the limit is ", limit, ", expected more than 0"));
        return {optimizer, limit};
    }
};

// Keeps a moving average of the weights, which often predicts better than the weights themselves: trainer.average() is a
// model with it. `bias_correction`: the first weights weigh no more than their share (optimizers/average.hpp).
struct AverageWeights {
    double decay = 0.999;
    bool bias_correction = true;

    static constexpr bool stores_gradients = false;
    static constexpr bool averages = true;

    template <class Optimizer>
    AveragingOptimizer<Optimizer> wrap(Optimizer optimizer) const
    {
        if (!(decay >= 0 && decay < 1))
            throw Error(sentence("tenon: AverageWeights: decay is ", decay, ", expected 0 or more and less than 1"));
        return {optimizer, decay, bias_correction};
    }
};

namespace detail {

[[noreturn]] inline void no_such_layer(const std::string& name, std::span<const SlotInfo> slots)
{
    throw Error(no_layer_sentence(name, slots));
}

// The slots of all layers of one type, as positions in the slot table.
template <class Net, class T, class Layer>
std::vector<bool> slots_of_type()
{
    std::vector<bool> chosen;
    auto visit = [&]<class B>(std::size_t, std::size_t) {
        chosen.insert(chosen.end(),
                      role_slots_type<B, Role::learned>::size + role_slots_type<B, Role::statistics>::size,
                      std::is_same_v<typename B::layer, Layer>);
    };
    walk_layers<T, typename Net::chain>(visit, 0, 0);
    return chosen;
}

template <class Layer>
struct ChosenByType {
    double factor;

    static constexpr bool stores_gradients = true;

    template <class Net, class T>
    void configure_for(UpdatePlan& plan) const
    {
        const std::vector<bool> chosen = slots_of_type<Net, T, Layer>();
        bool found = false;
        for (std::size_t i = 0; i < chosen.size(); ++i)
            if (chosen[i]) {
                plan.of_slot[i].rate *= factor;
                found = true;
            }
        if (!found)
            no_such_layer(std::string(type_identifier<Layer>().data, type_identifier<Layer>().size), plan.slots);
    }
};

struct ChosenByName {
    std::string name;
    double factor;

    static constexpr bool stores_gradients = true;

    void configure(UpdatePlan& plan) const
    {
        bool found = false;
        for (std::size_t i = 0; i < plan.slots.size(); ++i)
            if (layer_is(plan.slots[i], name)) {
                plan.of_slot[i].rate *= factor;
                found = true;
            }
        if (!found) no_such_layer(name, plan.slots);
    }
};

inline double checked_factor(double factor)
{
    if (!(factor >= 0))
        throw Error(sentence("tenon: learning_rate_of: the factor is ", factor, ", expected 0 or more"));
    return factor;
}

}  // namespace detail

// Adds factor · Σ |w| over all kernels to what is minimised, so factor · sign(w) to their gradients; biases, scales and
// slopes are left alone. As Keras's kernel_regularizer; the loss that is reported stays that of the data.
struct L1 {
    double factor;

    static constexpr bool stores_gradients = true;

    void configure(UpdatePlan& plan) const
    {
        for (std::size_t i = 0; i < plan.slots.size(); ++i)
            if (detail::is_kernel(plan.slots[i])) plan.of_slot[i].l1 += factor;
    }
};

// The same with factor · Σ w², 2 · factor · w.
struct L2 {
    double factor;

    static constexpr bool stores_gradients = true;

    void configure(UpdatePlan& plan) const
    {
        for (std::size_t i = 0; i < plan.slots.size(); ++i)
            if (detail::is_kernel(plan.slots[i])) plan.of_slot[i].l2 += factor;
    }
};

// The learning rate of some layers, times a factor: of the layer of that name, as summary() has it ("dense_1"), or of all of a
// kind ("dense"). Factors of one layer multiply.
inline detail::ChosenByName learning_rate_of(std::string layer, double factor)
{
    return {std::move(layer), detail::checked_factor(factor)};
}
// Of all layers of a type: learning_rate_of<Dense<10>>(0.1).
template <class Layer>
detail::ChosenByType<Layer> learning_rate_of(double factor)
{
    return {detail::checked_factor(factor)};
}

// Layers whose learned values stay as they are, chosen in the same way. Nothing is computed for layers below the first one
// that learns. Running statistics of a frozen BatchNorm follow the data all the same.
inline detail::ChosenByName freeze(std::string layer) { return {std::move(layer), 0.0}; }
template <class Layer>
detail::ChosenByType<Layer> freeze()
{
    return {0.0};
}

}  // namespace tenon
