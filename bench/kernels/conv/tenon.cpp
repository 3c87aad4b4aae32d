// SPDX-License-Identifier: BSL-1.0
#include "../gemm/limit.hpp"
#include "problem.hpp"

#include <tenon/kernels/conv.hpp>
#include <tenon/kernels/depthwise.hpp>
#include <tenon/kernels/winograd.hpp>

#include <algorithm>

namespace contest::with_tenon {

using namespace tenon;

template <class L>
constexpr ConvShape shape_of()
{
    ConvShape s{};
    s.height = L::h;
    s.width = L::w;
    s.channels = L::c;
    s.out_height = L::out_h;
    s.out_width = L::out_w;
    s.filters = L::f;
    s.kernel_height = s.kernel_width = L::k;
    s.stride_height = s.stride_width = L::stride;
    s.dilation_height = s.dilation_width = 1;
    s.top = L::top;
    s.bottom = L::bottom;
    s.left = L::left;
    s.right = L::right;
    s.groups = 1;
    return s;
}

template <class L>
inline constexpr std::size_t last_width = simd::Panels<float, shape_of<L>().window(), L::f>::last_width;

template <class L>
Buffer in_panels(const Buffer& w)
{
    constexpr ConvShape s = shape_of<L>();
    Buffer panels(kernels::conv_kernel_size<float>(s));
    for (std::size_t k = 0; k < s.window(); ++k)
        for (std::size_t f = 0; f < L::f; ++f) panels[kernels::conv_kernel_index<float>(s, k, f)] = w[k * L::f + f];
    return panels;
}

// Runs `work(input, output)` once for the check and then for the clock.
template <class Work>
void measure(benchmark::State& state, const Buffer& input, Buffer& output, const std::vector<double>& expected,
             std::int64_t flops, Work work)
{
    const float* from = input.data();
    float* to = output.data();
    work(from, to);
    if (!check(state, to, expected.data(), expected.size())) return;
    for ([[maybe_unused]] auto _ : state) {
        forget(from);
        work(from, to);
        forget(to);
    }
    state.SetItemsProcessed(state.iterations() * flops);
}

constexpr float open = kernels::detail::no_floor<float>;

// Out: of Winograd's tiles; 0: direct
template <class L, std::size_t Out>
void forward(benchmark::State& state)
{
    static const ConvProblem<L> problem = [] {
        ConvProblem<L> p(1);
        p.solve_forward();
        return p;
    }();
    constexpr ConvShape s = shape_of<L>();
    const Buffer w = in_panels<L>(problem.w);
    Buffer y(problem.out),
        scratch(std::max(s.padded_size(), simd::winograd_plan<float>(s, false, Out == 0 ? 2 : Out).scratch()));
    measure(state, problem.x, y, problem.y, L::flops, [&](const float* x, float* to) {
        if constexpr (Out != 0)
            kernels::winograd_forward<Out, false, float, last_width<L>>(1, s, x, w.data(), nullptr, to, open,
                                                                        scratch.data());
        else
            kernels::conv_forward<float, last_width<L>>(1, s, x, w.data(), nullptr, to, open, scratch.data());
    });
}

enum class By { transposed, winograd_2, winograd_4, scatter };

template <class L, By Scheme>
void input_gradient(benchmark::State& state)
{
    static const ConvProblem<L> problem = [] {
        ConvProblem<L> p(32);
        p.solve_gradients();
        return p;
    }();
    constexpr ConvShape s = shape_of<L>(), t = s.transposed();
    [[maybe_unused]] constexpr std::size_t turned = simd::Panels<float, t.window(), t.filters>::last_width;
    [[maybe_unused]] constexpr std::size_t across = simd::Panels<float, s.filters, s.window()>::last_width;
    const Buffer w = in_panels<L>(problem.w);
    Buffer dx(32 * problem.in), scratch(kernels::conv_backward_scratch<float>(s) + simd::scatter_scratch<float>(s) +
                                        simd::winograd_input_scratch<float>(s, 4));
    measure(state, problem.dy, dx, problem.dx, 32 * L::flops, [&](const float* dy, float* to) {
        if constexpr (Scheme == By::winograd_2)
            kernels::winograd_input_gradient<2, float, turned>(32, s, dy, w.data(), to, scratch.data());
        else if constexpr (Scheme == By::winograd_4)
            kernels::winograd_input_gradient<4, float, turned>(32, s, dy, w.data(), to, scratch.data());
        else if constexpr (Scheme == By::scatter)
            kernels::conv_scatter_gradient<float, across>(32, s, dy, w.data(), to, scratch.data());
        else
            kernels::conv_input_gradient<float, turned>(32, s, dy, w.data(), to, scratch.data());
    });
}

template <class L>
void weight_gradient(benchmark::State& state)
{
    static const ConvProblem<L> problem = [] {
        ConvProblem<L> p(32);
        p.solve_gradients();
        return p;
    }();
    constexpr ConvShape s = shape_of<L>();
    constexpr bool exact = L::f % (last_width<L> == 0 ? 1 : last_width<L>) != 0;
    Buffer dw(kernels::conv_kernel_size<float>(s)), plain(problem.w.size()),
        scratch(kernels::conv_backward_scratch<float>(s));
    const float* x = problem.x.data();
    const auto work = [&] {
        kernels::conv_weight_gradient<float, last_width<L>, exact>(
            32, s, x, problem.dy.data(), kernels::Store<float>{dw.data()}, dw.data(), scratch.data(), 0, s.window());
    };
    work();
    for (std::size_t k = 0; k < s.window(); ++k)
        for (std::size_t f = 0; f < L::f; ++f) plain[k * L::f + f] = dw[kernels::conv_kernel_index<float>(s, k, f)];
    if (!check(state, plain.data(), problem.dw.data(), plain.size(), 1e-3)) return;  // thousands of terms
    float* to = dw.data();
    for ([[maybe_unused]] auto _ : state) {
        forget(x);
        work();
        forget(to);
    }
    state.SetItemsProcessed(state.iterations() * 32 * L::flops);
}

// A depthwise layer is a Layer of one input channel for each of its filters; what counts are its own products.
template <class L>
void depthwise(benchmark::State& state)
{
    constexpr ConvShape s = shape_of<L>();
    static_assert(L::c == L::f);
    Uniform random(7);
    Buffer x(s.in_size()), w(L::k * L::k * L::c), y(s.out_size()), plain(s.out_size());
    for (Buffer* buffer : {&x, &w})
        for (float& value : *buffer) value = random();
    kernels::depthwise_reference(1, s, x.data(), w.data(), static_cast<const float*>(nullptr), plain.data(),
                                 kernels::Identity{});
    constexpr std::size_t lanes = kernels::detail::row_width<float>(L::c);
    measure(state, x, y, {plain.begin(), plain.end()}, L::flops / static_cast<std::int64_t>(L::f),
            [&](const float* from, float* to) {
                kernels::depthwise_forward<float, L::k, L::stride, lanes, kernels::depthwise_tile_width(s)>(
                    1, s, from, w.data(), nullptr, to, open);
            });
}

bool enlist(const std::string& group, const std::string& name, void (*body)(benchmark::State&))
{
    return add({group + "/" + name, "tenon", Role::tenon, Show::flops}, body) &&
           add({group + "/" + name, "fma-peak", Role::limit, Show::flops}, with_raw::fma_peak);
}

template <class... Ls>
bool enlist_direct(LayerList<Ls...>)
{
    return (enlist("conv_forward:direct", Ls::name(), forward<Ls, 0>) && ...) &&
           (enlist("conv_weight_gradient:direct", Ls::name(), weight_gradient<Ls>) && ...) &&
           (enlist("conv_input_gradient:transposed", Ls::name(), input_gradient<Ls, By::transposed>) && ...) &&
           (enlist("conv_input_gradient:scatter", Ls::name(), input_gradient<Ls, By::scatter>) && ...);
}
template <class... Ls>
bool enlist_winograd(LayerList<Ls...>)
{
    return (enlist("conv_forward:winograd-2x2", Ls::name(), forward<Ls, 2>) && ...) &&
           (enlist("conv_forward:winograd-4x4", Ls::name(), forward<Ls, 4>) && ...) &&
           (enlist("conv_input_gradient:winograd-2x2", Ls::name(), input_gradient<Ls, By::winograd_2>) && ...) &&
           (enlist("conv_input_gradient:winograd-4x4", Ls::name(), input_gradient<Ls, By::winograd_4>) && ...);
}
template <class... Ls>
bool enlist_depthwise(LayerList<Ls...>)
{
    return (enlist("conv_depthwise", Ls::name(), depthwise<Ls>) && ...);
}

using First = LayerList<Layer<28, 28, 1, 32, 3, 1, false>, Layer<96, 96, 3, 8, 3, 2, true>>;
using Three = LayerList<Layer<13, 13, 32, 64, 3, 1, false>, Layer<5, 5, 64, 64, 3, 1, false>,  // the Keras CNN
                        Layer<32, 32, 16, 16, 3, 1, true>, Layer<16, 16, 32, 32, 3, 1, true>,  // ResNet-8
                        Layer<8, 8, 64, 64, 3, 1, true>>;
using Pointwise = LayerList<Layer<25, 5, 64, 64, 1, 1, false>, Layer<6, 6, 128, 128, 1, 1, false>>;
using Depthwise =
    LayerList<Layer<25, 5, 64, 64, 3, 1, true>, Layer<48, 48, 8, 8, 3, 1, true>, Layer<6, 6, 128, 128, 3, 1, true>>;

const bool enlisted = enlist_direct(First{}) && enlist_direct(Three{}) && enlist_direct(Pointwise{}) &&
                      enlist_winograd(Three{}) && enlist_depthwise(Depthwise{});

}  // namespace contest::with_tenon
