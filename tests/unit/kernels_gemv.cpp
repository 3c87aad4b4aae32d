// SPDX-License-Identifier: BSL-1.0
// One row times a matrix, where every extent is a constant: columns from 1 to 65 and depths from 1 to 65, and awkward ones.
#include <tenon/kernels/dense.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

using namespace tenon;

namespace {

template <class T>
using Kernel = void (*)(const T* x, const T* w, const T* bias, T* y);

template <class T>
void check_kernel(simd::PanelLayout<T> layout, Kernel<T> kernel)
{
    using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;
    constexpr std::size_t guard = 70;
    const std::size_t K = layout.rows, N = layout.logical;
    std::vector<T> x(K), w(layout.size(), T(1000)), bias(layout.columns(), T(-1000)), y(N + 2 * guard, T(-12345));
    auto state = static_cast<std::uint32_t>(K * 101 + N);
    const auto next = [&state] {
        state = state * 1664525u + 1013904223u;
        return T(static_cast<double>(state >> 8) / 8388608.0 - 1.0);
    };
    for (T& v : x) v = next();
    for (std::size_t k = 0; k < K; ++k)
        for (std::size_t n = 0; n < N; ++n) w[layout.index(k, n)] = next();
    for (std::size_t n = 0; n < N; ++n) bias[n] = next();

    std::size_t wrong = 0;
    for (const bool with_bias : {true, false}) {
        kernel(x.data(), w.data(), with_bias ? bias.data() : nullptr, y.data() + guard);
        for (std::size_t n = 0; n < N; ++n) {
            Wide sum = with_bias ? Wide(bias[n]) : Wide(0), magnitude = std::abs(sum);
            for (std::size_t k = 0; k < K; ++k) {
                sum += Wide(x[k]) * Wide(w[layout.index(k, n)]);
                magnitude += std::abs(Wide(x[k]) * Wide(w[layout.index(k, n)]));
            }
            const Wide bound = Wide(4 * (K + with_bias)) * Wide(std::numeric_limits<T>::epsilon()) * magnitude;
            wrong += !(std::abs(Wide(y[guard + n]) - sum) <= bound);
        }
    }
    for (std::size_t i = 0; i < guard; ++i) wrong += y[i] != T(-12345) || y[guard + N + i] != T(-12345);
    CAPTURE(K);
    CAPTURE(N);
    CHECK(wrong == 0);
}

// Little is instantiated per size: the kernel.
template <class T, std::size_t K, std::size_t N>
void check_one_row()
{
    check_kernel<T>(simd::Panels<T, K, N>::layout, [](const T* x, const T* w, const T* bias, T* y) {
        kernels::detail::gemv<T, K, N>(x, w, bias, y, kernels::Identity{});
    });
}

template <class T, std::size_t... I>
void sweep(std::index_sequence<I...>)
{
    (check_one_row<T, 5, I + 1>(), ...);
    (check_one_row<T, I + 1, 10>(), ...);
}

}  // namespace

TEST_CASE("one row, float")
{
    sweep<float>(std::make_index_sequence<65>{});
    check_one_row<float, 784, 128>();
    check_one_row<float, 783, 129>();
    check_one_row<float, 785, 3>();
    check_one_row<float, 33, 785>();
    check_one_row<float, 64, 65>();
    check_one_row<float, 65, 33>();
}

TEST_CASE("one row, with an activation")
{
    constexpr std::size_t K = 20, N = 70;
    using L = simd::Panels<float, K, N>;
    std::vector<float> x(K, 1.0f), w(L::size), bias(L::columns), y(N), expected(N);
    for (std::size_t n = 0; n < N; ++n)
        for (std::size_t k = 0; k < K; ++k) w[L::index(k, n)] = (n % 2 ? 0.5f : -0.5f) * static_cast<float>(k % 3);
    kernels::dense_forward<float, K, N>(1, x.data(), w.data(), bias.data(), y.data(), kernels::ReLU{});
    for (std::size_t n = 0; n < N; ++n) CHECK(y[n] == (n % 2 ? 9.5f : 0.0f));
    kernels::dense_forward<float, K, N>(1, x.data(), w.data(), bias.data(), y.data(), kernels::LeakyReLU{0.5});
    for (std::size_t n = 0; n < N; ++n) CHECK(y[n] == (n % 2 ? 9.5f : -4.75f));
    // The same through the many-row path, where the activation is applied afterwards.
    std::vector<float> many(7 * K, 1.0f), rows(7 * N);
    kernels::dense_forward<float, K, N>(7, many.data(), w.data(), bias.data(), rows.data(), kernels::LeakyReLU{0.5});
    for (std::size_t i = 0; i < 7 * N; ++i) CHECK(rows[i] == (i % N % 2 ? 9.5f : -4.75f));
}

TEST_CASE("one row, double")
{
    check_one_row<double, 784, 128>();
    check_one_row<double, 783, 1>();
    check_one_row<double, 65, 2>();
    check_one_row<double, 64, 3>();
    check_one_row<double, 37, 13>();
    check_one_row<double, 31, 65>();
    check_one_row<double, 3, 47>();
}

// The constant-evaluated path computes the same sums.
constexpr float evaluated(std::size_t rows)
{
    const float x[] = {1, 2, 3, 4, 5, 6};
    float w[simd::Panels<float, 3, 2>::size] = {};
    float bias[simd::Panels<float, 3, 2>::columns] = {10, 20};
    for (std::size_t k = 0; k < 3; ++k)
        for (std::size_t n = 0; n < 2; ++n) w[simd::Panels<float, 3, 2>::index(k, n)] = float(k + 10 * n);
    float y[4] = {};
    kernels::dense_forward<float, 3, 2>(rows, x, w, bias, y);
    return y[0] + y[1] + y[2] + y[3];
}
static_assert(evaluated(1) == 10 + 8 + 20 + 68);

TEST_CASE("constant evaluation and run time agree")
{
    constexpr float compiled = evaluated(2);
    CHECK(compiled == evaluated(2));
}
