// SPDX-License-Identifier: BSL-1.0
// conv: the convolutions of small networks, layer by layer and scheme by scheme: forward of one image, gradients of 32.
// Rates count the multiply-adds of the formula, so a scheme that needs fewer of them may exceed the machine's limit.
#pragma once

#include "../../support/contest.hpp"
#include "../../support/data.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace contest {

template <std::size_t Size_h, std::size_t Size_w, std::size_t Channels, std::size_t Filters, std::size_t Kernel_,
          std::size_t Step, bool Same>
struct Layer {
    static constexpr std::size_t h = Size_h, w = Size_w, c = Channels, f = Filters, k = Kernel_, stride = Step;
    // Keras's rule: positions are ceil(extent / stride), what is odd in the padding lies behind.
    static constexpr std::size_t positions(std::size_t extent)
    {
        return Same ? (extent + stride - 1) / stride : (extent - k) / stride + 1;
    }
    static constexpr std::size_t missing(std::size_t extent)
    {
        const std::size_t reach = (positions(extent) - 1) * stride + k;
        return reach > extent ? reach - extent : 0;
    }
    static constexpr std::size_t out_h = positions(h), out_w = positions(w);
    static constexpr std::size_t top = missing(h) / 2, bottom = missing(h) - top, left = missing(w) / 2,
                                 right = missing(w) - left;
    static constexpr std::int64_t flops = 2 * static_cast<std::int64_t>(out_h * out_w * k * k * c * f);

    static std::string name()
    {
        const auto text = [](std::size_t n) { return std::to_string(n); };
        return text(h) + "x" + text(w) + "x" + text(c) + "-" + text(f) + "-k" + text(k) +
               (stride > 1 ? "-s" + text(stride) : std::string()) + (Same ? "-same" : "");
    }
};

template <class... Layers>
struct LayerList {};

// Images, kernels (kh, kw, c, f) and output gradients, and what they give, in float64.
template <class L>
struct ConvProblem {
    static constexpr std::size_t in = L::h * L::w * L::c, out = L::out_h * L::out_w * L::f, window = L::k * L::k * L::c;
    std::size_t rows;
    Buffer x, w = Buffer(window * L::f), dy;
    std::vector<double> y, dx, dw = std::vector<double>(window * L::f);

    explicit ConvProblem(std::size_t images) : rows(images), x(rows * in), dy(rows * out), y(rows * out), dx(rows * in)
    {
        Uniform random(6);
        for (Buffer* buffer : {&x, &w, &dy})
            for (float& value : *buffer) value = random();
    }

    // f(index of x, row of the kernel matrix, index of y without the filter), for every product but the filters.
    template <class F>
    void each(F visit) const
    {
        for (std::size_t r = 0; r < rows; ++r)
            for (std::size_t i = 0; i < L::out_h; ++i)
                for (std::size_t j = 0; j < L::out_w; ++j)
                    for (std::size_t a = 0; a < L::k; ++a)
                        for (std::size_t b = 0; b < L::k; ++b) {
                            const std::size_t p = i * L::stride + a, q = j * L::stride + b;
                            if (p < L::top || p - L::top >= L::h || q < L::left || q - L::left >= L::w) continue;
                            for (std::size_t c = 0; c < L::c; ++c)
                                visit(((r * L::h + p - L::top) * L::w + q - L::left) * L::c + c,
                                      (a * L::k + b) * L::c + c, ((r * L::out_h + i) * L::out_w + j) * L::f);
                        }
    }
    void solve_forward()
    {
        each([&](std::size_t i, std::size_t k, std::size_t o) {
            for (std::size_t f = 0; f < L::f; ++f)
                y[o + f] += static_cast<double>(x[i]) * static_cast<double>(w[k * L::f + f]);
        });
    }
    void solve_gradients()
    {
        each([&](std::size_t i, std::size_t k, std::size_t o) {
            for (std::size_t f = 0; f < L::f; ++f) {
                const double d = static_cast<double>(dy[o + f]);
                dx[i] += static_cast<double>(w[k * L::f + f]) * d;
                dw[k * L::f + f] += static_cast<double>(x[i]) * d;
            }
        });
    }
};

}  // namespace contest
