// SPDX-License-Identifier: BSL-1.0
// Muon: steps along the momentum with its singular values made equal, for matrices inside a network; Adam for all else.
//
// An optimiser that moves some slots as matrices has, besides update, direction and move (optimizers/lamb.hpp),
//     template <class Net, class T> struct fits;        `value`: whether it suits the network; behind it a static_assert
//     template <class Net, class T> class matrices;     made by each trainer, with
//         bool takes(std::size_t slot) const;           whether the slot, by its place in the table, is moved so;
//         const T* turned(const Team&, std::size_t slot, T* directions);      directions of the whole slot, in its layout, made
//                                                       from those that `direction` gave; those may be overwritten
//         T ratio(std::size_t slot) const;              what move gets.
// All other slots are moved by update. A Trainer stores all gradients for it.
#pragma once

#include <tenon/core/diagnostics.hpp>
#include <tenon/core/storage.hpp>
#include <tenon/kernels/orthogonalize.hpp>
#include <tenon/layers/conv.hpp>
#include <tenon/network/slot_table.hpp>
#include <tenon/optimizers/adam.hpp>

#include <string_view>

namespace tenon::inline TENON_ISA {

// The constants of one step.
template <class T>
struct MuonStep {
    AdamStep<T, true> others;
    T gain, momentum, rate, keep;

    template <class V>
    TENON_ALWAYS_INLINE void update(V& w, V g, V* m) const
    {
        others.update(w, g, m);
    }
    template <class V>
    TENON_ALWAYS_INLINE V direction(V, V g, V* m) const
    {
        m[0] = detail::settle(fma(V(gain), g - m[0], m[0]));
        return fma(V(momentum), m[0] - g, g);
    }
    template <class V>
    TENON_ALWAYS_INLINE void move(V& w, V direction, T ratio, V*) const
    {
        w = fma(V(keep), w, V(-rate * ratio) * direction);
    }
};

namespace detail {

// How a layout holds a kernel's matrix (all extents but the last, the last): Groups matrices in panels one after the other, or
// in an order of its own (0).
template <class Layout>
inline constexpr std::size_t matrix_groups = 0;
template <>
inline constexpr std::size_t matrix_groups<layout::Panels> = 1;
template <std::size_t Groups>
inline constexpr std::size_t matrix_groups<layout::ConvKernel<Groups>> = Groups;

// One slot as matrices (K, N): N outputs of K inputs each.
template <class T, class S>
struct SlotMatrix {
    static constexpr std::size_t in_panels = matrix_groups<typename S::layout>;
    static constexpr std::size_t groups = in_panels == 0 ? 1 : in_panels;
    static constexpr std::size_t K = S::shape::outer, N = S::shape::last / groups;
    static constexpr bool value = S::shape::rank >= 2 && K > 1 && N > 1;
    using panels = simd::Panels<T, K, N>;

    // What `turned` needs: the result, the matrix where it has to be put in order, and what orthogonalize needs.
    static constexpr std::size_t block = kernels::detail::whole_lines<T>(groups * panels::size);
    static constexpr std::size_t scratch = (in_panels == 0 ? 2 : 1) * block + kernels::orthogonalize_workspace<T, K, N>;

    static const T* turned(const Team& team, T* directions, T* workspace)
    {
        T *result = workspace, *rest = workspace + block;
        if constexpr (in_panels == 0) {
            T* ordered = rest;
            rest += block;
            for (std::size_t i = 0; i < panels::size; ++i) ordered[i] = T(0);
            for (std::size_t i = 0; i < K * N; ++i) ordered[panels::index(i / N, i % N)] = directions[index(i)];
            kernels::orthogonalize<T, K, N>(team, ordered, result, rest);
            for (std::size_t i = 0; i < K * N; ++i) directions[index(i)] = result[panels::index(i / N, i % N)];
            return directions;
        } else {
            for (std::size_t g = 0; g < groups; ++g)
                kernels::orthogonalize<T, K, N>(team, directions + g * panels::size, result + g * panels::size, rest);
            return result;
        }
    }

private:
    static constexpr std::size_t index(std::size_t i) { return S::layout::template index<T, typename S::shape>(i); }
};

// Whether a layer, or one of a block's, has a slot "kernel".
template <class B>
constexpr bool has_kernel()
{
    bool found = false;
    if constexpr (HasBranches<B>) {
        for_each_index<0, B::rule::branches::size>([&]<std::size_t J>() {
            using C = typename B::rule::branches::template at<J>;
            C::for_each([&]<std::size_t I>() { found = found || has_kernel<typename C::template bound<I>>(); });
        });
    } else {
        for (const auto& entry : role_slots<B, Role::learned>.entries)
            found = found || (entry.name != nullptr && std::string_view{entry.name} == "kernel");
    }
    return found;
}

// The last layer of a chain that has one; their number if none has.
template <class C>
constexpr std::size_t last_with_kernel()
{
    std::size_t last = C::count;
    C::for_each([&]<std::size_t I>() {
        if (has_kernel<typename C::template bound<I>>()) last = I;
    });
    return last;
}

// f.operator()<B, Output>() for each layer as walk_layers visits them. Output: it is the last one with a kernel, or the last of a
// branch where that one is a block.
template <class C, bool Output, class F>
constexpr void walk_outputs(F& f)
{
    C::for_each([&]<std::size_t I>() {
        using B = typename C::template bound<I>;
        constexpr bool output = Output && I == last_with_kernel<C>();
        if constexpr (HasBranches<B>)
            for_each_index<0, B::rule::branches::size>(
                [&]<std::size_t J>() { walk_outputs<typename B::rule::branches::template at<J>, output>(f); });
        else
            f.template operator()<B, output>();
    });
}

template <class T>
struct MatrixEntry {
    const T* (*turned)(const Team&, T* directions, T* workspace) = nullptr;
    std::size_t scratch = 0;  // scalars of it
    double shape = 1;         // outputs / inputs
};

template <class T, std::size_t N>
struct MatrixTable {
    MatrixEntry<T> entries[N + 1];
    std::size_t scratch = 0;  // of the slot that needs most
};

// Which slots Muon takes as matrices, by their places in slot_table.
template <class Net, class T>
inline constexpr auto matrix_table = [] {
    using C = typename Net::chain;
    MatrixTable<T, count_slots<T, C>()> table{};
    std::size_t next = 0;
    auto visit = [&]<class B, bool Output>() {
        using All = role_slots_type<B, Role::learned>;
        for_each_index<0, All::size>([&]<std::size_t I>() {
            using M = SlotMatrix<T, typename All::template slot<I>>;
            constexpr bool kernel = std::string_view{role_slots<B, Role::learned>.entries[I].name} == "kernel";
            if constexpr (kernel && M::value && !Output) {
                table.entries[next] = {&M::turned, M::scratch, static_cast<double>(M::N) / static_cast<double>(M::K)};
                if (table.scratch < M::scratch) table.scratch = M::scratch;
            }
            ++next;
        });
        next += role_slots_type<B, Role::statistics>::size;
    };
    walk_outputs<C, true>(visit);
    return table;
}();

template <class Net, class T>
class MuonMatrices {
public:
    bool takes(std::size_t slot) const { return matrix_table<Net, T>.entries[slot].turned != nullptr; }
    const T* turned(const Team& team, std::size_t slot, T* directions)
    {
        if (workspace_.size() == 0) workspace_ = AlignedBuffer<T>{matrix_table<Net, T>.scratch};
        return matrix_table<Net, T>.entries[slot].turned(team, directions, workspace_.data());
    }
    T ratio(std::size_t slot) const
    {
        const double shape = matrix_table<Net, T>.entries[slot].shape;
        return shape > 1 ? static_cast<T>(__builtin_sqrt(shape)) : T(1);
    }

private:
    AlignedBuffer<T> workspace_;
};

template <class Net, class T>
struct MuonFits {
    static constexpr bool value = matrix_table<Net, T>.scratch > 0;
    static_assert(value,
                  "tenon: Muon moves the kernels of all layers but the last, and this network has none of those: take "
                  "Adam.");
};

}  // namespace detail

// Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"), for each kernel as the matrix of its
// (outputs, inputs), a convolution's inputs being (kh · kw · channels) and each group of it by itself:
//   m ← momentum m + (1 - momentum) g;   u = momentum m + (1 - momentum) g   (Nesterov)
//   w ← w - learning_rate · (sqrt(max(1, outputs / inputs)) · orthogonalised(u) + weight_decay · w)
// orthogonalised: five Newton-Schulz iterations (kernels/orthogonalize.hpp). The factor of the shape is that of the authors and
// PyTorch's "original"; others scale by 0.2 sqrt(max(outputs, inputs)), to take over Adam's rates.
// The kernel of the last layer that has one (of each branch, where that is a block), biases, scales, slopes, depthwise kernels,
// kernels with a single output or input, and what a loss learns along follow AdamW with adam_learning_rate and the same
// weight_decay. Schedules multiply both rates. A user's own layers take part with slots of two or more extents called "kernel",
// whose last extent counts the outputs. Matrices need one of the two moments only; the other stays zero.
struct Muon {
    double learning_rate = 0.02;
    double momentum = 0.95;
    double weight_decay = 0;
    double adam_learning_rate = 1e-3;
    double beta_1 = 0.9;
    double beta_2 = 0.999;
    Epsilon epsilon = keras_epsilon;

    static constexpr std::size_t moments = 2;

    template <class Net, class T>
    using fits = detail::MuonFits<Net, T>;
    template <class Net, class T>
    using matrices = detail::MuonMatrices<Net, T>;

    // Name and value of each option.
    template <class Visit>
    constexpr void options(Visit&& visit) const
    {
        visit("learning_rate", learning_rate);
        visit("momentum", momentum);
        visit("weight_decay", weight_decay);
        visit("adam_learning_rate", adam_learning_rate);
        visit("beta_1", beta_1);
        visit("beta_2", beta_2);
        visit("epsilon", epsilon.value);
    }

    template <class T>
    constexpr MuonStep<T> step(std::uint64_t t, double factor = 1) const
    {
        const double rate = learning_rate * factor;
        return {detail::adam_step<T, true>(adam_learning_rate * factor, beta_1, beta_2, epsilon, weight_decay, t),
                static_cast<T>(1 - momentum), static_cast<T>(momentum), static_cast<T>(rate),
                static_cast<T>(1 - rate * weight_decay)};
    }
};

}  // namespace tenon
