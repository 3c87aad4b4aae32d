// SPDX-License-Identifier: BSL-1.0
// GroupNorm: normalises groups of channels by their own mean and variance, sample by sample.
#pragma once

#include <tenon/core/per_row.hpp>
#include <tenon/layers/window.hpp>

namespace tenon::inline TENON_ISA {

// y = (x - mean) / sqrt(variance + epsilon) · gamma + beta with the mean and the (biased) variance of each sample's groups
// of channels, over all positions (Wu & He 2018). Training and inference do the same, whatever the number of rows.
// Channels fall into Groups<N> runs of c / N neighbours; Groups<1> is layer normalisation over the whole sample, Groups<c>
// instance normalisation. gamma, beta: (channels).
// Options: Groups (needed; Keras's default is 32), VarianceEpsilon, default 1/1000 (Keras; PyTorch: 1/100000).
template <class... Options>
struct GroupNorm {
    static constexpr const char* name = "group_normalization";
    static constexpr bool in_place = true;
    using epsilon = options::get<kind::epsilon, VarianceEpsilon<1, 1000>, Options...>;
    static constexpr std::size_t groups = options::get<kind::groups, Groups<1>, Options...>::count;
    static constexpr std::uint64_t signature = (static_cast<std::uint64_t>(epsilon::numerator) * 1000003u +
                                                static_cast<std::uint64_t>(epsilon::denominator)) *
                                                   1000003u +
                                               groups;

    template <class In>
    struct rule {
        static constexpr std::size_t channels = In::last;
        static constexpr bool groups_divide = groups > 0 && channels % (groups == 0 ? 1 : groups) == 0;
        using output = std::conditional_t<In::rank >= 1 && groups_divide, In, InvalidShape>;
        static constexpr auto slots = tenon::slots(slot<Shape<In::last>>("gamma", init::ones),
                                                   slot<Shape<In::last>>("beta", init::zeros));
        // Kept for the backward pass: mean and 1/sqrt(variance + epsilon) of each group.
        static constexpr PerRow tape{2 * groups, 0};
        // Inference: each channel's mean and factor. Training: four such values for each thread, and the backward pass's two
        // sums of each row and channel.
        template <class T, std::size_t>
        static constexpr std::size_t workspace = 2 * channels;
        static constexpr PerRow training_workspace{2 * channels, 0, (4 * channels + 15) / 16 * 16};

        static_assert(options::Check<GroupNorm, List<kind::groups, kind::epsilon>, Options...>::value,
                      "tenon: GroupNorm's options are Groups and VarianceEpsilon.");
        static_assert(
            checked<options::NotMissing<GroupNorm, kind::groups, options::count<kind::groups, Options...>()>>::value,
            "tenon: GroupNorm needs its Groups.");
        static_assert(In::rank >= 1, "tenon: GroupNorm takes an input with at least one axis.");
        static_assert(groups_divide, "tenon: GroupNorm's Groups must divide the input's channels.");
    };
};

}  // namespace tenon
