// SPDX-License-Identifier: BSL-1.0
// Orthogonalisation against its naive twin in double, for sides from 1 to 65; against singular vectors that are known; and with
// the rows of its products shared out.
#include <tenon/core/random.hpp>
#include <tenon/kernels/orthogonalize.hpp>
#include <tenon/parallel/thread_pool.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

using namespace tenon;
namespace reference = kernels::reference;

namespace {

// Scalars between canaries.
template <class T>
class Guarded {
public:
    explicit Guarded(std::size_t size) : block_(size + 2 * guard, canary) {}
    T* data() { return block_.data() + guard; }
    T& operator[](std::size_t i) { return data()[i]; }
    const T& operator[](std::size_t i) const { return block_[guard + i]; }
    std::size_t size() const { return block_.size() - 2 * guard; }
    bool intact() const
    {
        for (std::size_t i = 0; i < guard; ++i)
            if (block_[i] != canary || block_[block_.size() - 1 - i] != canary) return false;
        return true;
    }

private:
    static constexpr std::size_t guard = 64;
    static constexpr T canary = T(-12345);
    std::vector<T> block_;
};

// Calls f with the width of the last panel as a constant.
template <class T, class F>
void with_last_width(std::size_t width, F f)
{
    constexpr std::size_t W = simd::width<T>;
    const auto tried = [&]<std::size_t Width>(std::integral_constant<std::size_t, Width> candidate) {
        if (width == Width) f(candidate);
        return width == Width;
    };
    bool done = tried(std::integral_constant<std::size_t, 0>{});
    if constexpr (W > 1) {
        done = done || tried(std::integral_constant<std::size_t, W>{});
        if constexpr (simd::panel_registers == 2) done = done || tried(std::integral_constant<std::size_t, 2 * W>{});
        if constexpr (simd::has_width<T, W / 2> && W / 2 > 1)
            done = done || tried(std::integral_constant<std::size_t, W / 2>{});
        if constexpr (simd::has_width<T, W / 4> && W / 4 > 1)
            done = done || tried(std::integral_constant<std::size_t, W / 4>{});
        if constexpr (simd::panel_registers == 4) {
            done = done || tried(std::integral_constant<std::size_t, 2 * W>{});
            done = done || tried(std::integral_constant<std::size_t, 3 * W>{});
            done = done || tried(std::integral_constant<std::size_t, 4 * W>{});
        }
    }
    REQUIRE(done);
}

// A matrix in panels of T, and the same in double, row-major.
template <class T>
struct Matrix {
    simd::PanelLayout<T> layout;
    std::vector<double> values;
    Guarded<T> x, y;

    Matrix(std::size_t K, std::size_t N, std::vector<double> from)
        : layout{K, N}, values(std::move(from)), x(layout.size()), y(layout.size())
    {
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = T(0);
        for (std::size_t i = 0; i < values.size(); ++i) {
            T& value = x[layout.index(i / N, i % N)];
            value = static_cast<T>(values[i]);
            values[i] = static_cast<double>(value);
        }
    }
    double at(std::size_t k, std::size_t n) const { return static_cast<double>(y[layout.index(k, n)]); }

    // The largest difference from the twin.
    double deviation() const
    {
        const std::size_t K = layout.rows, N = layout.logical;
        std::vector<double> expected(K * N);
        reference::orthogonalize(K, N, values.data(), expected.data());
        double worst = 0, all = 0, logical = 0;
        for (std::size_t i = 0; i < K * N; ++i) {
            worst = std::max(worst, std::fabs(at(i / N, i % N) - expected[i]));
            logical += std::fabs(at(i / N, i % N));
        }
        for (std::size_t i = 0; i < y.size(); ++i) all += std::fabs(static_cast<double>(y[i]));
        CHECK(all == doctest::Approx(logical).epsilon(1e-12));  // padding is zero
        CHECK(x.intact());
        CHECK(y.intact());
        return worst;
    }
};

std::vector<double> numbers(std::size_t count, std::uint64_t seed, double scale = 1)
{
    Random random{Seed{seed}};
    std::vector<double> values(count);
    for (double& value : values) value = scale * random.normal();
    return values;
}

// Scalars of workspace, for sides that are values.
template <class T>
std::size_t workspace_size(std::size_t K, std::size_t N)
{
    const std::size_t n = std::min(K, N);
    return 4 * kernels::detail::whole_lines<T>(simd::PanelLayout<T>{n, n}.size()) +
           (K < N ? simd::PanelLayout<T>{N, K}.size() : 0);
}

// Columns as many as rows, or fewer: one width of the last panel.
template <class T>
void run_tall(Matrix<T>& matrix, const Team& team = {})
{
    Guarded<T> workspace(workspace_size<T>(matrix.layout.rows, matrix.layout.logical));
    with_last_width<T>(matrix.layout.last_width(), [&](auto last) {
        kernels::detail::orthogonalize<T, decltype(last)::value, decltype(last)::value>(
            team, matrix.layout, matrix.x.data(), matrix.y.data(), workspace.data());
    });
    CHECK(workspace.intact());
}

template <class T, std::size_t K, std::size_t N>
void run(Matrix<T>& matrix, const Team& team = {})
{
    REQUIRE((kernels::orthogonalize_workspace<T, K, N>) == workspace_size<T>(K, N));
    Guarded<T> workspace(kernels::orthogonalize_workspace<T, K, N>);
    kernels::orthogonalize<T, K, N>(team, matrix.x.data(), matrix.y.data(), workspace.data());
    CHECK(workspace.intact());
}

template <class T>
constexpr double most = sizeof(T) == sizeof(float) ? 1e-4 : 1e-12;

void sweep()
{
    double worst = 0;
    const auto check = [&](std::size_t K, std::size_t N) {
        Matrix<float> matrix{K, N, numbers(K * N, K * 131 + N)};
        run_tall(matrix);
        CAPTURE(K);
        CAPTURE(N);
        const double difference = matrix.deviation();
        CHECK(difference < most<float>);
        worst = std::max(worst, difference);
    };
    for (std::size_t N = 1; N <= 65; ++N) check(N, N), check(N + (N * 29) % 67, N);
    for (const std::size_t K : {66u, 100u, 131u}) check(K, 7), check(K, 66), check(131, K);
    MESSAGE("largest difference: ", worst);
}

template <class T, std::size_t K, std::size_t N>
void check_shape()
{
    Matrix<T> matrix{K, N, numbers(K * N, K * 131 + N)};
    run<T, K, N>(matrix);
    CAPTURE(K);
    CAPTURE(N);
    CHECK(matrix.deviation() < most<T>);
}

// Orthonormal columns, (rows, columns): Gram-Schmidt, twice for the digits.
std::vector<double> orthonormal(std::size_t rows, std::size_t columns, std::uint64_t seed)
{
    std::vector<double> q = numbers(rows * columns, seed);
    const auto dot = [&](std::size_t a, std::size_t b) {
        double sum = 0;
        for (std::size_t r = 0; r < rows; ++r) sum += q[r * columns + a] * q[r * columns + b];
        return sum;
    };
    for (int twice = 0; twice < 2; ++twice)
        for (std::size_t c = 0; c < columns; ++c) {
            for (std::size_t before = 0; before < c; ++before) {
                const double part = dot(before, c);
                for (std::size_t r = 0; r < rows; ++r) q[r * columns + c] -= part * q[r * columns + before];
            }
            const double length = std::sqrt(dot(c, c));
            for (std::size_t r = 0; r < rows; ++r) q[r * columns + c] /= length;
        }
    return q;
}

}  // namespace

TEST_CASE("every size up to 65 columns, against the twin in double") { sweep(); }

TEST_CASE("more columns than rows, and double")
{
    check_shape<float, 2, 3>();
    check_shape<float, 9, 32>();
    check_shape<float, 33, 65>();
    check_shape<float, 65, 130>();
    check_shape<float, 16, 84>();
    check_shape<double, 9, 32>();
    check_shape<double, 70, 150>();
    check_shape<double, 95, 64>();
}

TEST_CASE("singular vectors stay, singular values come near 1")
{
    constexpr std::size_t K = 90, N = 40;
    const std::vector<double> u = orthonormal(K, N, 3), v = orthonormal(N, N, 4);
    // From 1 down to 0.01, which the norm brings to 0.36 and 0.0036.
    std::vector<double> s(N), x(K * N);
    for (std::size_t i = 0; i < N; ++i) s[i] = std::pow(0.01, static_cast<double>(i) / (N - 1));
    for (std::size_t k = 0; k < K; ++k)
        for (std::size_t n = 0; n < N; ++n)
            for (std::size_t i = 0; i < N; ++i) x[k * N + n] += 70 * u[k * N + i] * s[i] * v[n * N + i];
    Matrix<float> matrix{K, N, x};
    run_tall(matrix);
    double least = 2, largest = 0, beside = 0;
    for (std::size_t i = 0; i < N; ++i)
        for (std::size_t j = 0; j < N; ++j) {
            double sum = 0;  // uᵢᵀ y vⱼ
            for (std::size_t k = 0; k < K; ++k)
                for (std::size_t n = 0; n < N; ++n) sum += u[k * N + i] * matrix.at(k, n) * v[n * N + j];
            if (i != j)
                beside = std::max(beside, std::fabs(sum));
            else
                least = std::min(least, sum), largest = std::max(largest, sum);
        }
    MESSAGE("singular values from ", least, " to ", largest, ", beside the diagonal ", beside);
    CHECK(least > 0.68);
    CHECK(largest < 1.21);
    CHECK(beside < 3e-4);
}

TEST_CASE("rank 1, all zero, tiny and huge")
{
    const std::vector<double> a = numbers(50, 5), b = numbers(20, 6);
    std::vector<double> outer(50 * 20);
    for (std::size_t i = 0; i < outer.size(); ++i) outer[i] = a[i / 20] * b[i % 20];
    for (const double scale : {1.0, 1e-12, 1e-5, 1e15}) {
        std::vector<double> values = outer;
        for (double& value : values) value *= scale;
        CAPTURE(scale);
        Matrix<float> matrix{50, 20, values};
        run_tall(matrix);
        CHECK(matrix.deviation() < 1e-4);
    }
    Matrix<float> zero{50, 20, std::vector<double>(50 * 20)};
    run_tall(zero);
    for (std::size_t i = 0; i < zero.y.size(); ++i) CHECK(zero.y[i] == 0);
}

TEST_CASE("the same bits, whoever computes the rows and in whatever order")
{
    const auto check = [](const Team& team) {
        Matrix<float> alone{200, 150, numbers(200 * 150, 7)}, shared{200, 150, numbers(200 * 150, 7)};
        run_tall(alone);
        run_tall(shared, team);
        CHECK(std::memcmp(alone.y.data(), shared.y.data(), alone.y.size() * sizeof(float)) == 0);
        Matrix<float> wide{70, 200, numbers(70 * 200, 8)}, shared_wide{70, 200, numbers(70 * 200, 8)};
        run<float, 70, 200>(wide);
        run<float, 70, 200>(shared_wide, team);
        CHECK(std::memcmp(wide.y.data(), shared_wide.y.data(), wide.y.size() * sizeof(float)) == 0);
    };
    std::size_t calls = 0;
    check({.run =
               [](void* count, std::size_t parts, void (*task)(void*, std::size_t), void* data) {
                   for (std::size_t i = parts; i-- > 0;) task(data, i);
                   ++*static_cast<std::size_t*>(count);
               },
           .pool = &calls,
           .threads = 2});
    CHECK(calls > 15);
    ThreadPool pool{3};
    check(pool.team());
}
