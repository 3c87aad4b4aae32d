// SPDX-License-Identifier: BSL-1.0
//
// Activation functions as functors on Pack<T, W>, for epilogues and element-wise loops.
//
//   V operator()(V x) const          y = f(x)
//   V derivative(V x, V y) const     dy/dx, given x and y = f(x)
//   bool from_output                 whether derivative() looks at y alone, so that x need not be kept
//
// At a kink the derivative is that of the left side, and 0 at both ends of HardSigmoid; HardSwish has 0 at -3 and 1 at 3.
// NaN passes through; at -inf the functions that multiply by x give their limit, 0, instead of 0 · inf.
#pragma once

#include <tenon/config.hpp>
#include <tenon/kernels/transcendental.hpp>
#include <tenon/simd/pack.hpp>

#include <limits>

namespace tenon::inline TENON_ISA::kernels {

namespace detail {

// x, where -inf becomes the lowest finite number.
template <class V>
TENON_ALWAYS_INLINE constexpr V above_minus_infinity(V x)
{
    return max(V(std::numeric_limits<typename V::value_type>::lowest()), x);
}

// s = sigmoid(x) and s (1 - s), the latter without cancellation.
template <class V>
struct SigmoidAndSlope {
    V value, slope;

    TENON_ALWAYS_INLINE constexpr explicit SigmoidAndSlope(V x)
    {
        using T = typename V::value_type;
        const V e = exp_nonpositive(-abs(x)), inverse = V(T(1)) / (V(T(1)) + e), small = e * inverse;
        value = select(x < V(T(0)), small, inverse);
        slope = small * inverse;
    }
};

// A constant in the precision of V.
template <class V>
TENON_ALWAYS_INLINE constexpr V constant(double value)
{
    return V(static_cast<typename V::value_type>(value));
}

}  // namespace detail

// y = x.
struct Identity {
    static constexpr bool from_output = true;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return x;
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V, V) const
    {
        return detail::constant<V>(1);
    }
};

// y = max(0, x) (Nair & Hinton 2010).
struct ReLU {
    static constexpr bool from_output = true;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return max(detail::constant<V>(0), x);
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V, V y) const
    {
        const V zero = detail::constant<V>(0);
        return select(y <= zero, zero, detail::constant<V>(1));
    }
};

// y = x for x > 0, slope · x otherwise (Maas, Hannun & Ng 2013).
struct LeakyReLU {
    static constexpr bool from_output = false;
    double slope = 0.01;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return select(x > detail::constant<V>(0), x, x * detail::constant<V>(slope));
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V x, V) const
    {
        return select(x > detail::constant<V>(0), detail::constant<V>(1), detail::constant<V>(slope));
    }
};

// LeakyReLU whose slopes are learned and come as a pack (He et al. 2015).
struct PReLU {
    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x, V slope) const
    {
        return select(x > detail::constant<V>(0), x, x * slope);
    }
    // dy/dx.
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V x, V slope) const
    {
        return select(x > detail::constant<V>(0), detail::constant<V>(1), slope);
    }
    // dy/dslope.
    template <class V>
    TENON_ALWAYS_INLINE constexpr V slope_derivative(V x) const
    {
        return select(x > detail::constant<V>(0), detail::constant<V>(0), x);
    }
};

// y = x for x > 0, alpha · (e^x - 1) otherwise (Clevert, Unterthiner & Hochreiter 2015).
struct ELU {
    static constexpr bool from_output = false;
    double alpha = 1.0;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return select(x > detail::constant<V>(0), x, detail::constant<V>(alpha) * detail::expm1_nonpositive(x));
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V x, V y) const
    {
        return select(x > detail::constant<V>(0), detail::constant<V>(1), y + detail::constant<V>(alpha));
    }
};

// y = scale · ELU(x) with alpha and scale such that mean 0 and variance 1 are a fixed point (Klambauer et al. 2017).
struct SELU {
    static constexpr bool from_output = true;
    static constexpr double alpha = 1.6732632423543772848170429916717;
    static constexpr double scale = 1.0507009873554804934193349852946;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return select(x > detail::constant<V>(0), detail::constant<V>(scale) * x,
                      detail::constant<V>(scale * alpha) * detail::expm1_nonpositive(x));
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V, V y) const
    {
        return select(y > detail::constant<V>(0), detail::constant<V>(scale), y + detail::constant<V>(scale * alpha));
    }
};

// y = x · Φ(x) = x/2 · (1 + erf(x / √2)) (Hendrycks & Gimpel 2016); dy/dx = Φ(x) + x · exp(-x²/2) / √(2π).
struct GELU {
    static constexpr bool from_output = false;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return detail::above_minus_infinity(x) * cumulative(x);
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V x, V) const
    {
        // Beyond |x| = 40 the density is 0 in either precision, and x² must not overflow.
        const V bounded = min(detail::constant<V>(40), max(detail::constant<V>(-40), x));
        const V density = detail::exp_nonpositive(detail::constant<V>(-0.5) * bounded * bounded);
        return fma(bounded * density, detail::constant<V>(0.39894228040143267794), cumulative(x));
    }

private:
    template <class V>
    static TENON_ALWAYS_INLINE constexpr V cumulative(V x)
    {
        const V half = detail::constant<V>(0.5);
        return fma(half, erf(x * detail::constant<V>(0.70710678118654752440)), half);
    }
};

// y = x/2 · (1 + tanh(u)), u = √(2/π) · (x + 0.044715 x³): GELU's approximation in Hendrycks & Gimpel 2016 (GPT-2's).
// Computed as x · sigmoid(2u), which is the same and has no cancellation for negative x.
struct GELUTanh {
    static constexpr bool from_output = false;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return detail::above_minus_infinity(x) * sigmoid(twice_u(bound(x)));
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V x, V) const
    {
        // g + x · g (1 - g) · (2u)' with g = sigmoid(2u).
        const V b = bound(x);
        const detail::SigmoidAndSlope<V> gate(twice_u(b));
        const V u_slope = fma(detail::constant<V>(3 * cubic * root), b * b, detail::constant<V>(root));
        return fma(b * u_slope, gate.slope, gate.value);
    }

private:
    static constexpr double root = 1.59576912160573071176;  // 2 √(2/π)
    static constexpr double cubic = 0.044715;

    // Beyond ±40 the gate is 0 or 1 in either precision, and x³ must not overflow.
    template <class V>
    static TENON_ALWAYS_INLINE constexpr V bound(V x)
    {
        return min(detail::constant<V>(40), max(detail::constant<V>(-40), x));
    }
    template <class V>
    static TENON_ALWAYS_INLINE constexpr V twice_u(V x)
    {
        return x * fma(detail::constant<V>(cubic * root), x * x, detail::constant<V>(root));
    }
};

// y = x · sigmoid(x), also called swish (Hendrycks & Gimpel 2016; Elfwing et al. 2017).
struct SiLU {
    static constexpr bool from_output = false;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return detail::above_minus_infinity(x) * sigmoid(x);
    }
    // s + x · s (1 - s) with s = sigmoid(x).
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V x, V) const
    {
        const detail::SigmoidAndSlope<V> s(x);
        // Beyond ±1000 the slope is 0, and the product with infinity must not be formed.
        const V bounded = min(detail::constant<V>(1000), max(detail::constant<V>(-1000), x));
        return fma(bounded, s.slope, s.value);
    }
};

// y = relu6(x + 3) / 6, as in Keras 3 and PyTorch (Keras 2 had another slope).
struct HardSigmoid {
    static constexpr bool from_output = true;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        const V shifted = x + detail::constant<V>(3);
        return min(detail::constant<V>(6), max(detail::constant<V>(0), shifted)) * detail::constant<V>(1.0 / 6);
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V, V y) const
    {
        const V zero = detail::constant<V>(0);
        return select((y <= zero) | (y >= detail::constant<V>(1)), zero, detail::constant<V>(1.0 / 6));
    }
};

// y = x · relu6(x + 3) / 6 (Howard et al. 2019).
struct HardSwish {
    static constexpr bool from_output = false;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return detail::above_minus_infinity(x) * HardSigmoid{}(x);
    }
    // 0 up to -3, 1 from 3 on, x/3 + 1/2 between.
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V x, V) const
    {
        const V inner = fma(x, detail::constant<V>(1.0 / 3), detail::constant<V>(0.5));
        const V upper = select(x >= detail::constant<V>(3), detail::constant<V>(1), inner);
        return select(x <= detail::constant<V>(-3), detail::constant<V>(0), upper);
    }
};

// y = 1 / (1 + e^-x).
struct Sigmoid {
    static constexpr bool from_output = true;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return sigmoid(x);
    }
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V, V y) const
    {
        return y * (detail::constant<V>(1) - y);
    }
};

struct Tanh {
    static constexpr bool from_output = true;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return tanh(x);
    }
    // 1 - y².
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V, V y) const
    {
        return fma(-y, y, detail::constant<V>(1));
    }
};

// y = log(1 + e^x) (Dugas et al. 2001).
struct Softplus {
    static constexpr bool from_output = true;

    template <class V>
    TENON_ALWAYS_INLINE constexpr V operator()(V x) const
    {
        return softplus(x);
    }
    // sigmoid(x) = 1 - e^-y.
    template <class V>
    TENON_ALWAYS_INLINE constexpr V derivative(V, V y) const
    {
        return -detail::expm1_nonpositive(-y);
    }
};

}  // namespace tenon::inline TENON_ISA::kernels
