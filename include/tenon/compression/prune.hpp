// SPDX-License-Identifier: BSL-1.0
// prune: the smallest weights of a network set to zero (magnitude pruning: Han et al. 2015, "Learning both Weights and
// Connections for Efficient Neural Networks"). Only kernels are pruned, never biases, scales or slopes. A pruned weight is
// marked as such (core/pruned.hpp); the modifiers KeepPruned and GradualPruning keep it at zero while the others go on
// learning (compression/gradual_pruning.hpp).
#pragma once

#include <tenon/core/error.hpp>
#include <tenon/core/pruned.hpp>
#include <tenon/model/model.hpp>
#include <tenon/network/slot_names.hpp>

#include <algorithm>
#include <limits>
#include <vector>

namespace tenon::inline TENON_ISA {

// Whose weights are compared: those of one kernel, so that each has the same sparsity, or those of all of them.
enum class PruneScope : unsigned char { layer, network };

// What prune takes away, and where.
struct PruneOptions {
    double sparsity = 0.5;  // the share of weights that are zero then
    PruneScope scope = PruneScope::layer;
    // Which layers, as in summary(): "dense_1", or "dense" for all of a kind. None: all that have a kernel.
    std::vector<std::string> layers = {};
};

// Of the weights of kernels: how many there are, and how many are zero.
struct Sparsity {
    std::size_t zeros = 0;
    std::size_t values = 0;

    double share() const { return values == 0 ? 0.0 : static_cast<double>(zeros) / static_cast<double>(values); }
};

namespace detail {

// The kernels that are meant. Throws Error where a name is no layer's.
template <class Net, Prunable P>
std::vector<SlotInfo> kernels_of(const Parameters<Net, P>& parameters, const std::vector<std::string>& layers)
{
    std::vector<SlotInfo> kernels, chosen;
    for (const SlotInfo& slot : parameters.slots())
        if (is_kernel(slot)) kernels.push_back(slot);
    for (const std::string& name : layers)
        if (std::none_of(kernels.begin(), kernels.end(), [&](const SlotInfo& slot) { return layer_is(slot, name); }))
            throw Error("tenon: prune: " + no_layer_sentence(name, kernels, "a kernel").substr(7));
    for (const SlotInfo& slot : kernels)
        if (layers.empty() ||
            std::any_of(layers.begin(), layers.end(), [&](const std::string& name) { return layer_is(slot, name); }))
            chosen.push_back(slot);
    return chosen;
}

// One weight by its size. Pruned ones come first, so that they are never counted twice.
struct PruneCandidate {
    double magnitude;
    std::uint32_t slot, index;

    // Equal sizes by their place in logical order: the same choice on every instruction set.
    friend bool operator<(const PruneCandidate& a, const PruneCandidate& b)
    {
        if (a.magnitude != b.magnitude) return a.magnitude < b.magnitude;
        return a.slot != b.slot ? a.slot < b.slot : a.index < b.index;
    }
};

template <class Net, Prunable P>
void prune_smallest(Parameters<Net, P>& parameters, const std::vector<SlotInfo>& slots, double sparsity)
{
    std::vector<PruneCandidate> candidates;
    for (std::size_t s = 0; s < slots.size(); ++s)
        for (std::size_t i = 0; i < slots[s].size; ++i) {
            const auto weight = parameters.logical(slots[s], i);
            const double size = weight < 0 ? -static_cast<double>(weight) : static_cast<double>(weight);
            candidates.push_back({is_pruned(weight) ? -1.0
                                  : size == size    ? size
                                                    : std::numeric_limits<double>::infinity(),
                                  static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(i)});
        }
    const auto count = static_cast<std::size_t>(sparsity * static_cast<double>(candidates.size()) + 0.5);
    if (count < candidates.size())
        std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count), candidates.end());
    for (std::size_t i = 0; i < count; ++i)
        parameters.logical(slots[candidates[i].slot], candidates[i].index) = pruned_weight<typename P::scalar>;
}

}  // namespace detail

// Sets the round(sparsity · n) smallest weights of each kernel, or of all kernels together, to zero; those that are pruned
// already are among them, and stay so if they are more. Throws Error for a sparsity that is no share, or an unknown layer.
template <class Net, class P>
void prune(Parameters<Net, P>& parameters, const PruneOptions& options)
{
    if (!(options.sparsity >= 0 && options.sparsity <= 1))
        throw Error(sentence("tenon: prune: the sparsity is ", options.sparsity, ", expected 0 to 1"));
    if constexpr (checked<CheckPrunable<P>>::value) {
        const std::vector<SlotInfo> slots = detail::kernels_of(parameters, options.layers);
        if (options.scope == PruneScope::network)
            detail::prune_smallest(parameters, slots, options.sparsity);
        else
            for (const SlotInfo& slot : slots) detail::prune_smallest(parameters, {slot}, options.sparsity);
    }
}
template <class Net, class P>
void prune(Model<Net, P>& model, const PruneOptions& options)
{
    prune(model.parameters(), options);
}

// What is zero in all kernels, or in those of some layers.
template <class Net, class P>
Sparsity sparsity(const Parameters<Net, P>& parameters, const std::vector<std::string>& layers = {})
{
    Sparsity result;
    if constexpr (checked<CheckPrunable<P>>::value)
        for (const SlotInfo& slot : detail::kernels_of(parameters, layers)) {
            result.values += slot.size;
            for (std::size_t i = 0; i < slot.size; ++i) result.zeros += parameters.logical(slot, i) == 0 ? 1 : 0;
        }
    return result;
}
template <class Net, class P>
Sparsity sparsity(const Model<Net, P>& model, const std::vector<std::string>& layers = {})
{
    return sparsity(model.parameters(), layers);
}

// Marks every weight of a kernel that is zero as pruned: for weights that somebody else has pruned.
template <class Net, class P>
void keep_zeros(Model<Net, P>& model)
{
    if constexpr (checked<CheckPrunable<P>>::value)
        for (const SlotInfo& slot : detail::kernels_of(model.parameters(), {}))
            for (std::size_t i = 0; i < slot.size; ++i)
                if (auto& weight = model.parameters().logical(slot, i); weight == 0)
                    weight = pruned_weight<typename P::scalar>;
}

}  // namespace tenon
