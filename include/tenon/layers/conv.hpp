// SPDX-License-Identifier: BSL-1.0
// Convolutions: Conv1D, Conv2D, DepthwiseConv2D. Images are (height, width, channels), sequences
// (length, channels).
#pragma once

#include <tenon/core/conv_shape.hpp>
#include <tenon/core/per_row.hpp>
#include <tenon/layers/window.hpp>
#include <tenon/simd/conv_scheme.hpp>

namespace tenon::inline TENON_ISA {

namespace layout {

// Shape<kh, kw, c, F>: for each group a (kh · kw · c, F / groups) matrix in panels (kernels/conv.hpp).
template <std::size_t Groups>
struct ConvKernel {
    template <AnyShape S>
    static constexpr std::size_t filters = S::last / (Groups == 0 ? 1 : Groups);
    template <class T, AnyShape S>
    using panels = simd::Panels<T, S::outer, filters<S>>;

    template <class T, AnyShape S>
    static constexpr std::size_t size = Groups* panels<T, S>::size;
    template <class T, AnyShape S>
    static constexpr std::size_t index(std::size_t logical)
    {
        const std::size_t k = logical / S::last, f = logical % S::last;
        return f / filters<S> * panels<T, S>::size + panels<T, S>::index(k, f % filters<S>);
    }
};

// Shape<F>: each group's bias padded to its panels' columns.
template <std::size_t Groups>
struct ConvBias {
    template <AnyShape S>
    static constexpr std::size_t filters = S::size / (Groups == 0 ? 1 : Groups);

    template <class T, AnyShape S>
    static constexpr std::size_t size = Groups* simd::Panels<T, 1, filters<S>>::columns;
    template <class T, AnyShape S>
    static constexpr std::size_t index(std::size_t logical)
    {
        return logical / filters<S> * simd::Panels<T, 1, filters<S>>::columns + logical % filters<S>;
    }
};

}  // namespace layout

namespace detail {

// The options that all convolutions share, read from their list.
template <class... Options>
struct ConvOptions {
    using kernel = options::get<kind::kernel, Kernel<1>, Options...>;
    using stride = options::get<kind::stride, Stride<1>, Options...>;
    using dilation = options::get<kind::dilation, Dilation<1>, Options...>;
    using padding = options::get<kind::padding, Padding<Valid>, Options...>;
    static constexpr std::size_t groups = options::get<kind::groups, Groups<1>, Options...>::count;
    static constexpr bool use_bias = options::get<kind::bias, WithBias, Options...>::use_bias;
    static constexpr Initializer kernel_initializer =
        options::get<kind::kernel_initializer, KernelInitializer<init::glorot_uniform>, Options...>::value;
    static constexpr Initializer bias_initializer =
        options::get<kind::bias_initializer, BiasInitializer<init::zeros>, Options...>::value;

    // Strides, dilations and paddings that give equal output sizes are other topologies all the same.
    static constexpr std::uint64_t signature =
        ((((((std::uint64_t{stride::height} * 31 + stride::width) * 31 + dilation::height) * 31 + dilation::width) *
               31 +
           groups) *
              31 +
          padding::top) *
             31 +
         padding::left) *
            31 +
        (padding::same ? 1u : 0u);
};

// A sliding window over (height, width) of an input of rank 3, or over the length of one of rank 2 (height 1).
template <class O, class In, std::size_t Rank>
struct ConvWindow {
    static constexpr bool fitting_rank = In::rank == Rank;
    static constexpr std::size_t in_height = Rank == 3 && fitting_rank ? In::extents[0] : 1;
    static constexpr std::size_t in_width = fitting_rank ? In::extents[Rank - 2] : 1;
    static constexpr std::size_t channels = fitting_rank ? In::last : 1;

    static constexpr std::size_t kernel_height = Rank == 3 ? O::kernel::height : 1;
    static constexpr std::size_t stride_height = Rank == 3 ? O::stride::height : 1;
    static constexpr std::size_t dilation_height = Rank == 3 ? O::dilation::height : 1;
    static constexpr WindowAxis rows = Rank == 3 ? window_axis(in_height, kernel_height, stride_height, dilation_height,
                                                               O::padding::same, O::padding::top, O::padding::bottom)
                                                 : WindowAxis{0, 0, 1};
    static constexpr WindowAxis columns = window_axis(in_width, O::kernel::width, O::stride::width, O::dilation::width,
                                                      O::padding::same, O::padding::left, O::padding::right);

    static constexpr bool fits = rows.positions > 0 && columns.positions > 0;
    template <std::size_t Filters, std::size_t Groups>
    static constexpr ConvShape geometry{
        .height = in_height,
        .width = in_width,
        .channels = channels,
        .out_height = rows.positions,
        .out_width = columns.positions,
        .filters = Filters,
        .kernel_height = kernel_height,
        .kernel_width = O::kernel::width,
        .stride_height = stride_height,
        .stride_width = O::stride::width,
        .dilation_height = dilation_height,
        .dilation_width = O::dilation::width,
        .top = rows.before,
        .bottom = rows.after,
        .left = columns.before,
        .right = columns.after,
        .groups = Groups,
    };
    // Zeros beyond the kernel's reach would only make windows of nothing but zeros.
    static constexpr bool padding_in_reach = rows.before <= (kernel_height - 1) * dilation_height &&
                                             rows.after <= (kernel_height - 1) * dilation_height &&
                                             columns.before <= (O::kernel::width - 1) * O::dilation::width &&
                                             columns.after <= (O::kernel::width - 1) * O::dilation::width;
};

// What Conv1D (Rank 2) and Conv2D (Rank 3) are, apart from their messages.
template <class O, class In, std::size_t Rank, std::size_t Filters>
struct ConvRule {
    using window = ConvWindow<O, In, Rank>;
    static constexpr std::size_t groups = O::groups == 0 ? 1 : O::groups;
    static constexpr std::size_t channels = window::channels;
    static constexpr bool groups_divide = O::groups > 0 && channels % groups == 0 && Filters % groups == 0;
    static constexpr bool valid = window::fitting_rank && window::fits && window::padding_in_reach && groups_divide &&
                                  Filters > 0;

    template <bool Valid>
    static constexpr auto find_output()
    {
        if constexpr (!Valid)
            return InvalidShape{};
        else if constexpr (Rank == 3)
            return Shape<window::rows.positions, window::columns.positions, Filters>{};
        else
            return Shape<window::columns.positions, Filters>{};
    }
    using output = decltype(find_output<valid>());

    static constexpr bool use_bias = O::use_bias;
    static constexpr std::size_t macs = window::rows.positions * window::columns.positions * window::kernel_height *
                                        O::kernel::width * (channels / groups) * Filters;

    static constexpr ConvShape geometry = window::template geometry<Filters, groups>;

    static constexpr auto slots = [] {
        constexpr std::size_t in = channels / groups;
        using KernelShape = std::conditional_t<Rank == 3, Shape<window::kernel_height, O::kernel::width, in, Filters>,
                                               Shape<O::kernel::width, in, Filters>>;
        constexpr auto kernel = slot<KernelShape, layout::ConvKernel<groups>>("kernel", O::kernel_initializer);
        if constexpr (O::use_bias)
            return tenon::slots(kernel, slot<Shape<Filters>, layout::ConvBias<groups>>("bias", O::bias_initializer));
        else
            return tenon::slots(kernel);
    }();

    // Inference: what the scheme needs. Training: that, or what the backward pass needs, in the larger layout of both
    // precisions.
    template <class T, std::size_t>
    static constexpr std::size_t workspace = simd::conv_forward_scratch<T>(geometry, false);
    static constexpr PerRow training_workspace = [] {
        if constexpr (!valid) {
            return PerRow{};
        } else {
            constexpr ConvShape t = geometry.transposed();
            constexpr std::size_t single = simd::Panels<float, t.window(), t.group_filters()>::size;
            constexpr std::size_t twofold = simd::Panels<double, t.window(), t.group_filters()>::size;
            constexpr std::size_t turned = groups * (single < twofold ? twofold : single) + t.padded_size();
            constexpr std::size_t images = geometry.is_padded()
                                               ? conv_gradient_images(geometry) * geometry.padded_size()
                                               : 0;
            const auto winograd_scratch = [](auto value) {
                using T = decltype(value);
                const std::size_t out = simd::winograd_input_gradient<T>(geometry);
                return out == 0 ? 0 : simd::winograd_input_scratch<T>(geometry, out);
            };
            const std::size_t needs[] = {
                turned,
                images,
                simd::conv_forward_scratch<float>(geometry, false),
                simd::conv_forward_scratch<double>(geometry, false),
                winograd_scratch(float{}),
                winograd_scratch(double{}),
                simd::scatters_input_gradient<float>(geometry) ? simd::scatter_scratch<float>(geometry) : 0,
                simd::scatters_input_gradient<double>(geometry) ? simd::scatter_scratch<double>(geometry) : 0};
            std::size_t largest = 0;
            for (const std::size_t need : needs)
                if (largest < need) largest = need;
            return PerRow{0, 0, largest / 16 * 16 + 16};
        }
    }();
};

}  // namespace detail

// y[i, j, f] = bias[f] + Σ_{a, b, c} x[i·s + a·d - top, j·s + b·d - left, c] · kernel[a, b, c, f], zeros outside the image
// (cross-correlation, as every framework's convolution).
// x: (h, w, c), kernel: (kh, kw, c / groups, Filters), bias: (Filters), y: (h', w', Filters).
// Options: Kernel (needed), Stride, Dilation, Padding, Groups, NoBias, KernelInitializer (default glorot_uniform),
// BiasInitializer (default zeros).
template <std::size_t Filters, class... Options>
struct Conv2D : detail::ConvOptions<Options...> {
    static constexpr const char* name = "conv2d";
    static constexpr bool rows_are_independent = true;
    static constexpr bool fuses_activation = true;
    static constexpr bool folds_batch_norm = true;
    static constexpr bool fuses_pool = true;
    static constexpr bool writes_gradients_once = true;
    using conv_options = detail::ConvOptions<Options...>;

    template <class In>
    struct rule : detail::ConvRule<conv_options, In, 3, Filters> {
        using base = detail::ConvRule<conv_options, In, 3, Filters>;

        static_assert(Filters > 0, "tenon: Conv2D<filters>: the number of filters must be positive.");
        static_assert(
            options::Check<Conv2D,
                           List<kind::kernel, kind::stride, kind::dilation, kind::padding, kind::groups, kind::bias,
                                kind::kernel_initializer, kind::bias_initializer>,
                           Options...>::value,
            "tenon: Conv2D's options are Kernel, Stride, Dilation, Padding, Groups, NoBias and initialisers.");
        static_assert(
            checked<options::NotMissing<Conv2D, kind::kernel, options::count<kind::kernel, Options...>()>>::value,
            "tenon: Conv2D needs its Kernel.");
        static_assert(In::rank == 3, "tenon: Conv2D takes an image (height, width, channels).");
        static_assert(!base::window::fitting_rank || base::window::fits,
                      "tenon: Conv2D's kernel is larger than the padded input.");
        static_assert(!base::window::fits || base::window::padding_in_reach,
                      "tenon: Conv2D's padding is wider than its kernel reaches.");
        static_assert(base::groups_divide, "tenon: Conv2D's Groups must divide the input channels and the filters.");
    };
};

// The same over sequences: x: (length, c), kernel: (k, c / groups, Filters), y: (length', Filters).
template <std::size_t Filters, class... Options>
struct Conv1D : detail::ConvOptions<Options...> {
    static constexpr const char* name = "conv1d";
    static constexpr bool rows_are_independent = true;
    static constexpr bool fuses_activation = true;
    static constexpr bool folds_batch_norm = true;
    static constexpr bool writes_gradients_once = true;
    using conv_options = detail::ConvOptions<Options...>;

    template <class In>
    struct rule : detail::ConvRule<conv_options, In, 2, Filters> {
        using base = detail::ConvRule<conv_options, In, 2, Filters>;

        static_assert(Filters > 0, "tenon: Conv1D<filters>: the number of filters must be positive.");
        static_assert(
            options::Check<Conv1D,
                           List<kind::kernel, kind::stride, kind::dilation, kind::padding, kind::groups, kind::bias,
                                kind::kernel_initializer, kind::bias_initializer>,
                           Options...>::value,
            "tenon: Conv1D's options are Kernel, Stride, Dilation, Padding, Groups, NoBias and initialisers.");
        static_assert(
            checked<options::NotMissing<Conv1D, kind::kernel, options::count<kind::kernel, Options...>()>>::value,
            "tenon: Conv1D needs its Kernel.");
        static_assert(In::rank == 2, "tenon: Conv1D takes a sequence (length, channels).");
        static_assert(!base::window::fitting_rank || base::window::fits,
                      "tenon: Conv1D's kernel is larger than the padded input.");
        static_assert(!base::window::fits || base::window::padding_in_reach,
                      "tenon: Conv1D's padding is wider than its kernel reaches.");
        static_assert(base::groups_divide, "tenon: Conv1D's Groups must divide the input channels and the filters.");
    };
};

// One filter per channel: y[i, j, c] = bias[c] + Σ_{a, b} x[i·s + a·d - top, j·s + b·d - left, c] · kernel[a, b, c].
// x: (h, w, c), kernel: (kh, kw, c, 1) as Keras has it, y: (h', w', c). Options as Conv2D's, without Groups.
template <class... Options>
struct DepthwiseConv2D : detail::ConvOptions<Options...> {
    static constexpr const char* name = "depthwise_conv2d";
    static constexpr bool rows_are_independent = true;
    static constexpr bool fuses_activation = true;
    static constexpr bool folds_batch_norm = true;
    using conv_options = detail::ConvOptions<Options...>;

    template <class In>
    struct rule {
        using window = detail::ConvWindow<conv_options, In, 3>;
        static constexpr std::size_t channels = window::channels;
        static constexpr bool valid = window::fitting_rank && window::fits;
        using output =
            std::conditional_t<valid, Shape<window::rows.positions, window::columns.positions, channels>, InvalidShape>;
        static constexpr bool use_bias = conv_options::use_bias;
        static constexpr std::size_t macs = window::rows.positions * window::columns.positions * window::kernel_height *
                                            conv_options::kernel::width * channels;
        static constexpr auto slots = [] {
            constexpr auto kernel = slot<Shape<window::kernel_height, conv_options::kernel::width, channels, 1>>(
                "kernel", conv_options::kernel_initializer);
            if constexpr (conv_options::use_bias)
                return tenon::slots(kernel, slot<Shape<channels>>("bias", conv_options::bias_initializer));
            else
                return tenon::slots(kernel);
        }();

        static_assert(
            options::Check<DepthwiseConv2D,
                           List<kind::kernel, kind::stride, kind::dilation, kind::padding, kind::bias,
                                kind::kernel_initializer, kind::bias_initializer>,
                           Options...>::value,
            "tenon: DepthwiseConv2D's options are Kernel, Stride, Dilation, Padding, NoBias and initialisers.");
        static_assert(checked<options::NotMissing<DepthwiseConv2D, kind::kernel,
                                                  options::count<kind::kernel, Options...>()>>::value,
                      "tenon: DepthwiseConv2D needs its Kernel.");
        static_assert(In::rank == 3, "tenon: DepthwiseConv2D takes an image (height, width, channels).");
        static_assert(!window::fitting_rank || window::fits,
                      "tenon: DepthwiseConv2D's kernel is larger than the padded input.");
    };
};

}  // namespace tenon
