// SPDX-License-Identifier: BSL-1.0
// All backward passes, and what a training step needs of a network: forward with a tape, then backward.
#pragma once

#include <tenon/core/storage.hpp>
#include <tenon/passes/backward/activation.hpp>
#include <tenon/passes/backward/batch_norm.hpp>
#include <tenon/passes/backward/blocks.hpp>
#include <tenon/passes/backward/conv.hpp>
#include <tenon/passes/backward/conv_transpose.hpp>
#include <tenon/passes/backward/dense.hpp>
#include <tenon/passes/backward/dropout.hpp>
#include <tenon/passes/backward/group_norm.hpp>
#include <tenon/passes/backward/layer_norm.hpp>
#include <tenon/passes/backward/pool.hpp>
#include <tenon/passes/backward/spatial_dropout.hpp>
#include <tenon/passes/backward/upsample.hpp>
#include <tenon/passes/backward/zero_padding.hpp>
#include <tenon/passes/inference.hpp>

namespace tenon::inline TENON_ISA {

// The memory of a training step for up to `rows` rows and some threads: all outputs, their gradients and scratch, allocated
// once.
template <class C, class T>
class Tape {
public:
    explicit Tape(std::size_t rows, Team team = {})
        : rows_{rows},
          team_{team},
          memory_{padded<C::input::size>(rows) + 2 * padded<C::output::size>(rows) + chain_tape<C>().scalars(rows) +
                  chain_training_workspace<C>().scalars(rows, team.threads)}
    {}

    std::size_t rows() const { return rows_; }

    // (rows, input): where the batch is gathered.
    T* input() { return memory_.data(); }
    // (rows, output): what the last forward pass made.
    T* output() { return input() + padded<C::input::size>(rows_); }
    // (rows, output): where the loss writes its gradient.
    T* output_gradient() { return output() + padded<C::output::size>(rows_); }

    // The context of a pass over `rows` ≤ this->rows() rows.
    TrainingContext<T> context(Seed seed, std::uint64_t step)
    {
        T* tape = output_gradient() + padded<C::output::size>(rows_);
        return {tape, tape + chain_tape<C>().scalars(rows_), seed, step, 1, 0, nullptr, team_};
    }

private:
    template <std::size_t Size>
    static constexpr std::size_t padded(std::size_t rows)
    {
        return PerRow{Size, 0}.scalars(rows);
    }

    std::size_t rows_;
    Team team_;
    AlignedBuffer<T> memory_;
};

// tape.output() = chain(x).   x: (rows, input), tape.input() or anybody's memory.
template <class C, class T>
void train_forward(std::size_t rows, const T* parameters, const T* x, Tape<C, T>& tape,
                   const TrainingContext<T>& context)
{
    train_forward_chain<C>(rows, blocks_of<C>(parameters), x, tape.output(), context);
}

// The parameters' gradients, by the policy, from tape.output_gradient(), which is destroyed. dx: null or (rows, input).
// tapped: null, or what is added to the gradients at the chain's taps.
template <class C, class T, class Policy>
void train_backward(std::size_t rows, const T* parameters, const Policy& policy, const T* x, Tape<C, T>& tape,
                    const TrainingContext<T>& context, T* dx = nullptr, T* const* tapped = nullptr)
{
    train_backward_chain<C>(rows, blocks_of<C>(parameters), policy, x, tape.output(), tape.output_gradient(), dx,
                            context, tapped);
}

}  // namespace tenon
