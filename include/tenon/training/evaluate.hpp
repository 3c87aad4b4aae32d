// SPDX-License-Identifier: BSL-1.0
// evaluate: loss and accuracy of a model over a dataset, without changing it.
#pragma once

#include <tenon/core/storage.hpp>
#include <tenon/data/dataset.hpp>
#include <tenon/model/model.hpp>
#include <tenon/parallel/team.hpp>
#include <tenon/passes/inference.hpp>
#include <tenon/training/exchange.hpp>
#include <tenon/training/history.hpp>
#include <tenon/training/metrics.hpp>
#include <tenon/training/training_chain.hpp>

#include <numeric>
#include <span>
#include <vector>

namespace tenon::inline TENON_ISA {

namespace detail {

// The chain on a dataset, in chunks of Rows rows: visit(chunk, rows, inputs, outputs, targets) for each, from any thread.
// part of parts: only that share of the chunks.
template <class C, std::size_t Rows, class S, class D, class Visit>
void run_over(const S* parameters, const D& dataset, const Team& team, Visit&& visit, std::size_t part = 0,
              std::size_t parts = 1)
{
    using T = computed_t<S>;
    const std::size_t size = dataset.size(), chunks = (size + Rows - 1) / Rows;
    const std::size_t first_chunk = chunks * part / parts, end_chunk = chunks * (part + 1) / parts;
    // gather(first, rows, inputs, targets, numbers); numbers: memory for `rows` of them
    const auto run = [&](std::size_t from, std::size_t to, const auto& gather) {
        team.split(to - from, 1, 1, [&](std::size_t begin, std::size_t end) {
            AlignedBuffer<T> memory{aligned<T>(Rows * C::input::size) + aligned<T>(Rows * C::output::size) +
                                    chain_workspace<S, C, Rows>()};
            T* inputs = memory.data();
            T* outputs = inputs + aligned<T>(Rows * C::input::size);
            T* workspace = outputs + aligned<T>(Rows * C::output::size);
            std::vector<typename D::target_type> targets(Rows * D::target_size);
            std::vector<std::uint32_t> numbers(Rows);
            for (std::size_t chunk = from + begin; chunk < from + end; ++chunk) {
                const std::size_t first = chunk * Rows, rows = size - first < Rows ? size - first : Rows;
                gather(first, rows, inputs, targets.data(), numbers.data());
                infer_chain<C, Rows>(rows, blocks_of<C>(parameters), static_cast<const T*>(inputs), outputs, workspace);
                visit(chunk, rows, static_cast<const T*>(inputs), static_cast<const T*>(outputs),
                      static_cast<const typename D::target_type*>(targets.data()));
            }
        });
    };
    if constexpr (data::Streamed<D>) {
        const std::size_t at_once = 4 * (team.threads == 0 ? 1 : team.threads);
        auto reader = dataset.start({.draw = {}, .first_row = first_chunk * Rows, .held_rows = at_once * Rows});
        for (std::size_t chunk = first_chunk; chunk < end_chunk; chunk += at_once) {
            const std::size_t end = end_chunk - chunk < at_once ? end_chunk : chunk + at_once;
            reader.wait(end * Rows < size ? end * Rows : size);
            run(chunk, end, [&](std::size_t first, std::size_t rows, T* inputs, auto* targets, std::uint32_t*) {
                reader.gather(first, rows, inputs, targets, nullptr);
            });
            reader.release(end * Rows);
        }
    } else {
        run(first_chunk, end_chunk,
            [&](std::size_t first, std::size_t rows, T* inputs, auto* targets, std::uint32_t* numbers) {
                std::iota(numbers, numbers + rows, static_cast<std::uint32_t>(first));
                dataset.gather(std::span<const std::uint32_t>(numbers, rows), inputs, targets);
            });
    }
}

template <class Net, class D>
struct DatasetFits {
    static constexpr bool value = std::is_same_v<typename D::input_shape, typename Net::input_shape>;
    static_assert(std::is_same_v<typename D::input_shape, typename Net::input_shape>,
                  "tenon: the dataset's samples have another shape than the network takes.");
};

// evaluate() by all ranks of an exchange together. Each takes some chunks of a dataset that all of them hold, or all of
// its own; the sums of all chunks are added up in their order.
template <class Net, class P, class Loss, data::Readable D, class Exchange>
Evaluation evaluate_shared(const Model<Net, P>& model, const D& dataset, const Loss& loss, const Team& team,
                           Exchange&& exchange)
{
    Evaluation result{};
    if constexpr (checked<detail::DatasetFits<Net, D>>::value && Net::valid) {
        using C = evaluation_chain<Loss, typename Net::chain>;
        constexpr std::size_t rows_at_once = 64;
        // Sums by chunk, added in their order whoever made them.
        const std::size_t chunks = (dataset.size() + rows_at_once - 1) / rows_at_once;
        std::vector<double> losses(chunks), right(chunks);
        const bool own = exchange.own_rows();
        detail::run_over<C, rows_at_once>(
            model.parameters().data(), dataset, team,
            [&](std::size_t chunk, std::size_t rows, const float* inputs, const float* outputs, const auto* targets) {
                losses[chunk] = loss_sum_with_inputs<typename Net::input_shape, typename C::output>(
                    loss, rows, inputs, outputs, targets, static_cast<float*>(nullptr), 1.0f, Team{});
                right[chunk] = static_cast<double>(count_correct<Loss, typename C::output>(rows, outputs, targets));
            },
            own ? 0 : exchange.rank(), own ? 1 : exchange.ranks());
        if (!own) {
            exchange.sum(losses.data(), losses.size());
            exchange.sum(right.data(), right.size());
        }
        double sums[3] = {0.0, 0.0, static_cast<double>(dataset.size())};
        for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
            sums[0] += losses[chunk];
            sums[1] += right[chunk];
        }
        if (own) exchange.sum(sums, 3);
        result.loss = sums[0] / (sums[2] == 0.0 ? 1.0 : sums[2]);
        result.accuracy = accuracy_of<Loss, typename C::output, typename D::target_type>(
            static_cast<std::size_t>(sums[1]), static_cast<std::size_t>(sums[2]));
    }
    return result;
}

}  // namespace detail

// Mean loss and accuracy over all rows of a dataset or stream, in its order. A final layer that the loss absorbs (Softmax)
// is skipped. A team (thread_pool.team()) shares the work; the result is the same.
template <class Net, class P, class Loss, data::Readable D>
    requires std::is_same_v<typename P::scalar, float> Evaluation evaluate(const Model<Net, P>& model, const D& dataset,
                                                                           const Loss& loss, const Team& team = {})
    {
        return detail::evaluate_shared(model, dataset, loss, team, Alone{});
    }

}  // namespace tenon
