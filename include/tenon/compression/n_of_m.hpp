// SPDX-License-Identifier: BSL-1.0
// N:M sparsity: of each M neighbouring weights along the inputs of one output at most N are left (Mishra et al. 2021,
// "Accelerating Sparse Deep Neural Networks", has 2:4). Such a kernel has a fixed place for each weight that is left, which
// is what hardware for it asks for.
#pragma once

#include <tenon/compression/prune.hpp>
#include <tenon/layers/conv.hpp>
#include <tenon/layers/conv_transpose.hpp>

namespace tenon::inline TENON_ISA {

namespace detail {

template <class L>
inline constexpr bool is_transposed = false;
template <std::size_t Filters, class... Options>
inline constexpr bool is_transposed<Conv2DTranspose<Filters, Options...>> = true;
template <class L>
inline constexpr bool is_depthwise = false;
template <class... Options>
inline constexpr bool is_depthwise<DepthwiseConv2D<Options...>> = true;

// Along which axis of its kernel a layer sums over its inputs: (in, units), (kh, kw, c, filters), transposed
// (kh, kw, filters, c); rank where there is none, as in a depthwise kernel, whose channels are never summed.
template <class L, AnyShape Kernel>
constexpr std::size_t summed_axis()
{
    if (Kernel::rank < 2 || is_depthwise<L>) return Kernel::rank;
    return is_transposed<L> ? Kernel::rank - 1 : Kernel::rank - 2;
}

template <std::size_t N, std::size_t M>
struct CheckNOfM {
    static constexpr bool value = N > 0 && N < M;
    static_assert(N > 0 && N < M,
                  "tenon: keep_n_of_m<N, M> keeps N of each M weights: N must be positive and below M.");
};

// f(weights, count, stride) for each group: `count` ≤ M of them, `stride` logical places apart, weights(i) the i-th.
template <class Net, std::size_t M, class T, class F>
void each_group(T* parameters, F&& f)
{
    using scalar = std::remove_const_t<T>;
    auto visit = [&]<class B>(std::size_t learned, std::size_t) {
        for_each_index<0, slots_type<B>::size>([&]<std::size_t I>() {
            using S = typename slots_type<B>::template slot<I>;
            using Kernel = typename S::shape;
            constexpr std::size_t axis = summed_axis<typename B::layer, Kernel>();
            if constexpr (axis < Kernel::rank) {
                if (!same_name(literal(bound_slots<B>.entries[I].name), literal("kernel"))) return;
                T* slot = parameters + learned + slot_offset<scalar, B, I>();
                constexpr std::size_t length = Kernel::extent(axis);
                constexpr std::size_t stride = axis + 1 < Kernel::rank ? Kernel::last : 1;
                for (std::size_t i = 0; i < Kernel::size; ++i) {
                    const std::size_t place = i / stride % length;
                    if (place % M != 0) continue;
                    f(length - place < M ? length - place : M, [&](std::size_t k) -> T& {
                        return slot[S::layout::template index<scalar, Kernel>(i + k * stride)];
                    });
                }
            }
        });
    };
    walk_layers<scalar, typename Net::chain>(visit, 0, 0);
}

}  // namespace detail

// Prunes all but the N largest of each M neighbours, starting with the first input; of M' < M left over at the end, N stay.
// Dense: along the inputs. Convolutions: along the channels, at each place of the kernel (so the first layer of a network
// of grey images keeps all). Depthwise kernels have no such axis and are left alone. Weights that are no numbers count as the
// largest, as with prune. Fine-tune with KeepPruned.
template <std::size_t N, std::size_t M, class Net, class P>
void keep_n_of_m(Model<Net, P>& model)
{
    if constexpr (checked<detail::CheckNOfM<N, M>>::value && checked<CheckPrunable<P>>::value) {
        using T = typename P::scalar;
        const auto size = [](T weight) {
            const T magnitude = weight < 0 ? -weight : weight;
            return magnitude == magnitude ? magnitude : std::numeric_limits<T>::infinity();
        };
        detail::each_group<Net, M>(model.parameters().data(), [&](std::size_t count, auto weight) {
            for (std::size_t left = count; left > N; --left) {
                // The smallest that is not pruned; of equal ones the last.
                std::size_t smallest = count, pruned = 0;
                for (std::size_t i = 0; i < count; ++i) {
                    if (is_pruned(weight(i)))
                        ++pruned;
                    else if (smallest == count || size(weight(i)) <= size(weight(smallest)))
                        smallest = i;
                }
                if (count - pruned <= N) break;
                weight(smallest) = pruned_weight<T>;
            }
        });
    }
}

// Whether at most N of each M are not zero.
template <std::size_t N, std::size_t M, class Net, class P>
bool is_n_of_m(const Model<Net, P>& model)
{
    bool holds = checked<detail::CheckNOfM<N, M>>::value;
    if constexpr (checked<CheckPrunable<P>>::value)
        detail::each_group<Net, M>(model.parameters().data(), [&](std::size_t count, auto weight) {
            std::size_t kept = 0;
            for (std::size_t i = 0; i < count; ++i) kept += weight(i) == 0 ? 0 : 1;
            holds = holds && kept <= N;
        });
    return holds;
}

}  // namespace tenon
