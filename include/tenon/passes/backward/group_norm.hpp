// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/passes/forward/group_norm.hpp>

namespace tenon::inline TENON_ISA {

// Threads share the rows for dx and each row's sums, then the channels for the sums over the rows: no sum is split.
template <class... Options, class In, class T>
void backward(Bound<GroupNorm<Options...>, In> bound, std::size_t rows, auto parameters, const auto& gradients,
              const T* x, const T*, T* dy, T* dx, const TrainingContext<T>& context)
{
    using Layer = GroupNorm<Options...>;
    constexpr PerRow workspace = layer_training_workspace<decltype(bound)>();
    const T* const mean = context.tape;
    const T* const rstd = context.tape + rows * Layer::groups;
    T* const sums = context.workspace;
    T* const scratch = context.workspace + PerRow{workspace.row, workspace.fixed}.scalars(rows);
    const std::size_t parts = context.team.threads < rows ? context.team.threads : rows;
    context.team.each(parts, [&](std::size_t part) {
        const std::size_t begin = rows * part / parts, end = rows * (part + 1) / parts;
        kernels::group_norm_gradient(end - begin, passes::group_shape<Layer, In>, x + begin * In::size,
                                     static_cast<const T*>(parameters.template get<0>()), mean + begin * Layer::groups,
                                     rstd + begin * Layer::groups, static_cast<const T*>(dy + begin * In::size),
                                     dx == nullptr ? nullptr : dx + begin * In::size, sums + begin * 2 * In::last,
                                     scratch + part * workspace.per_thread);
    });
    context.team.split(In::last, 256, 64, [&](std::size_t begin, std::size_t end) {
        kernels::group_norm_parameter_gradient(rows, In::last, static_cast<const T*>(sums), gradients.template get<0>(),
                                               gradients.template get<1>(), begin, end);
    });
}

}  // namespace tenon
