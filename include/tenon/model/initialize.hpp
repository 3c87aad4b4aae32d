// SPDX-License-Identifier: BSL-1.0
// Filling parameters before training, slot by slot in logical order, so that a seed gives the same weights on every
// instruction set.
#pragma once

#include <tenon/core/random.hpp>
#include <tenon/model/parameters.hpp>

#include <cmath>
#include <vector>

namespace tenon::inline TENON_ISA {

namespace detail {

struct Fans {
    double in;
    double out;
};

// Keras's rule: (in, out) for a matrix; for (kh, kw, in, out) both times the receptive field; the size for a vector.
inline Fans fans_of(const SlotInfo& slot)
{
    if (slot.rank == 0) return {1.0, 1.0};
    if (slot.rank == 1) return {static_cast<double>(slot.extents[0]), static_cast<double>(slot.extents[0])};
    double field = 1.0;
    for (std::size_t i = 0; i + 2 < slot.rank; ++i) field *= static_cast<double>(slot.extents[i]);
    return {field * static_cast<double>(slot.extents[slot.rank - 2]),
            field * static_cast<double>(slot.extents[slot.rank - 1])};
}

// A normal draw within two standard deviations, as Keras's variance scaling takes it.
inline double truncated_normal(Random& random)
{
    for (;;) {
        const double z = random.normal();
        if (z > -2.0 && z < 2.0) return z;
    }
}

// The standard deviation of that truncated normal, by which Keras divides to keep the stated variance.
inline constexpr double truncated_deviation = 0.87962566103423978;

// A (rows, columns) matrix with orthonormal rows or columns, whichever are fewer: Gram–Schmidt, twice, on normal draws.
// By std::fma: left to themselves, compilers contract products and sums for one instruction set and not for another, and
// a seed would not give the same weights everywhere.
inline std::vector<double> orthogonal_matrix(std::size_t rows, std::size_t columns, Random& random)
{
    const bool tall = rows >= columns;
    const std::size_t count = tall ? columns : rows, length = tall ? rows : columns;
    std::vector<double> vectors(count * length);
    for (std::size_t i = 0; i < count; ++i) {
        double* v = vectors.data() + i * length;
        for (std::size_t k = 0; k < length; ++k) v[k] = random.normal();
        for (int pass = 0; pass < 2; ++pass)
            for (std::size_t j = 0; j < i; ++j) {
                const double* u = vectors.data() + j * length;
                double dot = 0.0;
                for (std::size_t k = 0; k < length; ++k) dot = std::fma(u[k], v[k], dot);
                for (std::size_t k = 0; k < length; ++k) v[k] = std::fma(-dot, u[k], v[k]);
            }
        double norm = 0.0;
        for (std::size_t k = 0; k < length; ++k) norm = std::fma(v[k], v[k], norm);
        norm = std::sqrt(norm);
        for (std::size_t k = 0; k < length; ++k) v[k] /= norm;
    }
    std::vector<double> matrix(rows * columns);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c)
            matrix[r * columns + c] = tall ? vectors[c * length + r] : vectors[r * length + c];
    return matrix;
}

}  // namespace detail

// One slot by its initialiser. `stream` separates the slots of a network.
template <class Net, class P>
void initialize_slot(Parameters<Net, P>& parameters, const SlotInfo& slot, const Initializer& initializer, Seed seed,
                     std::uint64_t stream)
{
    using T = typename P::scalar;
    Random random{seed, stream};
    const detail::Fans fans = detail::fans_of(slot);
    switch (initializer.kind) {
    case Initializer::Kind::constant:
        for (std::size_t i = 0; i < slot.size; ++i) parameters.logical(slot, i) = static_cast<T>(initializer.scale);
        return;
    case Initializer::Kind::orthogonal: {
        const std::size_t columns = slot.rank == 0 ? 1 : slot.extents[slot.rank - 1];
        const auto matrix = detail::orthogonal_matrix(slot.size / columns, columns, random);
        for (std::size_t i = 0; i < slot.size; ++i)
            parameters.logical(slot, i) = static_cast<T>(initializer.scale * matrix[i]);
        return;
    }
    case Initializer::Kind::fan_in:
    case Initializer::Kind::fan_out:
    case Initializer::Kind::fan_average: break;
    }
    const double fan = initializer.kind == Initializer::Kind::fan_in    ? fans.in
                       : initializer.kind == Initializer::Kind::fan_out ? fans.out
                                                                        : (fans.in + fans.out) / 2.0;
    const double variance = initializer.scale / (fan < 1.0 ? 1.0 : fan);
    for (std::size_t i = 0; i < slot.size; ++i) {
        const double value =
            initializer.distribution == Initializer::Distribution::uniform
                ? std::sqrt(3.0 * variance) * (2.0 * random.uniform() - 1.0)
                : std::sqrt(variance) / detail::truncated_deviation * detail::truncated_normal(random);
        parameters.logical(slot, i) = static_cast<T>(value);
    }
}

// All slots by their own initialisers.
template <class Net, class P>
void initialize(Parameters<Net, P>& parameters, Seed seed)
{
    std::uint64_t stream = 0;
    for (const SlotInfo& slot : parameters.slots())
        tenon::initialize_slot(parameters, slot, slot.initializer, seed, ++stream);
}

}  // namespace tenon
