// SPDX-License-Identifier: BSL-1.0
// Every operation of Pack against plain scalar arithmetic, for every width that the target has.
#include <tenon/simd/pack.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>

namespace {

using namespace tenon;
using simd::Pack;

template <class T, std::size_t W>
struct Case {
    using P = Pack<T, W>;
    static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    static constexpr T infinity = std::numeric_limits<T>::infinity();

    // Awkward values, rotated so that each lane meets each of them.
    static constexpr T values[] = {T(0),    T(-0.0),  T(1),    T(-1),     T(0.5),       T(1.5),  T(2.5),   T(-2.5),
                                   T(3.25), T(-7.75), T(1e10), T(-1e-10), T(4194305.5), T(1e30), infinity, -infinity};
    static constexpr std::size_t count = sizeof(values) / sizeof(T);

    T a[W], b[W], c[W], r[W];

    static bool same(T x, T y)
    {
        return (std::isnan(x) && std::isnan(y)) || (x == y && std::signbit(x) == std::signbit(y));
    }

    template <class F>
    void sweep(F f)
    {
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t j = 0; j < count; ++j) {
                for (std::size_t l = 0; l < W; ++l) {
                    a[l] = values[(i + l) % count];
                    b[l] = values[(j + 3 * l) % count];
                    c[l] = values[(i + j + 5 * l) % count];
                }
                f(P::load(a), P::load(b), P::load(c));
            }
    }
    template <class Vector, class Scalar>
    void check(Vector vector, Scalar scalar)
    {
        std::size_t wrong = 0;
        sweep([&](P x, P y, P z) {
            vector(x, y, z).store(r);
            for (std::size_t l = 0; l < W; ++l) wrong += !same(r[l], scalar(a[l], b[l], c[l]));
        });
        CHECK(wrong == 0);
    }

    void arithmetic()
    {
        check([](P x, P y, P) { return x + y; }, [](T x, T y, T) { return x + y; });
        check([](P x, P y, P) { return x - y; }, [](T x, T y, T) { return x - y; });
        check([](P x, P y, P) { return x * y; }, [](T x, T y, T) { return x * y; });
        check([](P x, P y, P) { return x / y; }, [](T x, T y, T) { return x / y; });
        check([](P x, P, P) { return -x; }, [](T x, T, T) { return -x; });
        check([](P x, P y, P) { return x += y; }, [](T x, T y, T) { return x + y; });
        check([](P x, P, P) { return x * T(2) + T(1); }, [](T x, T, T) { return x * T(2) + T(1); });
        check([](P x, P, P) { return abs(x); }, [](T x, T, T) { return std::abs(x); });
        check([](P x, P, P) { return sqrt(abs(x)); }, [](T x, T, T) { return std::sqrt(std::abs(x)); });
        check([](P x, P, P) { return round(x); }, [](T x, T, T) { return std::nearbyint(x); });
        check([](P x, P y, P) { return copy_sign(x, y); }, [](T x, T y, T) { return std::copysign(x, y); });
        check([](P x, P y, P z) { return select(x < y, y, z); }, [](T x, T y, T z) { return x < y ? y : z; });
        check([](P x, P y, P z) { return select(x <= y, y, z); }, [](T x, T y, T z) { return x <= y ? y : z; });
        check([](P x, P y, P z) { return select(x > y, y, z); }, [](T x, T y, T z) { return x > y ? y : z; });
        check([](P x, P y, P z) { return select(x >= y, y, z); }, [](T x, T y, T z) { return x >= y ? y : z; });
        check([](P x, P y, P z) { return select(x == y, y, z); }, [](T x, T y, T z) { return x == y ? y : z; });
        check([](P x, P y, P z) { return select(x != y, y, z); }, [](T x, T y, T z) { return x != y ? y : z; });
        check([](P x, P y, P z) { return select((x < y) & (y < z), x, z); },
              [](T x, T y, T z) { return x < y && y < z ? x : z; });
        check([](P x, P y, P z) { return select((x < y) | !(y < z), x, z); },
              [](T x, T y, T z) { return x < y || !(y < z) ? x : z; });
        check([](P x, P y, P) { return max(x, y) + T(0); }, [](T x, T y, T) { return (x > y ? x : y) + T(0); });
        check([](P x, P y, P) { return min(x, y) + T(0); }, [](T x, T y, T) { return (x < y ? x : y) + T(0); });

        const P not_a_number = nan;
        CHECK(!any(not_a_number == not_a_number));
        CHECK(all(not_a_number != not_a_number));
        CHECK(!any(not_a_number < P(T(1))));
        CHECK(!any(not_a_number >= P(T(1))));
        (round(not_a_number)).store(r);
        for (T x : r) CHECK(std::isnan(x));
    }

    void fused()
    {
        // With fused multiply-add the product keeps the bits that tell it from its rounding.
        const T e = std::numeric_limits<T>::epsilon();
        fma(P(1 + e), P(1 - e), P(T(-1))).store(r);
#if defined(__FMA__) || defined(__aarch64__)
        for (T x : r) CHECK(x == -e * e);
#else
        for (T x : r) CHECK((x == -e * e || x == T(0)));
#endif
        fma(P(T(3)), P(T(4)), P(T(5))).store(r);
        for (T x : r) CHECK(x == T(17));
    }

    void memory()
    {
        T buffer[3 * W], out[3 * W];
        for (std::size_t n = 0; n <= W; ++n) {
            for (std::size_t i = 0; i < 3 * W; ++i) {
                buffer[i] = nan;
                out[i] = T(-5);
            }
            for (std::size_t i = 0; i < n; ++i) buffer[W + i] = T(i + 1);
            const P x = P::load_partial(buffer + W, n);
            x.store(r);
            for (std::size_t l = 0; l < W; ++l) CHECK(r[l] == (l < n ? T(l + 1) : T(0)));
            (x + T(1)).store_partial(out + W, n);
            for (std::size_t i = 0; i < 3 * W; ++i) CHECK(out[i] == (i >= W && i < W + n ? T(i - W + 2) : T(-5)));
        }
    }

    void reductions()
    {
        for (std::size_t l = 0; l < W; ++l) {
            a[l] = T(l * l) - T(3);
            b[l] = T(-1) - T(l);
        }
        T sum = 0;
        for (T x : a) sum += x;
        CHECK(reduce_add(P::load(a)) == sum);
        CHECK(reduce_max(P::load(b)) == T(-1));
        for (std::size_t l = 0; l < W; ++l) {
            b[l] = T(100);
            CHECK(reduce_max(P::load(b)) == T(100));
            b[l] = T(-1000);
        }
    }

    void parts()
    {
        const int lowest = std::numeric_limits<T>::min_exponent - 1, highest = std::numeric_limits<T>::max_exponent - 1;
        for (int n = lowest; n <= highest; ++n) {
            pow2(P(T(n))).store(r);
            for (T x : r) CHECK(x == std::ldexp(T(1), n));
            const P x = std::ldexp(T(1.75), n);
            exponent(x).store(r);
            for (T e : r) CHECK(e == T(n));
            mantissa(x).store(r);
            for (T m : r) CHECK(m == T(1.75));
        }
    }
};

template <class T, std::size_t W>
void run()
{
    if constexpr (simd::has_width<T, W>) {
        CAPTURE(W);
        Case<T, W> test;
        test.arithmetic();
        test.fused();
        test.memory();
        test.reductions();
        test.parts();
    }
}

}  // namespace

TEST_CASE("Pack computes what scalars compute, at every width")
{
    run<float, 1>();
    run<float, 4>();
    run<float, 8>();
    run<float, 16>();
    run<double, 1>();
    run<double, 2>();
    run<double, 4>();
    run<double, 8>();
    static_assert(simd::has_width<float, simd::width<float>> && simd::has_width<double, simd::width<double>>);
}

TEST_CASE("a pack of one lane works in constant expressions")
{
    using P = Pack<float, 1>;
    static_assert(fma(P(3), P(4), P(5)).lanes == 17);
    static_assert(sqrt(P(2)).lanes > 1.41421f && sqrt(P(2)).lanes < 1.414214f && sqrt(P(0)).lanes == 0);
    static_assert(sqrt(P(9)).lanes == 3 && sqrt(P(1e-20f)).lanes > 0.99e-10f && sqrt(P(1e-20f)).lanes < 1.01e-10f);
    static_assert(round(P(2.5f)).lanes == 2 && round(P(-3.5f)).lanes == -4);
    static_assert(pow2(P(10)).lanes == 1024 && exponent(P(0.3f)).lanes == -2 && mantissa(P(0.3f)).lanes == 1.2f);
    static_assert(select(P(1) < P(2), P(3), P(4)).lanes == 3);
    static_assert(max(P(1), 2.0f).lanes == 2 && abs(P(-1)).lanes == 1);
    static_assert(reduce_add(P(3)) == 3 && reduce_max(P(3)) == 3);
}
