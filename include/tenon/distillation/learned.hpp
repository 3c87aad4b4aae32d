// SPDX-License-Identifier: BSL-1.0
// What terms learn themselves beside the student: networks (adapters) and plain values, moved by the trainer's optimiser at
// each of its steps. Gradients are those of the whole objective; modifiers of the trainer (clipping, penalties, freezing) leave
// them alone.
#pragma once

#include <tenon/model/initialize.hpp>
#include <tenon/passes/training.hpp>
#include <tenon/training/slot_update.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tenon::inline TENON_ISA::distillation {

namespace detail {

// A block of values with its gradients and the optimiser's moments.
template <class T>
class LearnedBlock {
public:
    // learned: of `values`, from the beginning.
    void update(const Team& team, std::span<const SlotInfo> slots, T* values, std::size_t learned,
                const auto& optimizer, std::uint64_t t, double factor)
    {
        constexpr std::size_t Moments = std::remove_cvref_t<decltype(optimizer)>::moments;
        if (moments_.size() != Moments) moments_.assign(Moments, AlignedBuffer<T>{learned});
        UpdatePlan plan;
        plan.slots = slots;
        plan.of_slot.resize(slots.size());
        UpdateBlocks<T, Moments> blocks{values, {}};
        for (std::size_t i = 0; i < Moments; ++i) blocks.moments[i] = moments_[i].data();
        tenon::detail::update_slots(team, optimizer, t, factor, plan, blocks, gradients_.data());
    }

    T* gradients(std::size_t learned)
    {
        if (gradients_.size() != learned) gradients_ = AlignedBuffer<T>{learned};
        return gradients_.data();
    }
    template <class Slots>
    void state(State& state, const std::string& name, const Slots& slots, T* values, std::size_t learned)
    {
        state.block(name, slots, values);
        // The optimiser's moments exist from its first step on.
        std::uint64_t count = moments_.size();
        state.value(name + "moments", count);
        if (moments_.size() != count) moments_.assign(static_cast<std::size_t>(count), AlignedBuffer<T>{learned});
        for (std::size_t i = 0; i < moments_.size(); ++i)
            state.block(name + "moment_" + std::to_string(i + 1) + '/', slots, moments_[i].data(), true);
    }

private:
    AlignedBuffer<T> gradients_;
    std::vector<AlignedBuffer<T>> moments_;
};

// A network that learns along.
template <class Net, class P>
class Learned {
    using T = typename P::scalar;
    using C = rewritten_chain<Purpose::training, typename Net::chain>;

public:
    explicit Learned(Seed seed) { initialize(parameters_, seed); }

    // y: (rows, output), until the next call.
    const T* forward(std::size_t rows, const T* x, const Team& team)
    {
        if (!tape_.has_value() || tape_->rows() < rows || threads_ < team.threads) {
            tape_.emplace(rows, team);
            threads_ = team.threads;
        }
        team_ = team;
        train_forward(rows, static_cast<const T*>(parameters_.data()), x, *tape_, context());
        return tape_->output();
    }
    // Where the gradient of that output goes.
    T* output_gradient() { return tape_->output_gradient(); }
    // first: of the batches of a step. dx: (rows, input) or null.
    void backward(std::size_t rows, const T* x, T* dx, bool first)
    {
        T* gradients = block_.gradients(Parameters<Net, P>::learned);
        T* own = gradients;
        if (!first) {
            if (part_.size() == 0) part_ = AlignedBuffer<T>{Parameters<Net, P>::learned};
            own = part_.data();
        }
        train_backward(rows, static_cast<const T*>(parameters_.data()), StoreGradients<T>{own}, x, *tape_, context(),
                       dx);
        if (!first) kernels::add(Parameters<Net, P>::learned, static_cast<const T*>(own), gradients);
    }

    template <class Optimizer>
    void update(const Team& team, const Optimizer& optimizer, std::uint64_t t, double factor)
    {
        const auto& slots = parameters_.slots();
        step_ = t;
        block_.update(team, {slots.begin(), slots.size()}, parameters_.data(), Parameters<Net, P>::learned, optimizer,
                      t, factor);
    }
    void state(State& state, const std::string& name)
    {
        block_.state(state, name, parameters_.slots(), parameters_.data(), Parameters<Net, P>::learned);
    }

    Parameters<Net, P>& parameters() { return parameters_; }
    // f(name, value, gradient) for each learned value, in logical order.
    template <class F>
    void each(const std::string& name, F&& f)
    {
        for (const SlotInfo& slot : parameters_.slots())
            for (std::size_t i = 0; slot.role == Role::learned && i < slot.size; ++i)
                f(name + tenon::detail::slot_name(slot), parameters_.logical(slot, i),
                  block_.gradients(Parameters<Net, P>::learned)[slot.offset + slot.index(i)]);
    }

private:
    TrainingContext<T> context()
    {
        TrainingContext<T> result = tape_->context(Seed{0xada97e5}, step_ + 1);
        result.statistics = blocks_of<C>(parameters_.data()).statistics;
        return result;
    }

    Parameters<Net, P> parameters_;
    LearnedBlock<T> block_;
    AlignedBuffer<T> part_;
    std::optional<Tape<C, T>> tape_;
    Team team_{};
    std::size_t threads_ = 0;
    std::uint64_t step_ = 0;
};

// Size values that learn along.
template <std::size_t Size, class T>
class LearnedValues {
public:
    explicit LearnedValues(T first) : values_{Size}
    {
        for (std::size_t i = 0; i < Size; ++i) values_[i] = first;
    }

    const T* data() const { return values_.data(); }
    T* data() { return values_.data(); }
    T* gradients() { return block_.gradients(Size); }

    template <class Optimizer>
    void update(const Team& team, const Optimizer& optimizer, std::uint64_t t, double factor)
    {
        block_.update(team, slots, values_.data(), Size, optimizer, t, factor);
    }
    void state(State& state, const std::string& name)
    {
        block_.state(state, name, std::span<const SlotInfo>{slots}, values_.data(), Size);
    }
    template <class F>
    void each(const std::string& name, F&& f)
    {
        for (std::size_t i = 0; i < Size; ++i) f(name + "values", values_[i], gradients()[i]);
    }

private:
    static constexpr std::size_t extents[] = {Size};
    static constexpr SlotInfo slots[] = {{tenon::detail::literal("learned"), 1, "values", 1, extents, Size, 0, Size,
                                          init::zeros, Role::learned, [](std::size_t i) { return i; }}};

    AlignedBuffer<T> values_;
    LearnedBlock<T> block_;
};

}  // namespace detail

}  // namespace tenon::inline TENON_ISA::distillation
