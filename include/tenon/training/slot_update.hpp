// SPDX-License-Identifier: BSL-1.0
// The update of a step whose gradients are stored: penalties, the norm of all gradients, and each slot's optimiser step. Work is
// cut into pieces of one size whatever the number of threads, and sums over pieces are added in their order.
#pragma once

#include <tenon/optimizers/pruned.hpp>
#include <tenon/parallel/team.hpp>
#include <tenon/simd/pack.hpp>
#include <tenon/training/modifiers.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::detail {

// f(offset, count, piece) over pieces of `count` scalars.
inline constexpr std::size_t piece_size = 4096;

template <class F>
void each_piece(const Team& team, std::size_t count, F&& f)
{
    const std::size_t pieces = (count + piece_size - 1) / piece_size;
    team.each(pieces, [&](std::size_t piece) {
        const std::size_t begin = piece * piece_size;
        f(begin, count - begin < piece_size ? count - begin : piece_size, piece);
    });
}

// f(offset, pack or value) over [0, count), by packs and then one by one.
template <class T, class F>
TENON_ALWAYS_INLINE void each_pack(std::size_t count, F&& f)
{
    using V = simd::Pack<T, simd::width<T>>;
    using One = simd::Pack<T, 1>;
    std::size_t i = 0;
    for (; i + V::size <= count; i += V::size) f(i, V(T(0)));
    for (; i < count; ++i) f(i, One(T(0)));
}

// Σ x² of a piece, in T.
template <class T>
double sum_of_squares(std::size_t count, const T* x)
{
    using V = simd::Pack<T, simd::width<T>>;
    V sum = T(0);
    double rest = 0;
    each_pack<T>(count, [&]<class P>(std::size_t i, P) TENON_LAMBDA_INLINE {
        const P value = P::load(x + i);
        if constexpr (std::is_same_v<P, V>)
            sum = fma(value, value, sum);
        else
            rest += static_cast<double>(reduce_add(value * value));
    });
    return static_cast<double>(reduce_add(sum)) + rest;
}

// Σ over all pieces of a block, each piece's sum from f(offset, count).
template <class F>
double sum_over_pieces(const Team& team, std::size_t count, std::vector<double>& sums, F&& f)
{
    sums.assign((count + piece_size - 1) / piece_size, 0.0);
    each_piece(team, count, [&](std::size_t at, std::size_t size, std::size_t piece) { sums[piece] = f(at, size); });
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
}

// g ← g + l1 sign(w) + 2 l2 w
template <class T>
void add_penalties(std::size_t count, const T* w, T* g, const SlotPlan& plan)
{
    const T l1 = static_cast<T>(plan.l1), twice_l2 = static_cast<T>(2 * plan.l2);
    each_pack<T>(count, [&]<class P>(std::size_t i, P zero) TENON_LAMBDA_INLINE {
        const P weight = P::load(w + i);
        const P sign = select(weight == zero, zero, copy_sign(P(l1), weight));
        (fma(P(twice_l2), weight, P::load(g + i)) + sign).store(g + i);
    });
}

// g ← 0 where w is pruned.
template <class T>
void clear_pruned(std::size_t count, const T* w, T* g)
{
    each_pack<T>(count, [&]<class P>(std::size_t i, P zero) TENON_LAMBDA_INLINE {
        select(pruned_lanes(P::load(w + i)), zero, P::load(g + i)).store(g + i);
    });
}

template <class T>
void scale(std::size_t count, T* g, T factor)
{
    each_pack<T>(count,
                 [&]<class P>(std::size_t i, P) TENON_LAMBDA_INLINE { (P(factor) * P::load(g + i)).store(g + i); });
}

// f(pack of the moments, offset) over a piece; the moments are written back.
template <class T, std::size_t Moments, class F>
TENON_ALWAYS_INLINE void each_pack_with_moments(std::size_t count, const UpdateBlocks<T, Moments>& blocks, F&& f)
{
    each_pack<T>(count, [&]<class P>(std::size_t i, P) TENON_LAMBDA_INLINE {
        P m[Moments == 0 ? 1 : Moments];
        for (std::size_t k = 0; k < Moments; ++k) m[k] = P::load(blocks.moments[k] + i);
        f(m, i);
        for (std::size_t k = 0; k < Moments; ++k) m[k].store(blocks.moments[k] + i);
    });
}

// g becomes the directions of a piece.
template <class T, std::size_t Moments, class Step>
void find_directions(const Step& step, std::size_t count, const UpdateBlocks<T, Moments>& blocks, T* g)
{
    each_pack_with_moments(count, blocks, [&]<class P>(P* m, std::size_t i) TENON_LAMBDA_INLINE {
        step.direction(P::load(blocks.weights + i), P::load(g + i), m).store(g + i);
    });
}

// The weights of a piece move along their directions.
template <class T, std::size_t Moments, class Step>
void move_along(const Step& step, std::size_t count, const UpdateBlocks<T, Moments>& blocks, const T* directions,
                T ratio)
{
    each_pack_with_moments(count, blocks, [&]<class P>(P* m, std::size_t i) TENON_LAMBDA_INLINE {
        P w = P::load(blocks.weights + i);
        step.move(w, P::load(directions + i), ratio, m);
        w.store(blocks.weights + i);
    });
}

// One slot under an optimiser that needs whole slots: g becomes the directions.
template <class T, std::size_t Moments, class Step>
void update_whole_slot(const Team& team, const Step& step, std::size_t count, const UpdateBlocks<T, Moments>& blocks,
                       T* g, std::vector<double>& sums)
{
    const double weights = sum_over_pieces(team, count, sums, [&](std::size_t at, std::size_t size) {
        return sum_of_squares(size, static_cast<const T*>(blocks.weights + at));
    });
    const double directions = sum_over_pieces(team, count, sums, [&](std::size_t at, std::size_t size) {
        find_directions(step, size, blocks.from(at), g + at);
        return sum_of_squares(size, static_cast<const T*>(g + at));
    });
    const T ratio = step.ratio(std::sqrt(weights), std::sqrt(directions));
    each_piece(team, count, [&](std::size_t at, std::size_t size, std::size_t) {
        move_along(step, size, blocks.from(at), static_cast<const T*>(g + at), ratio);
    });
}

// One slot that is moved as a matrix (optimizers/muon.hpp).
template <class T, std::size_t Moments, class Step, class Matrices>
void update_matrix(const Team& team, const Step& step, std::size_t count, const UpdateBlocks<T, Moments>& blocks, T* g,
                   Matrices& matrices, std::size_t slot)
{
    each_piece(team, count, [&](std::size_t at, std::size_t size, std::size_t) {
        find_directions(step, size, blocks.from(at), g + at);
    });
    const T* directions = matrices.turned(team, slot, g);
    each_piece(team, count, [&](std::size_t at, std::size_t size, std::size_t) {
        move_along(step, size, blocks.from(at), directions + at, matrices.ratio(slot));
    });
}

// For every other optimiser.
struct NoMatrices {};

template <class Optimizer, class Net, class T>
concept MovesMatrices = Net::valid && requires
{
    typename Optimizer::template matrices<Net, T>;
};

template <class Optimizer, class Net, class T>
struct MatricesOf {
    using type = NoMatrices;
};
template <class Optimizer, class Net, class T>
requires MovesMatrices<Optimizer, Net, T> &&
    checked<typename Optimizer::template fits<Net, T>>::value struct MatricesOf<Optimizer, Net, T> {
    using type = typename Optimizer::template matrices<Net, T>;
};

// All slots that learn. g: gradients in the layout of the parameters; destroyed. Returns the norm, NaN if nobody asks for it.
template <class T, class Optimizer, std::size_t Moments, class Matrices = NoMatrices>
double update_slots(const Team& team, const Optimizer& optimizer, std::uint64_t t, double factor,
                    const UpdatePlan& plan, const UpdateBlocks<T, Moments>& blocks, T* g, Matrices&& matrices = {})
{
    std::vector<double> sums;
    const auto each_slot = [&](auto&& f) {
        for (std::size_t s = 0; s < plan.slots.size(); ++s)
            if (plan.slots[s].role == Role::learned && plan.of_slot[s].rate != 0)
                f(plan.slots[s].offset, plan.slots[s].storage, plan.of_slot[s], s);
    };
    double norm = std::numeric_limits<double>::quiet_NaN();
    each_slot([&](std::size_t offset, std::size_t count, const SlotPlan& own, std::size_t) {
        if (own.l1 != 0 || own.l2 != 0)
            each_piece(team, count, [&](std::size_t at, std::size_t size, std::size_t) {
                add_penalties(size, static_cast<const T*>(blocks.weights + offset + at), g + offset + at, own);
            });
        if (plan.keeps_pruned)
            each_piece(team, count, [&](std::size_t at, std::size_t size, std::size_t) {
                clear_pruned(size, static_cast<const T*>(blocks.weights + offset + at), g + offset + at);
            });
    });
    if (plan.most_norm > 0) {
        double squares = 0;
        each_slot([&](std::size_t offset, std::size_t count, const SlotPlan&, std::size_t) {
            squares += sum_over_pieces(team, count, sums, [&](std::size_t at, std::size_t size) {
                return sum_of_squares(size, static_cast<const T*>(g + offset + at));
            });
        });
        norm = std::sqrt(squares);
    }
    const bool clip = norm > plan.most_norm;
    each_slot([&](std::size_t offset, std::size_t count, const SlotPlan& own, [[maybe_unused]] std::size_t slot) {
        T* gradients = g + offset;
        const UpdateBlocks<T, Moments> part = blocks.from(offset);
        const auto step = optimizer_step<T>(optimizer, t, factor * own.rate);
        if (clip)
            each_piece(team, count, [&](std::size_t at, std::size_t size, std::size_t) {
                scale(size, gradients + at, static_cast<T>(plan.most_norm / norm));
            });
        if constexpr (!std::is_same_v<std::remove_cvref_t<Matrices>, NoMatrices>)
            if (matrices.takes(slot)) return update_matrix(team, step, count, part, gradients, matrices, slot);
        if constexpr (needs_whole_slots<Optimizer>())
            update_whole_slot(team, step, count, part, gradients, sums);
        else
            each_piece(team, count, [&](std::size_t at, std::size_t size, std::size_t) {
                apply_update(step, size, part.from(at), static_cast<const T*>(gradients + at));
            });
    });
    return norm;
}

}  // namespace tenon::detail
