// SPDX-License-Identifier: BSL-1.0
//
// The naive twins of kernels/transcendental.hpp and kernels/activations.hpp: the definitions, through the standard
// library, in whatever type they are called with. For tests.
#pragma once

#include <tenon/config.hpp>

#include <cmath>

namespace tenon::inline TENON_ISA::kernels::reference {

template <class T>
T sigmoid(T x)
{
    return T(1) / (T(1) + std::exp(-x));
}

template <class T>
T softplus(T x)
{
    return (x > T(0) ? x : T(0)) + std::log1p(std::exp(-std::abs(x)));
}

struct Identity {
    template <class T>
    T operator()(T x) const
    {
        return x;
    }
    template <class T>
    T derivative(T) const
    {
        return T(1);
    }
};

struct ReLU {
    template <class T>
    T operator()(T x) const
    {
        return x < T(0) ? T(0) : x;
    }
    template <class T>
    T derivative(T x) const
    {
        return x > T(0) ? T(1) : T(0);
    }
};

struct LeakyReLU {
    double slope = 0.01;

    template <class T>
    T operator()(T x) const
    {
        return x > T(0) ? x : static_cast<T>(slope) * x;
    }
    template <class T>
    T derivative(T x) const
    {
        return x > T(0) ? T(1) : static_cast<T>(slope);
    }
};

struct ELU {
    double alpha = 1.0;

    template <class T>
    T operator()(T x) const
    {
        return x > T(0) ? x : static_cast<T>(alpha) * std::expm1(x);
    }
    template <class T>
    T derivative(T x) const
    {
        return x > T(0) ? T(1) : static_cast<T>(alpha) * std::exp(x);
    }
};

struct SELU {
    static constexpr double alpha = 1.6732632423543772848170429916717;
    static constexpr double scale = 1.0507009873554804934193349852946;

    template <class T>
    T operator()(T x) const
    {
        return static_cast<T>(scale) * ELU{alpha}(x);
    }
    template <class T>
    T derivative(T x) const
    {
        return static_cast<T>(scale) * ELU{alpha}.derivative(x);
    }
};

struct GELU {
    template <class T>
    T operator()(T x) const
    {
        return x * std::erfc(-x * static_cast<T>(0.70710678118654752440)) / 2;
    }
    template <class T>
    T derivative(T x) const
    {
        const T density = std::exp(-x * x / 2) * static_cast<T>(0.39894228040143267794);
        return std::erfc(-x * static_cast<T>(0.70710678118654752440)) / 2 + x * density;
    }
};

struct GELUTanh {
    static constexpr double root = 0.79788456080286535588;  // √(2/π)

    template <class T>
    T operator()(T x) const
    {
        const T u = static_cast<T>(root) * (x + static_cast<T>(0.044715) * x * x * x);
        return x / 2 * (1 + std::tanh(u));
    }
    template <class T>
    T derivative(T x) const
    {
        const T t = std::tanh(static_cast<T>(root) * (x + static_cast<T>(0.044715) * x * x * x));
        return (1 + t) / 2 + x / 2 * (1 - t * t) * static_cast<T>(root) * (1 + static_cast<T>(3 * 0.044715) * x * x);
    }
};

struct SiLU {
    template <class T>
    T operator()(T x) const
    {
        return x * sigmoid(x);
    }
    template <class T>
    T derivative(T x) const
    {
        const T s = sigmoid(x);
        return s + x * s * (1 - s);
    }
};

struct HardSigmoid {
    template <class T>
    T operator()(T x) const
    {
        return x <= T(-3) ? T(0) : x >= T(3) ? T(1) : (x + 3) / 6;
    }
    template <class T>
    T derivative(T x) const
    {
        return x > T(-3) && x < T(3) ? T(1) / 6 : T(0);
    }
};

struct HardSwish {
    template <class T>
    T operator()(T x) const
    {
        return x * HardSigmoid{}(x);
    }
    template <class T>
    T derivative(T x) const
    {
        return x <= T(-3) ? T(0) : x >= T(3) ? T(1) : x / 3 + T(1) / 2;
    }
};

struct Sigmoid {
    template <class T>
    T operator()(T x) const
    {
        return sigmoid(x);
    }
    template <class T>
    T derivative(T x) const
    {
        return sigmoid(x) * sigmoid(-x);
    }
};

struct Tanh {
    template <class T>
    T operator()(T x) const
    {
        return std::tanh(x);
    }
    template <class T>
    T derivative(T x) const
    {
        const T c = std::cosh(x);
        return 1 / (c * c);
    }
};

struct Softplus {
    template <class T>
    T operator()(T x) const
    {
        return softplus(x);
    }
    template <class T>
    T derivative(T x) const
    {
        return sigmoid(x);
    }
};

}  // namespace tenon::inline TENON_ISA::kernels::reference
