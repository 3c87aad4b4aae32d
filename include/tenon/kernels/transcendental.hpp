// SPDX-License-Identifier: BSL-1.0
//
// exp, log, tanh, sigmoid, erf and relatives on Pack<T, W>: float and double, any width. One lane needs no mathematical
// library and works in constant expressions. NaN gives NaN; ±0, denormals and ±inf are treated as each comment says.
// The errors stated are bounds on what tests/unit/transcendental.cpp finds (all exponents and random arguments, every
// width, with and without FMA), float first, then double; ULP are those of the exact result. Coefficients are minimax fits made for this file (Lawson's
// algorithm in 113-bit arithmetic), unless a source is named.
#pragma once

#include <tenon/config.hpp>
#include <tenon/simd/pack.hpp>

#include <cstddef>
#include <limits>
#include <type_traits>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

using simd::Pack;

// The polynomial with these coefficients, highest power first, by Horner's rule.
template <class T, std::size_t W, class... Coefficients>
TENON_ALWAYS_INLINE constexpr Pack<T, W> horner(Pack<T, W> x, double highest, Coefficients... lower)
{
    Pack<T, W> sum = static_cast<T>(highest);
    ((sum = fma(sum, x, Pack<T, W>(static_cast<T>(lower)))), ...);
    return sum;
}

template <class T>
struct ExpRange;
template <>
struct ExpRange<float> {
    static constexpr float ln2_high = 0.693359375f;  // n · ln2_high is exact for every n that occurs
    static constexpr float ln2_low = -2.12194440e-4f;
    static constexpr float zero = -88.0f;     // here n is -127: 2^n by its bits is 0
    static constexpr float infinity = 88.8f;  // here n is 128: 2^n by its bits is inf
    static constexpr float lowest = -104.0f;  // exp rounds to 0
    static constexpr float highest = 89.0f;   // exp overflows
    static constexpr float spare = 64.0f;     // see exp
    static constexpr float spare_factor = 0x1p64f;
    static constexpr float expm1_lowest = -18.0f;  // expm1 is -1
};
template <>
struct ExpRange<double> {
    static constexpr double ln2_high = 6.93147180369123816490e-01;
    static constexpr double ln2_low = 1.90821492927058770002e-10;
    static constexpr double zero = -709.0;
    static constexpr double infinity = 709.9;
    static constexpr double lowest = -746.0;
    static constexpr double highest = 710.0;
    static constexpr double spare = 512.0;
    static constexpr double spare_factor = 0x1p512;
    static constexpr double expm1_lowest = -40.0;
};

// x = n · ln 2 + r with |r| <= ln 2 / 2, so that exp(x) = 2^n · (1 + m) with m = expm1(r).
template <class T, std::size_t W>
struct ExpParts {
    Pack<T, W> n;
    Pack<T, W> scale;  // 2^n by its bits: 0 and inf at the ends of the exponent field
    Pack<T, W> m;
};

template <class T>
inline constexpr T exponent_magic = simd::detail::magic<T> + T(simd::detail::Bits<T>::bias);

// With `magic` other than exponent_magic by a whole number, `scale` is another power of two by as much.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr ExpParts<T, W> exp_parts(Pack<T, W> x, Pack<T, W> magic = exponent_magic<T>)
{
    using P = Pack<T, W>;
    using Range = ExpRange<T>;
    // Adding the magic number rounds x / ln 2 to a whole number and leaves n + bias in the low bits.
    const P k = fma(x, P(T(1.44269504088896340736)), magic);
    const P n = k - magic;
    const P r = fma(n, P(-Range::ln2_low), fma(n, P(-Range::ln2_high), x));
    P q;  // (expm1(r) - r) / r^2
    if constexpr (std::is_same_v<T, float>)
        q = horner(r, 0.00138825212947132464924, 0.008366520589233897597, 0.0416671998621729538999,
                   0.166665436208850984741, 0.499999981540397456112);
    else
        q = horner(r, 2.50537785016004297781e-08, 2.76260379079425426177e-07, 2.75574075324698067444e-06,
                   2.48015052737047601133e-05, 0.000198412697190165845895, 0.00138888889315649993579,
                   0.00833333333338954879878, 0.0416666666665767540595, 0.166666666666665892822, 0.5);
    return {n, k.template bit_shift_left<simd::detail::Bits<T>::mantissa>(), fma(r * r, q, r)};
}

// exp for x <= 0; results below the smallest normal number may become 0.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr Pack<T, W> exp_nonpositive(Pack<T, W> x)
{
    using P = Pack<T, W>;
    const auto parts = exp_parts(max(P(ExpRange<T>::zero), x));
    return (parts.m + P(T(1))) * parts.scale;
}

// exp whose results below the smallest normal number may become 0, and above half of the largest one inf.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr Pack<T, W> exp_bounded(Pack<T, W> x)
{
    return exp_nonpositive(min(Pack<T, W>(ExpRange<T>::infinity), x));
}

// expm1 for x <= 0. The result is lost to rounding, but not wrong, where x is denormal.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr Pack<T, W> expm1_nonpositive(Pack<T, W> x)
{
    using P = Pack<T, W>;
    const auto parts = exp_parts(max(P(ExpRange<T>::expm1_lowest), x));
    return fma(parts.scale, parts.m, parts.scale - P(T(1)));
}

}  // namespace detail

// e^x. Max error 1.1 and 1.6 ULP, for every x, denormal results included.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr simd::Pack<T, W> exp(simd::Pack<T, W> x)
{
    using P = simd::Pack<T, W>;
    using Range = detail::ExpRange<T>;
    // 2^n leaves the range of normal exponents at both ends, so a factor of 2^±spare is kept apart until the end.
    const auto negative = x < P(T(0));
    const P magic = select(negative, P(detail::exponent_magic<T> + Range::spare),
                           P(detail::exponent_magic<T> - Range::spare));
    const auto parts = detail::exp_parts(min(P(Range::highest), max(P(Range::lowest), x)), magic);
    return (parts.m + P(T(1))) * parts.scale * select(negative, P(1 / Range::spare_factor), P(Range::spare_factor));
}

// e^x - 1 without cancellation near 0. Max error 1.8 and 3 ULP, for every x.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr simd::Pack<T, W> expm1(simd::Pack<T, W> x)
{
    using P = simd::Pack<T, W>;
    using Range = detail::ExpRange<T>;
    const auto parts = detail::exp_parts(min(P(Range::highest), max(P(Range::expm1_lowest), x)));
    // 2^n (1 + m) - 1 as 2 (2^(n-1) m + (2^(n-1) - 1/2)): at the upper end 2^n alone would overflow.
    const P half = simd::pow2(parts.n - P(T(1)));
    const P result = fma(half, parts.m, half - P(T(0.5))) * P(T(2));
    return select(abs(x) < P(std::numeric_limits<T>::epsilon() / 4), x, result);
}

// Natural logarithm. Max error 1 ULP in both, for every x > 0; log(0) = -inf, negative arguments give NaN.
// Formula: FreeBSD's e_log.c (Ng 1993), with f - (f²/2 - s (f²/2 + R)), s = f / (2 + f).
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr simd::Pack<T, W> log(simd::Pack<T, W> x)
{
    using P = simd::Pack<T, W>;
    using Limits = std::numeric_limits<T>;
    constexpr T digits = T(Limits::digits);
    const auto denormal = x < P((Limits::min)());
    const P normal = select(denormal, x * P(T(std::uint64_t{1} << Limits::digits)), x);
    P m = simd::mantissa(normal);
    P n = simd::exponent(normal) - select(denormal, P(digits), P(T(0)));
    const auto large = m > P(T(1.41421356237309504880));  // then m / 2: f is between √½ - 1 and √2 - 1
    m = select(large, m * P(T(0.5)), m);
    n = select(large, n + P(T(1)), n);

    const P f = m - P(T(1));
    const P s = f / (f + P(T(2)));
    const P z = s * s;
    P r;  // (log(1 + f) - 2 s) / s^3
    if constexpr (std::is_same_v<T, float>)
        r = detail::horner(z, 0.295830764425826872398, 0.399886961690737932894, 0.666666853215630083782);
    else
        r = detail::horner(z, 0.146190973274609580022, 0.153314977055658244496, 0.181828962107889367548,
                           0.222222110316778262705, 0.285714286266521091961, 0.399999999998978853595,
                           0.666666666666666974869);
    const P half_square = P(T(0.5)) * f * f;
    const P tail = fma(s, fma(z, r, half_square), n * P(detail::ExpRange<T>::ln2_low));
    P result = fma(n, P(detail::ExpRange<T>::ln2_high), f - (half_square - tail));
    result = select(x < P(Limits::infinity()), result, x);
    return select(x > P(T(0)), result, select(x == P(T(0)), P(-Limits::infinity()), P(Limits::quiet_NaN())));
}

// log(1 + x) without cancellation near 0. Max error 1.5 ULP in both, for every x > -1; log1p(-1) = -inf, below NaN.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr simd::Pack<T, W> log1p(simd::Pack<T, W> x)
{
    using P = simd::Pack<T, W>;
    const P u = x + P(T(1));
    // What rounding took away from u, to first order.
    const P correction = (x - (u - P(T(1)))) / u;
    const P result = log(u) + correction;
    const auto ordinary = (x > P(T(-1))) & (x < P(std::numeric_limits<T>::infinity()));
    return select(abs(x) < P(std::numeric_limits<T>::epsilon() / 4), x, select(ordinary, result, log(u)));
}

// 1 / (1 + e^-x). Max error 2.5 ULP in both where the result is a normal number; smaller ones may become 0.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr simd::Pack<T, W> sigmoid(simd::Pack<T, W> x)
{
    using P = simd::Pack<T, W>;
    return P(T(1)) / (P(T(1)) + detail::exp_bounded(-x));
}

// log(1 + e^x) = max(x, 0) + log1p(e^-|x|), so that nothing overflows. Max error 3.5 and 4 ULP where the result is
// a normal number; smaller ones may become 0.
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr simd::Pack<T, W> softplus(simd::Pack<T, W> x)
{
    using P = simd::Pack<T, W>;
    const P e = detail::exp_nonpositive(-abs(x));
    const P s = e / (e + P(T(2)));  // log(1 + e) = 2 artanh(s), s in [0, 1/3]
    const P z = s * s;
    P r;  // 2 artanh(s) / s
    if constexpr (std::is_same_v<T, float>)
        r = detail::horner(z, 0.28011989850104068855, 0.280018045306213630172, 0.400215272966657556518,
                           0.66666416284285440159, 2.0);
    else
        r = detail::horner(z, 0.170097612166654718605, 0.0834496921132938051201, 0.121049453866382211071,
                           0.133011213227966867734, 0.15386548396669113531, 0.181817444788984578993,
                           0.222222239536511364657, 0.285714285481179345981, 0.4000000000015511664,
                           0.666666666666663097003, 2.0);
    return fma(s, r, max(P(T(0)), x));
}

// Hyperbolic tangent, for every x; never beyond ±1. Max error 5 and 3 ULP (5.5 without FMA).
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr simd::Pack<T, W> tanh(simd::Pack<T, W> x)
{
    using P = simd::Pack<T, W>;
    if constexpr (std::is_same_v<T, float>) {
        // x · P(x²) / Q(x²), degrees 9 / 8, up to where tanh rounds to 1. Short of one operation (7/8, 9/6) the fit
        // alone is off by 7 ULP; 13/6 takes one more and is no better after rounding.
        // Beyond it the quotient grows with x and is cut at ±1.
        const P u = min(P(81.2f), x * x);
        const P p = detail::horner(u, 1.34007268e-08, 2.06473869e-05, 0.00349815842, 0.133832693, 1.0);
        const P q = detail::horner(u, 7.79684342e-07, 0.000328966533, 0.0258870143, 0.467165858, 1.0);
        return min(P(1.0f), max(P(-1.0f), x * p / q));
    } else {
        // t / (t + 2) with t = expm1(2 |x|), where n >= 0.
        const auto parts = detail::exp_parts(min(P(T(40)), abs(x + x)));
        const P t = fma(parts.scale, parts.m, parts.scale - P(T(1)));
        return copy_sign(t / (t + P(T(2))), x);
    }
}

// Error function, for every x; never beyond ±1. Max error 6 and 3 ULP (6.5 without FMA).
template <class T, std::size_t W>
TENON_ALWAYS_INLINE constexpr simd::Pack<T, W> erf(simd::Pack<T, W> x)
{
    using P = simd::Pack<T, W>;
    if constexpr (std::is_same_v<T, float>) {
        const P u = min(P(15.3664f), x * x);
        const P p = detail::horner(u, 2.05009519e-06, 0.000284883892, 0.00376563729, 0.0527488068, 0.190406695,
                                   1.12837911);
        const P q = detail::horner(u, 3.80917918e-05, 0.00116254261, 0.0149692595, 0.11410927, 0.502076149, 1.0);
        return min(P(1.0f), max(P(-1.0f), x * p / q));
    } else {
        // |x| < 1: x · P(x²) / Q(x²); else 1 - exp(-x²) · P(|x| - 1) / Q(|x| - 1).
        const P a = min(P(T(6)), abs(x));
        const P u = a * a;
        const P p_near = detail::horner(u, 0.000194955992835916772726, 0.00182729411867450134468,
                                        0.0453039049481091291271, 0.14214929052906204926, 1.12837916709551257146);
        const P q_near = detail::horner(u, 2.02973999037763803359e-05, 0.000681215532405187580219,
                                        0.0105822107673169735554, 0.0932528277379091712413, 0.459309862034194461643,
                                        1.0);
        const P t = a - P(T(1));
        const P p_far = detail::horner(t, 0.00100310231353983930142, 0.0144897451088688119599, 0.0898904145301284859083,
                                       0.299411383960626902208, 0.538278212919315159253, 0.427583576155807001045);
        const P q_far = detail::horner(t, 0.00177796630886358845484, 0.0274600010689616991463, 0.18590268919227905324,
                                       0.701929663973210056667, 1.5518737229708981719, 1.89785172526719188528, 1.0);
        const auto near = a < P(T(1));
        const P ratio = select(near, a * p_near, p_far) / select(near, q_near, q_far);
        const P far = P(T(1)) - detail::exp_nonpositive(-u) * ratio;
        return copy_sign(select(near, ratio, far), x);
    }
}

}  // namespace tenon::inline TENON_ISA::kernels
