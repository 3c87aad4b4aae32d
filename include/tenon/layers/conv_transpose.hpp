// SPDX-License-Identifier: BSL-1.0
// Conv2DTranspose: the convolution that makes images larger, in decoders and generators.
#pragma once

#include <tenon/core/conv_transpose_shape.hpp>
#include <tenon/layers/conv.hpp>

namespace tenon::inline TENON_ISA {

namespace layout {

// Shape<kh, kw, F, c>: for each phase of the output its taps as a matrix in panels (core/conv_transpose_shape.hpp).
template <std::size_t StrideHeight, std::size_t StrideWidth>
struct TransposedKernel {
    template <AnyShape S>
    static constexpr ConvTransposeShape geometry{
        {1, 1, S::extent(0), StrideHeight, 0}, {1, 1, S::extent(1), StrideWidth, 0}, S::extent(3), S::extent(2)};

    template <class T, AnyShape S>
    static constexpr std::size_t size = geometry<S>.kernel_rows() * simd::Panels<T, 1, S::extent(2)>::columns;
    template <class T, AnyShape S>
    static constexpr std::size_t index(std::size_t logical)
    {
        constexpr ConvTransposeShape s = geometry<S>;
        const std::size_t c = logical % s.channels, f = logical / s.channels % s.filters;
        const std::size_t tap = logical / s.channels / s.filters;
        const std::size_t a = tap / s.columns.kernel, b = tap % s.columns.kernel;
        const std::size_t down = a % StrideHeight, across = b % StrideWidth;
        const std::size_t taps_down = s.rows.taps(down), taps_across = s.columns.taps(across);
        const std::size_t row = (taps_down - 1 - a / StrideHeight) * taps_across + taps_across - 1 - b / StrideWidth;
        const simd::PanelLayout<T> panels{taps_down * taps_across * s.channels, s.filters};
        return s.rows_before(down, across) * panels.columns() + panels.index(row * s.channels + c, f);
    }
};

}  // namespace layout

// y = bias + Σ over input pixels (h, v) and channels of x[h, v, c] · kernel[a, b, f, c], added at row h · s + a - top and
// column v · s + b - left: the input gradient of a convolution as a forward pass (Dumoulin & Visin 2016, chapter 4).
// x: (h, w, c), kernel: (kh, kw, Filters, c) as Keras has it, bias: (Filters), y: (h', w', Filters) with
// h' = h · s for Padding<Same> and h · s + max(kh - s, 0) for Padding<Valid>, the default.
// Options: Kernel (needed), Stride, Padding<Valid> or Padding<Same>, NoBias, KernelInitializer (default glorot_uniform),
// BiasInitializer (default zeros).
template <std::size_t Filters, class... Options>
struct Conv2DTranspose : detail::ConvOptions<Options...> {
    static constexpr const char* name = "conv2d_transpose";
    static constexpr bool rows_are_independent = true;
    static constexpr bool fuses_activation = true;
    static constexpr bool folds_batch_norm = true;
    using conv_options = detail::ConvOptions<Options...>;

    template <class In>
    struct rule {
        using kernel = typename conv_options::kernel;
        using stride = typename conv_options::stride;
        using padding = typename conv_options::padding;
        static constexpr bool fitting_rank = In::rank == 3;
        static constexpr std::size_t height = fitting_rank ? In::extents[0] : 1;
        static constexpr std::size_t width = fitting_rank ? In::extents[fitting_rank ? 1 : 0] : 1;
        static constexpr std::size_t channels = fitting_rank ? In::last : 1;
        static constexpr ConvTransposeShape geometry{
            conv_transpose_axis(height, kernel::height, stride::height, padding::same),
            conv_transpose_axis(width, kernel::width, stride::width, padding::same), channels, Filters};
        static constexpr bool knows_padding = padding::is_mode;
        using output = std::conditional_t<fitting_rank && knows_padding && (Filters > 0),
                                          Shape<geometry.rows.out, geometry.columns.out, Filters>, InvalidShape>;

        static constexpr bool use_bias = conv_options::use_bias;
        static constexpr std::size_t macs = height * width * kernel::height * kernel::width * channels * Filters;
        // Between two filters' values of the kernel (network/folding.hpp).
        static constexpr std::size_t channel_stride = channels;

        static constexpr auto slots = [] {
            constexpr auto weights = slot<Shape<kernel::height, kernel::width, Filters, channels>,
                                          layout::TransposedKernel<stride::height, stride::width>>(
                "kernel", conv_options::kernel_initializer);
            if constexpr (use_bias)
                return tenon::slots(weights,
                                    slot<Shape<Filters>, layout::PanelBias>("bias", conv_options::bias_initializer));
            else
                return tenon::slots(weights);
        }();

        // Forward: the padded image and one phase. Backward: the kernel of the convolution, or its gradient, for all threads;
        // what that convolution needs for each. In the larger layout of both precisions.
        static constexpr std::size_t forward_scratch = geometry.padded_size() + geometry.phase_size();
        template <class T, std::size_t>
        static constexpr std::size_t workspace = forward_scratch;
        static constexpr PerRow training_workspace = [] {
            if constexpr (std::is_same_v<output, InvalidShape>) {
                return PerRow{};
            } else {
                constexpr ConvShape s = geometry.convolution();
                constexpr std::size_t single = simd::Panels<float, s.window(), s.filters>::size;
                constexpr std::size_t twofold = simd::Panels<double, s.window(), s.filters>::size;
                constexpr std::size_t images = s.is_padded() ? conv_gradient_images(s) * s.padded_size() : 0;
                return PerRow{0, ((single < twofold ? twofold : single) + 15) / 16 * 16,
                              ((images < forward_scratch ? forward_scratch : images) + 15) / 16 * 16};
            }
        }();

        static_assert(Filters > 0, "tenon: Conv2DTranspose<filters>: the number of filters must be positive.");
        static_assert(options::Check<Conv2DTranspose,
                                     List<kind::kernel, kind::stride, kind::padding, kind::bias,
                                          kind::kernel_initializer, kind::bias_initializer>,
                                     Options...>::value,
                      "tenon: Conv2DTranspose's options are Kernel, Stride, Padding, NoBias and initialisers.");
        static_assert(checked<options::NotMissing<Conv2DTranspose, kind::kernel,
                                                  options::count<kind::kernel, Options...>()>>::value,
                      "tenon: Conv2DTranspose needs its Kernel.");
        static_assert(In::rank == 3, "tenon: Conv2DTranspose takes an image (height, width, channels).");
        static_assert(knows_padding, "tenon: Conv2DTranspose's Padding is Valid or Same.");
    };
};

}  // namespace tenon
