// SPDX-License-Identifier: BSL-1.0
// The errors that kernels/transcendental.hpp states, measured: for every width, at arguments of every exponent and densely
// where the functions bend; special values; constant evaluation.
#include <tenon/kernels/reference/activations.hpp>
#include <tenon/kernels/transcendental.hpp>

#include <doctest/doctest.h>
#include <support/kernel_data.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace {

using namespace tenon;
using simd::Pack;

// What a float result is compared with is computed in double, a double one in long double.
template <class T>
struct Wider {
    using type = double;
};
template <>
struct Wider<double> {
    using type = long double;
};
template <class T>
using wider = typename Wider<T>::type;

// The distance of neighbouring numbers of type T at `exact`.
template <class T>
wider<T> ulp(wider<T> exact)
{
    using Limits = std::numeric_limits<T>;
    int exponent = 0;
    std::frexp(std::min(std::abs(exact), wider<T>(Limits::max())), &exponent);
    return std::ldexp(wider<T>(1), std::max(exponent, Limits::min_exponent) - Limits::digits);
}

// Arguments: 40 of each binary exponent and sign; 30,000 in (-20, 20); 30,000 over the range of exp; the neighbours of 0.
template <class T>
const std::vector<T>& arguments()
{
    static const std::vector<T> all = [] {
        using Limits = std::numeric_limits<T>;
        std::vector<T> x;
        Random random{Seed{5}};
        for (int exponent = Limits::min_exponent - Limits::digits; exponent <= Limits::max_exponent; ++exponent)
            for (int i = 0; i < 40; ++i)
                x.push_back(std::ldexp(static_cast<T>(0.5 + random.uniform() / 2), exponent) *
                            (i % 2 == 0 ? T(1) : T(-1)));
        const double range = sizeof(T) == 4 ? 105 : 750;
        for (int i = 0; i < 30000; ++i) x.push_back(static_cast<T>(40 * random.uniform() - 20));
        for (int i = 0; i < 30000; ++i) x.push_back(static_cast<T>(range * (2 * random.uniform() - 1)));
        for (int i = 0; i < 30000; ++i) x.push_back(static_cast<T>(2 * random.uniform() - 1));
        for (int i = 0; i < 20000; ++i) x.push_back(static_cast<T>(3 * random.uniform()));
        while (x.size() % 16 != 0) x.push_back(T(1));
        return x;
    }();
    return all;
}

// The largest error of f over all arguments, in ULP of the exact result. Overflow must come where rounding overflows.
// `flushes`: results below the smallest normal number may be 0.
template <class T, std::size_t W, class F, class Reference>
double worst_error(F f, Reference reference, bool flushes)
{
    double worst = 0;
    T y[W];
    const std::vector<T>& x = arguments<T>();
    for (std::size_t i = 0; i < x.size(); i += W) {
        f(Pack<T, W>::load(&x[i])).store(y);
        for (std::size_t lane = 0; lane < W; ++lane) {
            const wider<T> exact = reference(static_cast<wider<T>>(x[i + lane]));
            const T rounded = static_cast<T>(exact);
            if (std::isnan(rounded) || std::isinf(rounded) || std::isinf(y[lane])) {
                const bool same = std::isnan(rounded) ? std::isnan(y[lane]) : rounded == y[lane];
                if (!same) worst = std::numeric_limits<double>::infinity();
                continue;
            }
            if (flushes && std::abs(rounded) < std::numeric_limits<T>::min() && y[lane] == T(0)) continue;
            const wider<T> error = std::abs(static_cast<wider<T>>(y[lane]) - exact) / ulp<T>(exact);
            if (!(error <= static_cast<wider<T>>(worst))) worst = static_cast<double>(error);
        }
    }
    return worst;
}

template <class T, class F, class Reference>
void check_error(double bound_float, double bound_double, F f, Reference reference, bool flushes = false)
{
    const double bound = sizeof(T) == 4 ? bound_float : bound_double;
    support::for_each_width<T>([&]<std::size_t W>() {
        CAPTURE(W);
        CHECK(worst_error<T, W>(f, reference, flushes) <= bound);
    });
}

template <class T>
struct Specials {
    static constexpr T infinity = std::numeric_limits<T>::infinity();
    static constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    static constexpr T tiny = std::numeric_limits<T>::denorm_min();
    static constexpr T normal = std::numeric_limits<T>::min();
    static constexpr T most = std::numeric_limits<T>::max();
};

// f(x) in every lane of every width, with the sign of a zero.
template <class T, class F>
void check_value(F f, T x, T expected)
{
    support::for_each_width<T>([&]<std::size_t W>() {
        T y[W];
        f(Pack<T, W>(x)).store(y);
        for (const T value : y) {
            CAPTURE(W);
            CAPTURE(x);
            if (std::isnan(expected))
                CHECK(std::isnan(value));
            else {
                CHECK(value == expected);
                CHECK(std::signbit(value) == std::signbit(expected));
            }
        }
    });
}

// As values, so that they can be handed on.
namespace ours {
constexpr auto exp = [](auto x) { return kernels::exp(x); };
constexpr auto expm1 = [](auto x) { return kernels::expm1(x); };
constexpr auto log = [](auto x) { return kernels::log(x); };
constexpr auto log1p = [](auto x) { return kernels::log1p(x); };
constexpr auto sigmoid = [](auto x) { return kernels::sigmoid(x); };
constexpr auto softplus = [](auto x) { return kernels::softplus(x); };
constexpr auto tanh = [](auto x) { return kernels::tanh(x); };
constexpr auto erf = [](auto x) { return kernels::erf(x); };
}  // namespace ours

}  // namespace

TEST_CASE_TEMPLATE("exp and expm1 keep their stated errors", T, float, double)
{
    check_error<T>(1.1, 1.6, ours::exp, [](auto x) { return std::exp(x); });
    check_error<T>(1.8, 3, ours::expm1, [](auto x) { return std::expm1(x); });
}

TEST_CASE_TEMPLATE("log and log1p keep their stated errors", T, float, double)
{
    check_error<T>(1, 1, ours::log, [](auto x) { return std::log(x); });
    check_error<T>(1.5, 1.5, ours::log1p, [](auto x) { return std::log1p(x); });
}

TEST_CASE_TEMPLATE("sigmoid and softplus keep their stated errors", T, float, double)
{
    check_error<T>(
        2.5, 2.5, ours::sigmoid, [](auto x) { return kernels::reference::sigmoid(x); }, true);
    check_error<T>(
        3.5, 4, ours::softplus, [](auto x) { return kernels::reference::softplus(x); }, true);
}

TEST_CASE_TEMPLATE("tanh and erf keep their stated errors", T, float, double)
{
    const double unfused = simd::detail::fast_fma_float ? 0 : 0.5;
    check_error<T>(5 + unfused, 3, ours::tanh, [](auto x) { return std::tanh(x); });
    check_error<T>(6 + unfused, 3, ours::erf, [](auto x) { return std::erf(x); });
}

TEST_CASE_TEMPLATE("tanh, erf and sigmoid do not leave their range", T, float, double)
{
    support::for_each_width<T>([]<std::size_t W>() {
        const std::vector<T>& x = arguments<T>();
        std::size_t outside = 0;
        T y[W];
        const auto count = [&](auto lowest, auto f) {
            for (std::size_t i = 0; i < x.size(); i += W) {
                f(Pack<T, W>::load(&x[i])).store(y);
                for (const T value : y) outside += !(value >= T(lowest) && value <= T(1));
            }
        };
        count(-1, ours::tanh);
        count(-1, ours::erf);
        count(0, ours::sigmoid);
        CHECK(outside == 0);
    });
}

TEST_CASE_TEMPLATE("NaN gives NaN", T, float, double)
{
    const auto nan = Specials<T>::nan;
    check_value<T>(ours::exp, nan, nan);
    check_value<T>(ours::expm1, nan, nan);
    check_value<T>(ours::log, nan, nan);
    check_value<T>(ours::log1p, nan, nan);
    check_value<T>(ours::sigmoid, nan, nan);
    check_value<T>(ours::softplus, nan, nan);
    check_value<T>(ours::tanh, nan, nan);
    check_value<T>(ours::erf, nan, nan);
}

TEST_CASE_TEMPLATE("zeros, denormals, infinities and the largest numbers", T, float, double)
{
    using S = Specials<T>;
    for (const T small : {T(0), S::tiny, S::normal, 3 * S::normal / 2}) {
        check_value<T>(ours::exp, small, T(1));
        check_value<T>(ours::exp, -small, T(1));
        check_value<T>(ours::sigmoid, small, T(0.5));
        for (const T x : {small, -small}) {
            check_value<T>(ours::expm1, x, x);
            check_value<T>(ours::log1p, x, x);
            check_value<T>(ours::tanh, x, x);
        }
    }
    check_value<T>(ours::erf, T(0), T(0));
    check_value<T>(ours::erf, -T(0), -T(0));
    check_value<T>(ours::erf, S::tiny, S::tiny);
    check_value<T>(ours::log, T(0), -S::infinity);
    check_value<T>(ours::log, -T(0), -S::infinity);
    check_value<T>(ours::log, T(1), T(0));
    check_value<T>(ours::log, T(-1), S::nan);
    check_value<T>(ours::log, -S::tiny, S::nan);
    check_value<T>(ours::log1p, T(-1), -S::infinity);
    check_value<T>(ours::log1p, T(-2), S::nan);
    for (const T large : {S::infinity, S::most}) {
        check_value<T>(ours::exp, large, S::infinity);
        check_value<T>(ours::exp, -large, T(0));
        check_value<T>(ours::expm1, large, S::infinity);
        check_value<T>(ours::expm1, -large, T(-1));
        check_value<T>(ours::log, -large, S::nan);
        check_value<T>(ours::log1p, -large, S::nan);
        check_value<T>(ours::sigmoid, large, T(1));
        check_value<T>(ours::sigmoid, -large, T(0));
        check_value<T>(ours::softplus, large, large);
        check_value<T>(ours::softplus, -large, T(0));
        check_value<T>(ours::tanh, large, T(1));
        check_value<T>(ours::tanh, -large, T(-1));
        check_value<T>(ours::erf, large, T(1));
        check_value<T>(ours::erf, -large, T(-1));
    }
    check_value<T>(ours::log, S::infinity, S::infinity);
    check_value<T>(ours::log1p, S::infinity, S::infinity);
}

TEST_CASE_TEMPLATE("all widths give the same bits as one lane, where both fuse or neither does", T, float, double)
{
    if (!simd::detail::fast_fma_float || !simd::detail::fast_fma_double) return;
    const std::vector<T>& x = arguments<T>();
    support::for_each_width<T>([&]<std::size_t W>() {
        std::size_t different = 0;
        T wide[W];
        for (std::size_t i = 0; i + W <= 20000; i += W) {
            kernels::tanh(Pack<T, W>::load(&x[i])).store(wide);
            for (std::size_t lane = 0; lane < W; ++lane) {
                const T narrow = kernels::tanh(Pack<T, 1>(x[i + lane])).lanes;
                different += !(wide[lane] == narrow);
            }
        }
        CHECK(different == 0);
    });
}

namespace {

// Constant evaluation does not fuse: the last bits may differ from those at run time. An overflow (exp(1000)) is no
// constant expression, as in plain arithmetic.
template <class T>
constexpr bool close(Pack<T, 1> got, double expected)
{
    const double difference = static_cast<double>(got.lanes) - expected, size = expected < 0 ? -expected : expected;
    const double bound = 8 * static_cast<double>(std::numeric_limits<T>::epsilon()) * size;
    return difference <= bound && -difference <= bound;
}

template <class T>
constexpr bool at_compile_time()
{
    using P = Pack<T, 1>;
    constexpr T infinity = std::numeric_limits<T>::infinity();
    return close(kernels::exp(P(T(1))), 2.718281828459045) && close(kernels::exp(P(T(-2.5))), 0.08208499862389880) &&
           close(kernels::expm1(P(T(0.5))), 0.6487212707001282) && close(kernels::log(P(T(10))), 2.302585092994046) &&
           close(kernels::log1p(P(T(0.5))), 0.4054651081081644) &&
           close(kernels::tanh(P(T(0.5))), 0.4621171572600098) &&
           close(kernels::sigmoid(P(T(-2))), 0.11920292202211756) &&
           close(kernels::erf(P(T(0.5))), 0.5204998778130465) && close(kernels::erf(P(T(-2))), -0.9953222650189527) &&
           close(kernels::softplus(P(T(1))), 1.3132616875182228) && kernels::sigmoid(P(-infinity)).lanes == T(0) &&
           kernels::exp(P(-infinity)).lanes == T(0) && kernels::tanh(P(infinity)).lanes == T(1) &&
           kernels::log(P(T(0))).lanes == -infinity;
}
static_assert(at_compile_time<float>());
static_assert(at_compile_time<double>());

}  // namespace
