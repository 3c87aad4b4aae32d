// SPDX-License-Identifier: BSL-1.0
// The machine's limit: fused multiply-adds in registers only.
#include "../gemm/limit.hpp"
#include "problem.hpp"

namespace contest::with_raw {

template <class... Sizes>
bool enlist_limit(SizeList<Sizes...>)
{
    return (add({"weight_gradient/" + Sizes::name(), "fma-peak", Role::limit, Show::flops}, fma_peak) && ...) &&
           (add({"input_gradient/" + Sizes::name(), "fma-peak", Role::limit, Show::flops}, fma_peak) && ...);
}

const bool enlisted = enlist_limit(GemmSizes{});

}  // namespace contest::with_raw
