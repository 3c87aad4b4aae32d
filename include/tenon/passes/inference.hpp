// SPDX-License-Identifier: BSL-1.0
// All forward passes, and running a network with them.
#pragma once

#include <tenon/network/network.hpp>
#include <tenon/passes/forward/activation.hpp>
#include <tenon/passes/forward/batch_norm.hpp>
#include <tenon/passes/forward/blocks.hpp>
#include <tenon/passes/forward/conv.hpp>
#include <tenon/passes/forward/conv_transpose.hpp>
#include <tenon/passes/forward/dense.hpp>
#include <tenon/passes/forward/dropout.hpp>
#include <tenon/passes/forward/group_norm.hpp>
#include <tenon/passes/forward/layer_norm.hpp>
#include <tenon/passes/forward/pool.hpp>
#include <tenon/passes/forward/spatial_dropout.hpp>
#include <tenon/passes/forward/upsample.hpp>
#include <tenon/passes/forward/zero_padding.hpp>

namespace tenon::inline TENON_ISA {

// The two blocks of a network whose statistics lie behind the learned values, as in Parameters and FrozenWeights.
template <class C, class T>
constexpr ParameterBlocks<T> blocks_of(T* parameters)
{
    return {parameters, parameters + chain_storage<computed_t<std::remove_const_t<T>>, C>()};
}

// y = network(x) for rows ≤ Rows rows; the parameters are a block laid out for T, of T or of 16 bits (S).
// workspace: Net::workspace_bytes<P, Rows>, 64-byte aligned.
template <class Net, std::size_t Rows, class S, class T>
TENON_ALWAYS_INLINE constexpr void infer(std::size_t rows, const S* parameters, const T* x, T* y, T* workspace)
{
    using Chain = rewritten_chain<Purpose::inference, typename Net::chain>;
    infer_chain<Chain, Rows>(rows, blocks_of<Chain>(parameters), x, y, workspace);
}

}  // namespace tenon
