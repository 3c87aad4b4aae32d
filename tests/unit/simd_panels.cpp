// SPDX-License-Identifier: BSL-1.0
// The panel layout is a one-to-one map into its storage and pads no more than needed.
#include <tenon/simd/panels.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

using namespace tenon;

namespace {

template <class T>
void check_layouts()
{
    const std::size_t W = simd::width<T>;
    for (std::size_t K : {std::size_t(1), std::size_t(3), std::size_t(16)})
        for (std::size_t N = 1; N <= 3 * simd::panel_width<T> + 1; ++N) {
            const simd::PanelLayout<T> layout{K, N};
            CAPTURE(K);
            CAPTURE(N);
            CHECK(layout.columns() >= N);
            CHECK(layout.columns() < N + W);
            CHECK(layout.size() == K * layout.columns());
            std::vector<int> used(layout.size());
            for (std::size_t k = 0; k < K; ++k)
                for (std::size_t n = 0; n < N; ++n) ++used.at(layout.index(k, n));
            std::size_t once = 0;
            for (int count : used) once += count == 1;
            CHECK(once == K * N);
            // Neighbours within a panel are neighbours in memory.
            for (std::size_t n = 1; n < N; ++n)
                if (n % layout.full_width() != 0) CHECK(layout.index(0, n) == layout.index(0, n - 1) + 1);
        }
}

}  // namespace

TEST_CASE("panels hold each element once")
{
    check_layouts<float>();
    check_layouts<double>();
}

TEST_CASE("panels of known extents")
{
    static_assert(simd::Panels<float, 784, 128>::size == 784 * 128);
    static_assert(simd::Panels<float, 128, 10>::columns >= 10 && simd::Panels<float, 128, 10>::columns <= 16);
    static_assert(simd::Panels<float, 3, 2>::columns <= 4);
    static_assert(simd::Panels<float, 3, 5>::index(0, 4) == 4);
    if constexpr (simd::width<float> == 1) CHECK(simd::Panels<float, 3, 5>::size == 15);
}
