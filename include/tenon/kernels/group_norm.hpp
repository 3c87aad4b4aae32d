// SPDX-License-Identifier: BSL-1.0
// Group normalisation (Wu & He 2018): statistics of each sample's groups of channels over all positions. Sums are taken
// channel by channel, a pack of channels at a time, and then joined group by group, so that groups of any width fill the
// registers. The variance is summed from the deviations after the mean is known.
#pragma once

#include <tenon/kernels/batch_norm.hpp>

namespace tenon::inline TENON_ISA::kernels {

// A sample: positions · channels values, channels last, in `groups` runs of neighbouring channels.
struct GroupShape {
    std::size_t positions, channels, groups;

    constexpr std::size_t size() const { return positions * channels; }
    constexpr std::size_t width() const { return channels / groups; }
};

namespace detail {

// sums[c] becomes the mean of its group's sums over `count` values; group_means, unless null, holds each group's once.
template <class T>
constexpr void group_means(const GroupShape& s, T* sums, T* means)
{
    const T share = T(1) / static_cast<T>(s.positions * s.width());
    for (std::size_t g = 0; g < s.groups; ++g) {
        T sum = T(0);
        for (std::size_t c = g * s.width(); c < (g + 1) * s.width(); ++c) sum += sums[c];
        sum *= share;
        for (std::size_t c = g * s.width(); c < (g + 1) * s.width(); ++c) sums[c] = sum;
        if (means != nullptr) means[g] = sum;
    }
}

}  // namespace detail

// y = (x - mean) · rstd · gamma + beta, rstd = 1 / sqrt(variance + epsilon), for each sample and group.
// x, y: (rows, positions, channels), y may be x; gamma, beta: (channels); mean, rstd: (rows, groups), kept for the gradient
// unless null; scratch: 2 · channels.
template <class T>
constexpr void group_norm(std::size_t rows, const GroupShape& s, const T* x, const T* gamma, const T* beta,
                          std::type_identity_t<T> epsilon, T* y, std::type_identity_t<T>* mean,
                          std::type_identity_t<T>* rstd, T* scratch)
{
    T* const centre = scratch;
    T* const factor = scratch + s.channels;
    for (std::size_t r = 0; r < rows; ++r, x += s.size(), y += s.size()) {
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            detail::store(centre + c,
                          detail::blocked_sum<P>(s.positions,
                                                 [&](std::size_t p) TENON_LAMBDA_INLINE {
                                                     return detail::load<P>(x + p * s.channels + c, whole, lanes);
                                                 }),
                          whole, lanes);
        });
        detail::group_means(s, centre, mean == nullptr ? nullptr : mean + r * s.groups);
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            const P own = detail::load<P>(centre + c, whole, lanes);
            detail::store(factor + c,
                          detail::blocked_sum<P>(s.positions,
                                                 [&](std::size_t p) TENON_LAMBDA_INLINE {
                                                     const P d = detail::load<P>(x + p * s.channels + c, whole, lanes) -
                                                                 own;
                                                     return d * d;
                                                 }),
                          whole, lanes);
        });
        detail::group_means(s, factor, static_cast<T*>(nullptr));
        for (std::size_t c = 0; c < s.channels; ++c)
            factor[c] = T(1) / sqrt(simd::Pack<T, 1>(factor[c] + epsilon)).lanes;
        if (rstd != nullptr)
            for (std::size_t g = 0; g < s.groups; ++g) rstd[r * s.groups + g] = factor[g * s.width()];
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            const P own = detail::load<P>(centre + c, whole, lanes), shift = detail::load<P>(beta + c, whole, lanes);
            const P scale = detail::load<P>(factor + c, whole, lanes) * detail::load<P>(gamma + c, whole, lanes);
            for (std::size_t p = 0; p < s.positions; ++p) {
                const std::size_t at = p * s.channels + c;
                detail::store(y + at, fma(detail::load<P>(x + at, whole, lanes) - own, scale, shift), whole, lanes);
            }
        });
    }
}

// With n = (x - mean) · rstd and g = dy · gamma:   dx = rstd · (g - average(g) - n · average(g · n)) over each group.
// x, dy, dx: (rows, positions, channels), dx may be null or dy; mean, rstd: (rows, groups) from group_norm;
// sums: (rows, 2, channels) becomes Σ dy and Σ dy · n over the positions; scratch: 4 · channels.
template <class T>
void group_norm_gradient(std::size_t rows, const GroupShape& s, const T* x, const T* gamma, const T* mean,
                         const T* rstd, const T* dy, T* dx, T* sums, T* scratch)
{
    T* const centre = scratch;                    // of each channel's group
    T* const inverse = scratch + s.channels;      // 1 / sqrt(variance + epsilon)
    T* const average = scratch + 2 * s.channels;  // of g
    T* const product = scratch + 3 * s.channels;  // of g · n
    for (std::size_t r = 0; r < rows; ++r, x += s.size(), dy += s.size(), sums += 2 * s.channels) {
        for (std::size_t c = 0; c < s.channels; ++c) {
            centre[c] = mean[r * s.groups + c / s.width()];
            inverse[c] = rstd[r * s.groups + c / s.width()];
        }
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            const P own = detail::load<P>(centre + c, whole, lanes), scale = detail::load<P>(inverse + c, whole, lanes);
            const auto gradient = [&](std::size_t p) TENON_LAMBDA_INLINE {
                return detail::load<P>(dy + p * s.channels + c, whole, lanes);
            };
            const P sum = detail::blocked_sum<P>(s.positions, gradient);
            const P products = detail::blocked_sum<P>(s.positions, [&](std::size_t p) TENON_LAMBDA_INLINE {
                return gradient(p) * ((detail::load<P>(x + p * s.channels + c, whole, lanes) - own) * scale);
            });
            const P weight = detail::load<P>(gamma + c, whole, lanes);
            detail::store(sums + c, sum, whole, lanes);
            detail::store(sums + s.channels + c, products, whole, lanes);
            detail::store(average + c, weight * sum, whole, lanes);
            detail::store(product + c, weight * products, whole, lanes);
        });
        if (dx == nullptr) continue;
        detail::group_means(s, average, static_cast<T*>(nullptr));
        detail::group_means(s, product, static_cast<T*>(nullptr));
        detail::for_each_pack<T>(s.channels, [&]<class P>(std::size_t c, auto whole, std::size_t lanes) {
            const P own = detail::load<P>(centre + c, whole, lanes), scale = detail::load<P>(inverse + c, whole, lanes);
            const P weight = detail::load<P>(gamma + c, whole, lanes);
            const P all = detail::load<P>(average + c, whole, lanes), most = detail::load<P>(product + c, whole, lanes);
            for (std::size_t p = 0; p < s.positions; ++p) {
                const std::size_t at = p * s.channels + c;
                const P normal = (detail::load<P>(x + at, whole, lanes) - own) * scale;
                const P g = fma(detail::load<P>(dy + at, whole, lanes), weight, -all);
                detail::store(dx + at, scale * fma(-normal, most, g), whole, lanes);
            }
        });
        dx += s.size();
    }
}

// dgamma += Σ over rows of Σ dy · n, dbeta += Σ over rows of Σ dy, in the order of the rows, for the channels
// [begin, end). sums: (rows, 2, channels) from group_norm_gradient.
template <class T>
void group_norm_parameter_gradient(std::size_t rows, std::size_t channels, const T* sums, T* dgamma, T* dbeta,
                                   std::size_t begin, std::size_t end)
{
    for (std::size_t r = 0; r < rows; ++r, sums += 2 * channels) {
        add(end - begin, sums + begin, dbeta + begin);
        add(end - begin, sums + channels + begin, dgamma + begin);
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
