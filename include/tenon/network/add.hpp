// SPDX-License-Identifier: BSL-1.0
// Add: branches whose outputs are summed, for shortcuts that are layers themselves.
#pragma once

#include <tenon/network/fusion.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

// Which outputs are to be added, for the message.
template <bool Equal, class... Outputs>
struct Summands {
    static constexpr bool value = Equal;
    static_assert(Equal, "tenon: Add sums its branches: all outputs need the same shape.");
};

template <class First, class... Rest>
constexpr auto sum_of()
{
    constexpr bool equal = (std::is_same_v<First, Rest> && ...);
    return std::conditional_t<checked<Summands<equal, First, Rest...>>::value, First, InvalidShape>{};
}

}  // namespace detail

// y = B₁(x) + B₂(x) + … : Keras's Add over branches of one input, as in the projection shortcuts of He et al. 2016.
// Each argument is one branch: a layer, or Sequential<…> for several.
template <class... Branches>
struct Add {
    static constexpr const char* name = "add";

    template <class In>
    struct rule : detail::BranchesRule<Chain<In, Branches>...> {
        using base = detail::BranchesRule<Chain<In, Branches>...>;

        static constexpr auto find_output()
        {
            if constexpr (base::branches_valid && sizeof...(Branches) > 0)
                return detail::sum_of<typename Chain<In, Branches>::output...>();
            else
                return InvalidShape{};
        }
        using output = decltype(find_output());

        // Behind the branches' tapes: the output of each.
        static constexpr PerRow tape = base::branches_tape + PerRow{sizeof...(Branches) * output::size, 0};
        // A branch consumes its output gradient; its input gradient is added to the others'.
        static constexpr PerRow training_workspace = PerRow{output::size + In::size, 0} +
                                                     base::branches_training_workspace;
        template <class T, std::size_t Rows>
        static constexpr std::size_t workspace =
            detail::aligned<T>(Rows* output::size) + base::template branches_workspace<T, Rows>;
    };

    static_assert(sizeof...(Branches) > 0, "tenon: Add needs at least one branch.");
};

namespace detail {

template <Purpose For, class... Ls>
struct RewriteLayer<For, Add<Ls...>> {
    using type = Add<typename RewriteLayer<For, Ls>::type...>;
};

}  // namespace detail
}  // namespace tenon
