// SPDX-License-Identifier: BSL-1.0
// What a Trainer takes to train a pruned network, or to prune it while it trains:
//     Trainer trainer{model, CrossEntropy{}, Adam{}, KeepPruned{}};
//     Trainer trainer{model, CrossEntropy{}, Adam{}, GradualPruning{.final_sparsity = 0.9, .end = 4000}};
// Neither keeps anything: the weights are their own mask, and a checkpoint has them and the number of steps.
#pragma once

#include <tenon/compression/prune.hpp>
#include <tenon/optimizers/pruned.hpp>

#include <cstdint>

namespace tenon::inline TENON_ISA {

// Pruned weights stay exactly zero, under every optimiser and in AverageWeights' average; ClipNorm does not count their
// gradients.
struct KeepPruned {
    static constexpr bool stores_gradients = false;

    template <class Plan>
    void configure(Plan& plan) const
    {
        plan.keeps_pruned = true;
    }
    template <class Optimizer>
    PrunedOptimizer<Optimizer> wrap(Optimizer optimizer) const
    {
        return {optimizer};
    }
};

// Prunes more and more while the network trains, and keeps what is pruned (Zhu & Gupta 2017, "To prune, or not to prune",
// equation 1): after the steps t = begin, begin + every, … until `end` the sparsity is
//     s(t) = s_f + (s_i - s_f) (1 - (t - begin) / (end - begin))³
// quickly at first, while there is much to choose from, then ever more slowly. Steps count in the trainer's life, from 1.
struct GradualPruning {
    double final_sparsity = 0.9;
    double initial_sparsity = 0;
    std::uint64_t begin = 1;
    std::uint64_t end = 1000;
    std::uint64_t every = 100;
    PruneScope scope = PruneScope::layer;
    std::vector<std::string> layers = {};  // as PruneOptions'

    static constexpr bool stores_gradients = false;

    // s(t), between begin and end.
    double sparsity(std::uint64_t t) const
    {
        if (t >= end) return final_sparsity;
        const double left = t <= begin ? 1.0 : static_cast<double>(end - t) / static_cast<double>(end - begin);
        return final_sparsity + (initial_sparsity - final_sparsity) * left * left * left;
    }

    template <class Plan>
    void configure(Plan& plan) const
    {
        plan.keeps_pruned = true;
    }
    // Throws Error for options out of range.
    template <class Optimizer>
    PrunedOptimizer<Optimizer> wrap(Optimizer optimizer) const
    {
        if (begin < 1 || end < begin || every < 1)
            throw Error(sentence("tenon: GradualPruning: expected 1 <= begin <= end and every >= 1, found begin ",
                                 begin, ", end ", end, " and every ", every));
        if (!(initial_sparsity >= 0 && initial_sparsity <= final_sparsity && final_sparsity <= 1))
            throw Error(sentence("tenon: GradualPruning: expected 0 <= initial_sparsity <= final_sparsity <= 1, found ",
                                 initial_sparsity, " and ", final_sparsity));
        return {optimizer};
    }
    template <class Net, Prunable P>
    void stepped(Parameters<Net, P>& parameters, std::uint64_t t) const
    {
        if (t < begin || t > end || ((t - begin) % every != 0 && t != end)) return;
        prune(parameters, {.sparsity = sparsity(t), .scope = scope, .layers = layers});
    }
};

}  // namespace tenon
