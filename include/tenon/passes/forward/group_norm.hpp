// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <tenon/kernels/group_norm.hpp>
#include <tenon/layers/group_norm.hpp>
#include <tenon/passes/context.hpp>

namespace tenon::inline TENON_ISA {

namespace passes {

template <class Layer, class In>
inline constexpr kernels::GroupShape group_shape{In::outer, In::last, Layer::groups};

}  // namespace passes

template <class... Options, class In, class T, std::size_t Rows>
constexpr void forward(Bound<GroupNorm<Options...>, In>, std::size_t rows, auto parameters, const T* x, T* y,
                       const InferenceContext<T, Rows>& context)
{
    using Layer = GroupNorm<Options...>;
    kernels::group_norm(rows, passes::group_shape<Layer, In>, x, parameters.template get<0>(),
                        parameters.template get<1>(), static_cast<T>(Layer::epsilon::value), y, nullptr, nullptr,
                        context.workspace);
}

// Training keeps each group's mean and 1/sqrt(variance + epsilon). Threads share the rows.
template <class... Options, class In, class T>
void forward(Bound<GroupNorm<Options...>, In> bound, std::size_t rows, auto parameters, const T* x, T* y,
             const TrainingContext<T>& context)
{
    using Layer = GroupNorm<Options...>;
    using B = decltype(bound);
    const std::size_t parts = context.team.threads < rows ? context.team.threads : rows;
    context.team.each(parts, [&](std::size_t part) {
        const std::size_t begin = rows * part / parts, end = rows * (part + 1) / parts;
        kernels::group_norm(end - begin, passes::group_shape<Layer, In>, x + begin * In::size,
                            parameters.template get<0>(), parameters.template get<1>(),
                            static_cast<T>(Layer::epsilon::value), y + begin * In::size,
                            context.tape + begin * Layer::groups, context.tape + (rows + begin) * Layer::groups,
                            context.workspace + part * layer_training_workspace<B>().per_thread);
    });
}

}  // namespace tenon
