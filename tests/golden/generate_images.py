#!/usr/bin/python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the golden data of convolutions, pools, normalisation, decoders' layers and residual networks from PyTorch.

    /usr/bin/python3 tests/golden/generate_images.py

Everything is in double. PyTorch has channels first and kernels (out, in, kh, kw); tenon, as Keras, has channels last and
kernels (kh, kw, in, out): both are turned here, so that the files hold tenon's order.

"Same" is not taken from PyTorch, which has it for stride 1 only. It is Keras's and TensorFlow's rule, written out as zeros
around the image: along an axis of n values, with stride s and a window that reaches k = (taps - 1) · dilation + 1,

    positions = ceil(n / s),  zeros = max((positions - 1) · s + k - n, 0),  before = zeros // 2,  after = zeros - before

so an odd number of zeros has one more below and to the right, and a stride above 1 can leave nothing at all above while
there is a row below (n = 6, k = 3, s = 2: 0 and 1), where padding of k // 2 on both sides would look at other values.
A maximum is taken over the image only: its padding is -inf. A mean counts the cells inside the image only: the sums over
the zero-padded image are divided by the sums over an equally padded image of ones.
"""
import math

import torch
import torch.nn.functional as F

from generate import Header, draws, labels_of

ROWS = 2


class Cases(Header):
    """Named Case<outputs, inputs, parameters> constants (case.hpp)."""

    def __init__(self, name, title):
        super().__init__(name, title, "generate_images.py")
        self.lines[3:3] = ["", '#include "../case.hpp"']

    def case(self, name, y, dx, dparameters):
        parts = [t.detach().reshape(-1) for t in (y, dx, dparameters)]
        self.lines.append(f"inline constexpr Case<{', '.join(str(len(p)) for p in parts)}> {name} = {{{{")
        for i, part in enumerate(parts):
            self.numbers(part.tolist())
            self.lines.append("}, {" if i < 2 else "}};")

    def digest(self, name, tensors):
        """Of each tensor its product with draws(1000 + its number) and its sum of squares: where all values would make a large
        file. A wrong one among them shows in both."""
        flat = [t.detach().reshape(-1) for t in tensors]
        products = [(t * draws(1000 + i, t.numel())).sum() for i, t in enumerate(flat)]
        self.lines.append(f"inline constexpr Digest<{len(flat)}> {name} = {{{{")
        self.numbers([p.item() for p in products])
        self.lines.append("}, {")
        self.numbers([(t**2).sum().item() for t in flat])
        self.lines.append("}};")


def leaf(t):
    return t.clone().requires_grad_()


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def same_axis(n, taps, stride, dilation):
    positions = -(-n // stride)
    zeros = max((positions - 1) * stride + (taps - 1) * dilation + 1 - n, 0)
    return zeros // 2, zeros - zeros // 2


def padding_of(padding, extents, kernel, stride, dilation):
    """(top, bottom, left, right) of "same", "valid", or numbers as Padding<…> takes them."""
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        return sum((same_axis(n, k, s, d) for n, k, s, d in zip(extents, kernel, stride, dilation)), ())
    if isinstance(padding, int):
        return (padding,) * 4
    if len(padding) == 2:
        return padding[0], padding[0], padding[1], padding[1]
    return padding


def pad(x, amounts, value=0.0):
    top, bottom, left, right = amounts
    return F.pad(x, (left, right, top, bottom), value=value)


def first(x):  # channels
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


# --- layers on (rows, h, w, c) -----------------------------------------------------------------------------------------
def conv2d(x, kernel, bias, stride=1, dilation=1, padding="valid", groups=1):
    stride, dilation = pair(stride), pair(dilation)
    amounts = padding_of(padding, x.shape[1:3], kernel.shape[:2], stride, dilation)
    y = F.conv2d(pad(first(x), amounts), kernel.permute(3, 2, 0, 1), bias, stride, 0, dilation, groups)
    if padding == "same":
        assert y.shape[2:] == tuple(-(-n // s) for n, s in zip(x.shape[1:3], stride))
        if stride == (1, 1):  # the one case that PyTorch has itself
            other = F.conv2d(first(x), kernel.permute(3, 2, 0, 1), bias, 1, "same", dilation, groups)
            assert torch.allclose(y, other, rtol=1e-13, atol=1e-13)
    return last(y)


def depthwise2d(x, kernel, bias, **options):
    """kernel: (kh, kw, c, 1)."""
    return conv2d(x, kernel.permute(0, 1, 3, 2), bias, groups=x.shape[3], **options)


def max_pool2d(x, window, stride=None, padding="valid"):
    window = pair(window)
    stride = pair(stride or window)
    amounts = padding_of(padding, x.shape[1:3], window, stride, (1, 1))
    return last(F.max_pool2d(pad(first(x), amounts, -math.inf), window, stride))


def average_pool2d(x, window, stride=None, padding="valid"):
    window = pair(window)
    stride = pair(stride or window)
    amounts = padding_of(padding, x.shape[1:3], window, stride, (1, 1))
    mean = lambda t: F.avg_pool2d(pad(first(t), amounts), window, stride)
    y = last(mean(x) / mean(torch.ones_like(x)))
    if isinstance(padding, int) and padding * 2 <= min(window):
        other = F.avg_pool2d(first(x), window, stride, padding, count_include_pad=False)
        assert torch.allclose(y, last(other), rtol=1e-13, atol=1e-13)
    return y


def batch_norm(x, gamma, beta, epsilon):
    """Over all axes but the last, with the batch's statistics."""
    flat = x.reshape(-1, x.shape[-1])
    return F.batch_norm(flat, None, None, gamma, beta, True, 0.0, epsilon).reshape(x.shape)


def batch_norm_inference(x, gamma, beta, mean, variance, epsilon):
    flat = x.reshape(-1, x.shape[-1])
    return F.batch_norm(flat, mean, variance, gamma, beta, False, 0.0, epsilon).reshape(x.shape)


def sequence(function):
    """A layer of images on (rows, length, c): height 1."""
    return lambda x, *parameters, **options: function(x.unsqueeze(1), *parameters, **options).squeeze(1)


def one_high(kernel, stride, dilation, padding):
    if isinstance(padding, int):
        padding = (0, 0, padding, padding)
    return dict(stride=(1, stride), dilation=(1, dilation), padding=padding), (1, kernel)


# --- single layers: x = draws(10), dy = draws(11), slot s = draws(100 + s, 0.5) -------------------------------------------
def parameters_of(shapes):
    return [leaf(draws(100 + s, *shape, scale=0.5)) for s, shape in enumerate(shapes)]


def run(out, name, shape, function, shapes, rows=ROWS, x=None):
    x = leaf(draws(10, rows, *shape) if x is None else x)
    parameters = parameters_of(shapes)
    y = function(x, *parameters)
    y.backward(draws(11, *y.shape))
    gradients = torch.cat([p.grad.reshape(-1) for p in parameters]) if parameters else torch.zeros(1)
    out.case(name, y, x.grad, gradients)


def convolutions():
    out = Cases("convolutions", "Convolutions: y, dx and all parameters' gradients.")

    def conv(name, shape, filters, kernel, bias=True, groups=1, rows=ROWS, **options):
        kernel = pair(kernel)
        shapes = [(*kernel, shape[2] // groups, filters)] + ([(filters,)] if bias else [])
        layer = lambda x, k, b=None: conv2d(x, k, b, groups=groups, **options)
        run(out, name, shape, layer, shapes, rows)

    conv("valid", (5, 4, 1), 3, 3)
    conv("stride_2", (7, 6, 3), 4, 3, stride=2)
    conv("stride_3_skips", (8, 7, 2), 3, 2, stride=3)
    conv("stride_each", (7, 9, 2), 3, 3, stride=(3, 2))
    conv("same_3", (5, 4, 2), 3, 3, padding="same")
    conv("same_2", (5, 4, 2), 3, 2, padding="same")
    conv("same_4", (6, 5, 1), 2, 4, padding="same")
    conv("same_3_stride_2_even", (6, 8, 2), 3, 3, stride=2, padding="same")
    conv("same_3_stride_2_odd", (7, 5, 2), 3, 3, stride=2, padding="same")
    conv("same_3_stride_2_mixed", (7, 8, 2), 3, 3, stride=2, padding="same")
    conv("same_2_stride_2", (5, 6, 2), 3, 2, stride=2, padding="same")
    conv("same_3_by_2_stride_3_by_2", (7, 8, 2), 3, (3, 2), stride=(3, 2), padding="same")
    conv("same_5_stride_3", (8, 7, 1), 2, 5, stride=3, padding="same")
    conv("same_1_stride_2", (5, 6, 3), 4, 1, stride=2, padding="same")
    conv("same_2_stride_3", (7, 8, 2), 3, 2, stride=3, padding="same")
    conv("same_larger_than_image", (2, 3, 2), 3, 5, padding="same")
    conv("same_dilated", (6, 5, 2), 3, 3, dilation=2, padding="same")
    conv("same_dilated_even", (6, 7, 2), 3, 2, dilation=(1, 3), padding="same")
    conv("dilated", (8, 9, 2), 3, 3, dilation=(2, 3))
    conv("dilated_stride_2", (8, 9, 2), 3, 3, dilation=2, stride=2)
    conv("padding_1", (4, 5, 2), 3, 3, padding=1)
    conv("padding_1_2", (5, 4, 2), 3, (2, 3), padding=(1, 2))
    conv("padding_each", (6, 5, 2), 3, 4, stride=2, padding=(3, 0, 1, 2))
    conv("padding_stride_2_dilated", (7, 6, 2), 3, 3, stride=2, dilation=2, padding=(2, 1, 0, 3))
    conv("whole_image", (4, 3, 3), 5, (4, 3))
    conv("row_kernel", (3, 8, 2), 3, (1, 5))
    conv("column_kernel", (8, 3, 2), 3, (3, 1), padding="same")
    conv("channels_5", (4, 4, 5), 3, 3)
    conv("channels_17", (3, 3, 17), 3, 2, padding="same")
    conv("filters_17", (3, 4, 2), 17, 2)
    conv("filters_33", (2, 3, 2), 33, 2)
    conv("one_by_one", (2, 2, 17), 9, 1)
    conv("without_bias", (3, 3, 1), 17, 3, bias=False, padding="same")
    conv("groups_2", (5, 4, 4), 6, 3, groups=2)
    conv("groups_2_same_stride_2", (5, 6, 4), 6, 3, groups=2, stride=2, padding="same")
    conv("groups_2_wide", (2, 3, 10), 34, (1, 2), groups=2)
    conv("groups_of_one", (5, 4, 3), 6, 3, groups=3, padding="same")  # depthwise with multiplier 2
    conv("many_images", (3, 3, 1), 1, 3, padding="same", rows=19)

    def conv1d(name, shape, filters, kernel, stride=1, dilation=1, padding="valid", groups=1, bias=True):
        options, size = one_high(kernel, stride, dilation, padding)
        layer = sequence(lambda x, k, b=None: conv2d(x, k.unsqueeze(0), b, groups=groups, **options))
        run(out, name, shape, layer, [(kernel, shape[1] // groups, filters)] + ([(filters,)] if bias else []))

    conv1d("sequence_valid", (9, 3), 4, 3)
    conv1d("sequence_one_channel", (7, 1), 3, 2, bias=False)
    conv1d("sequence_same_4", (7, 2), 3, 4, padding="same")
    conv1d("sequence_same_stride_2", (8, 2), 3, 3, stride=2, padding="same")
    conv1d("sequence_same_stride_3", (10, 2), 3, 5, stride=3, padding="same")
    conv1d("sequence_dilated", (16, 2), 3, 3, dilation=4)
    conv1d("sequence_causal", (8, 2), 3, 3, dilation=2, padding=(0, 0, 4, 0))
    conv1d("sequence_padding_2", (6, 2), 3, 3, padding=2)
    conv1d("sequence_groups", (6, 4), 6, 3, groups=2)
    conv1d("sequence_17", (3, 17), 9, 2)

    def depthwise(name, shape, kernel, bias=True, **options):
        shapes = [(*pair(kernel), shape[2], 1)] + ([(shape[2],)] if bias else [])
        run(out, name, shape, lambda x, k, b=None: depthwise2d(x, k, b, **options), shapes)

    depthwise("depthwise", (5, 4, 5), 3)
    depthwise("depthwise_one_channel", (4, 5, 1), (2, 3))
    depthwise("depthwise_17", (3, 3, 17), 2, bias=False)
    depthwise("depthwise_same_stride_2", (6, 7, 3), 3, stride=2, padding="same")
    depthwise("depthwise_same_2", (5, 4, 3), 2, padding="same")
    depthwise("depthwise_dilated", (7, 6, 3), 3, dilation=2, padding="same")
    depthwise("depthwise_padding_each", (5, 4, 3), 3, stride=(2, 1), padding=(2, 0, 1, 2))
    depthwise("depthwise_padding_beyond_kernel", (3, 2, 3), 2, padding=3)

    def separable(name, shape, filters, kernel, **options):
        shapes = [(*pair(kernel), shape[2], 1), (1, 1, shape[2], filters), (filters,)]
        layer = lambda x, d, p, b: conv2d(depthwise2d(x, d, None, **options), p, b)
        run(out, name, shape, layer, shapes)

    separable("separable", (5, 4, 3), 4, 3)
    separable("separable_same_stride_2", (6, 5, 3), 5, 3, stride=2, padding="same")
    separable("separable_17", (2, 3, 17), 5, 2)

    # Convolution, activation and pool, which inference runs as one pass.
    def block(name, shape, filters, kernel, function, **options):
        shapes = [(*pair(kernel), shape[2], filters), (filters,)]
        run(out, name, shape, lambda x, k, b: function(conv2d(x, k, b, **options)), shapes)

    block("relu_pool", (8, 7, 2), 5, 3, lambda t: max_pool2d(F.relu(t), 2), padding="same")
    block("relu_pool_17", (6, 6, 1), 17, 3, lambda t: max_pool2d(F.relu(t), 2))
    block("pool", (7, 7, 2), 3, 2, lambda t: max_pool2d(t, 2), padding="same")
    block("relu", (5, 4, 2), 3, 3, F.relu)
    block("silu", (5, 4, 2), 3, 3, F.silu)
    block("tanh_average", (6, 5, 2), 3, 2, lambda t: average_pool2d(torch.tanh(t), 2, padding="same"))
    out.write()


def wide_convolutions():
    """Channels that fill vectors, where other kernels may be at work than in the small cases. Digests of y, dx and each slot."""
    out = Cases("wide_convolutions", "Wider convolutions: digests of y, dx and each parameter's gradient.")

    def wide(name, shape, filters, kernel, function=lambda t: t, bias=True, rows=3, **options):
        kernel = pair(kernel)
        x = leaf(draws(10, rows, *shape))
        parameters = parameters_of([(*kernel, shape[2], filters)] + ([(filters,)] if bias else []))
        y = function(conv2d(x, *parameters, *([] if bias else [None]), **options))
        y.backward(draws(11, *y.shape))
        out.digest(name, [y, x.grad] + [p.grad for p in parameters])

    pool = lambda t: max_pool2d(t, 2)
    relu_pool = lambda t: max_pool2d(F.relu(t), 2)
    wide("same_16_16", (5, 5, 16), 16, 3, padding="same")
    wide("valid_16_32_relu", (8, 7, 16), 32, 3, F.relu)
    wide("padding_2_32_16", (6, 7, 32), 16, 3, padding=2)
    wide("padding_each_16_48", (7, 6, 16), 48, 3, padding=(2, 0, 1, 2))
    wide("without_bias_16_16", (6, 6, 16), 16, 3, bias=False, padding="same")
    wide("tanh_16_16", (5, 6, 16), 16, 3, torch.tanh, padding="same")
    wide("stride_2_16_32", (9, 8, 16), 32, 3, stride=2, padding="same")
    wide("dilated_16_16", (9, 8, 16), 16, 3, dilation=2)
    wide("row_16_16", (1, 33, 16), 16, (1, 3), padding="same")
    wide("kernel_5_16_16", (7, 7, 16), 16, 5, padding="same")
    wide("same_17_33", (6, 5, 17), 33, 3, padding="same")
    wide("relu_pool_16_16", (8, 8, 16), 16, 3, relu_pool, padding="same")
    wide("relu_pool_odd_16_32", (9, 7, 16), 32, 3, relu_pool, padding="same")
    wide("pool_32_16", (8, 9, 32), 16, 3, pool)
    wide("pool_padding_16_16", (5, 6, 16), 16, 3, pool, padding=(2, 1, 0, 2))
    wide("relu_pool_2_16_16", (8, 7, 16), 16, 2, relu_pool)
    wide("relu_pool_5_16_16", (9, 8, 16), 16, 5, relu_pool)
    wide("relu_pool_stride_2_16_16", (13, 12, 16), 16, 3, relu_pool, stride=2)
    wide("relu_pool_3_16", (10, 9, 3), 16, 3, relu_pool)
    wide("relu_pool_1_32", (12, 12, 1), 32, 3, relu_pool)
    wide("relu_pool_64_8", (6, 6, 64), 8, 3, relu_pool)
    wide("relu_pool_20_20", (7, 8, 20), 20, 3, relu_pool)
    wide("relu_pool_16_16_many", (6, 6, 16), 16, 3, relu_pool, rows=37)
    out.write()


def pools():
    out = Cases("pools", "Pools: y and dx.")

    for kind, function in (("max", max_pool2d), ("average", average_pool2d)):

        def pool(name, shape, *arguments, **options):
            run(out, f"{kind}_{name}", shape, lambda x: function(x, *arguments, **options), [])

        pool("2", (6, 4, 3), 2)
        pool("2_odd", (7, 5, 1), 2)
        pool("2_odd_same", (5, 7, 2), 2, padding="same")
        pool("3_stride_1_same", (4, 5, 2), 3, 1, padding="same")
        pool("2_stride_1_same", (4, 5, 2), 2, 1, padding="same")
        pool("3_stride_2_same_even", (6, 8, 2), 3, 2, padding="same")
        pool("3_stride_2_same_odd", (7, 5, 2), 3, 2, padding="same")
        pool("3_stride_2", (7, 6, 2), 3, 2)
        pool("2_stride_3", (8, 7, 2), 2, 3)
        pool("2_stride_3_same", (7, 8, 2), 2, 3, padding="same")
        pool("3_stride_1_by_2", (5, 6, 2), 3, (1, 2))
        pool("3_padding_1_stride_2", (6, 7, 2), 3, 2, padding=1)
        pool("3_padding_each", (5, 4, 2), 3, 2, padding=(2, 1, 0, 2))
        pool("4_same_larger_than_image", (2, 3, 2), 4, padding="same")
        pool("17", (5, 4, 17), 2, padding="same")

        def pool1d(name, shape, window, stride=None, padding="valid"):
            options, size = one_high(window, stride or window, 1, padding)
            layer = sequence(lambda x: function(x, size, options["stride"], options["padding"]))
            run(out, f"{kind}_sequence_{name}", shape, layer, [])

        pool1d("2", (9, 3), 2)
        pool1d("2_same", (9, 3), 2, padding="same")
        pool1d("3_stride_2_same", (8, 2), 3, 2, padding="same")
        pool1d("3_stride_1_padding_1", (6, 2), 3, 1, padding=1)

    # Equal values: the window's first in reading order takes the whole gradient, as in PyTorch.
    x = torch.round(draws(10, ROWS, 5, 6, 3) * 1.5)
    run(out, "max_ties", (5, 6, 3), lambda x: max_pool2d(x, 3, 2, padding="same"), [], x=x)

    run(out, "global_average", (4, 5, 6), lambda x: x.mean((1, 2)), [])
    run(out, "global_average_17", (3, 3, 17), lambda x: x.mean((1, 2)), [])
    run(out, "global_max", (4, 5, 6), lambda x: x.amax((1, 2)), [])
    run(out, "global_max_17", (3, 3, 17), lambda x: x.amax((1, 2)), [])
    out.write()


def decoders():
    out = Cases("decoders", "Conv2DTranspose, Upsample2D, ZeroPadding2D and GroupNorm: y, dx and parameters' gradients.")

    # Keras's and TensorFlow's rule, as above: "same" makes n · s values of n, since a convolution with "same" over n · s makes
    # n, and this is that convolution's gradient. It would have max((n - 1) · s + k - n · s, 0) = max(k - s, 0) zeros, half of
    # them before, which are the rows that are cut off here. "valid" keeps every product, and a kernel smaller than the stride
    # still makes n · s values; PyTorch's ends with the last product, (n - 1) · s + k, so zeros are added behind.
    def transposed2d(x, kernel, bias, stride=1, padding="valid"):
        """kernel: (kh, kw, out, in)."""
        stride = pair(stride)
        y = F.conv_transpose2d(first(x), kernel.permute(3, 2, 0, 1), None, stride)
        for axis, (n, k, s) in enumerate(zip(x.shape[1:3], kernel.shape[:2], stride)):
            wider = max(k - s, 0)
            start, size = (wider // 2, n * s) if padding == "same" else (0, n * s + wider)
            missing = max(start + size - y.shape[2 + axis], 0)
            y = F.pad(y, (0, 0, 0, missing) if axis == 0 else (0, missing)).narrow(2 + axis, start, size)
        y = last(y)
        return y if bias is None else y + bias

    def transposed(name, shape, filters, kernel, bias=True, **options):
        kernel = pair(kernel)
        shapes = [(*kernel, filters, shape[2])] + ([(filters,)] if bias else [])
        run(out, name, shape, lambda x, k, b=None: transposed2d(x, k, b, **options), shapes)

    transposed("transposed", (3, 4, 2), 3, 3)
    transposed("transposed_same", (3, 4, 2), 3, 3, padding="same")
    transposed("transposed_same_2", (3, 4, 2), 3, 2, padding="same")
    transposed("transposed_stride_2", (3, 4, 2), 3, 3, stride=2)
    transposed("transposed_2_stride_2", (3, 2, 3), 2, 2, stride=2, padding="same")
    transposed("transposed_3_stride_2_same", (3, 4, 2), 3, 3, stride=2, padding="same")
    transposed("transposed_4_stride_2_same", (3, 2, 2), 3, 4, stride=2, padding="same")
    transposed("transposed_5_stride_3_same", (2, 3, 2), 2, 5, stride=3, padding="same")
    transposed("transposed_2_stride_3", (2, 3, 2), 3, 2, stride=3)
    transposed("transposed_1_stride_2_same", (3, 2, 2), 3, 1, stride=2, padding="same")
    transposed("transposed_each", (3, 2, 2), 3, (2, 5), stride=(3, 2), padding="same")
    transposed("transposed_each_valid", (3, 2, 2), 3, (4, 1), stride=(1, 3))
    transposed("transposed_one_channel", (3, 3, 1), 1, 3, bias=False, stride=2)
    transposed("transposed_17", (2, 2, 17), 3, 2, stride=2, padding="same")
    transposed("transposed_to_17", (1, 2, 3), 17, 3, stride=2, padding="same")
    transposed("transposed_one_pixel", (1, 1, 5), 3, 4, stride=2)

    # Pixel centres keep their places: align_corners=False, as Keras's UpSampling2D.
    def upsampled(name, shape, factor, mode):
        scale = dict(align_corners=False) if mode == "bilinear" else {}
        run(out, name, shape, lambda x: last(F.interpolate(first(x), scale_factor=factor, mode=mode, **scale)), [])

    for mode in ("nearest", "bilinear"):
        upsampled(f"{mode}_2", (3, 4, 3), 2, mode)
        upsampled(f"{mode}_3", (2, 3, 2), 3, mode)
        upsampled(f"{mode}_4_one_row", (1, 3, 1), 4, mode)
        upsampled(f"{mode}_2_of_17", (1, 2, 17), 2, mode)

    run(out, "zeros_1", (3, 4, 3), lambda x: last(pad(first(x), (1, 1, 1, 1))), [])
    run(out, "zeros_1_2", (3, 2, 2), lambda x: last(pad(first(x), (1, 1, 2, 2))), [])
    run(out, "zeros_each", (1, 2, 17), lambda x: last(pad(first(x), (0, 1, 2, 0))), [])

    def group_norm(name, shape, groups, epsilon=1e-3):
        channels = len(shape) - 1  # among the axes of a sample

        def layer(x, gamma, beta):
            y = F.group_norm(x.movedim(1 + channels, 1), groups, gamma, beta, epsilon)
            return y.movedim(1, 1 + channels)

        run(out, name, shape, layer, [(shape[-1],), (shape[-1],)], rows=3)

    group_norm("groups_2_of_6", (3, 2, 6), 2)
    group_norm("groups_1_of_5", (2, 3, 5), 1)
    group_norm("groups_4_of_4", (3, 3, 4), 4)
    group_norm("groups_17_of_34", (1, 2, 34), 17)
    group_norm("groups_2_of_34", (2, 1, 34), 2)
    group_norm("groups_as_pytorch", (3, 2, 6), 3, epsilon=1e-5)
    group_norm("groups_of_features", (8,), 2)
    group_norm("groups_of_sequence", (5, 6), 3)
    out.write()


# --- batch normalisation: slots gamma, beta, moving_mean, moving_variance = draws(100 + s, 0.5), variance 1 + that ---------
class BatchNorm:
    """The four slots of one layer; `moved` are the statistics after a training step."""

    def __init__(self, stream, channels, epsilon=1e-3, momentum=0.99, gamma_offset=0.0):
        self.gamma = leaf(gamma_offset + draws(stream, channels, scale=0.5))
        self.beta = leaf(draws(stream + 1, channels, scale=0.5))
        self.mean = draws(stream + 2, channels, scale=0.5)
        self.variance = 1 + draws(stream + 3, channels, scale=0.5)
        self.epsilon, self.momentum = epsilon, momentum
        self.moved = None

    def infer(self, x):
        return batch_norm_inference(x, self.gamma, self.beta, self.mean, self.variance, self.epsilon)

    def train(self, x):
        # tenon's momentum is Keras's: the share of the old value. PyTorch's is the share of the new one, 1 - momentum, and
        # it moves the variance towards the unbiased estimate (divided by n - 1), where Keras and tenon take the biased
        # one, the same that normalises the batch. So its variance is taken apart and put together again.
        n = x.numel() // x.shape[-1]
        gain = 1 - self.momentum
        mean, variance = self.mean.clone(), self.variance.clone()
        F.batch_norm(x.detach().reshape(n, -1), mean, variance, None, None, True, gain, self.epsilon)
        unbiased = (variance - (1 - gain) * self.variance) / gain
        self.moved = torch.cat([mean, self.momentum * self.variance + gain * unbiased * (n - 1) / n])
        batch = x.detach().reshape(n, -1).var(0, unbiased=False)
        assert torch.allclose(unbiased * (n - 1) / n, batch, rtol=1e-9, atol=1e-12)
        return batch_norm(x, self.gamma, self.beta, self.epsilon)

    def learned(self):
        return [self.gamma, self.beta]


def normalisation():
    out = Cases("normalisation", "BatchNorm in training and at inference, residual blocks and ResNet-8.")

    def norm(name, shape, rows, scale=1.0, shift=0.0, **options):
        x = leaf(draws(10, rows, *shape, scale=scale) + shift)
        layer = BatchNorm(100, shape[-1], **options)
        y = layer.train(x)
        y.backward(draws(11, *y.shape))
        out.case(name, y, x.grad, torch.cat([p.grad for p in layer.learned()]))
        out.add(f"{name}_moved", layer.moved)
        out.add(f"{name}_inferred", layer.infer(x))

    norm("features", (5,), 7)
    norm("image", (4, 3, 3), 2)
    norm("image_one_row", (3, 3, 17), 1)
    norm("sequence", (5, 2), 3)
    norm("as_pytorch", (4, 3, 3), 2, epsilon=1e-5, momentum=0.9)
    norm("far_from_zero", (3, 2, 2), 4, scale=2.0, shift=64.0)

    # Input<5, 4, 2>, Conv2D<3, Same>, BatchNorm, ReLU, Residual<Conv2D<3, Same>, BatchNorm, ReLU, Conv2D<3, Same>,
    # BatchNorm>, ReLU, GlobalAveragePool2D, Dense<4>; CrossEntropy, mean of 3 rows.
    def slots(layers):
        """Each layer's parameters from draws(100 + number of the slot)."""
        stream, made = 100, []
        for layer in layers:
            if isinstance(layer, int):
                made.append(BatchNorm(stream, layer))
                stream += 4
            else:
                made.append([leaf(draws(stream + i, *shape, scale=0.5)) for i, shape in enumerate(layer)])
                stream += len(layer)
        return made

    def gradients(layers):
        learned = [p for layer in layers for p in (layer.learned() if isinstance(layer, BatchNorm) else layer)]
        return torch.cat([p.grad.reshape(-1) for p in learned])

    def conv_of(cin, cout, k=3):
        return [(k, k, cin, cout), (cout,)]

    made = slots([conv_of(2, 3), 3, conv_of(3, 3), 3, conv_of(3, 3), 3, [(3, 4), (4,)]])

    def plain(x, norm):
        c0, n0, c1, n1, c2, n2, d = made
        h = F.relu(norm(n0, conv2d(x, *c0, padding="same")))
        inner = F.relu(norm(n1, conv2d(h, *c1, padding="same")))
        h = F.relu(h + norm(n2, conv2d(inner, *c2, padding="same")))
        return h.mean((1, 2)) @ d[0] + d[1]

    # Input<6, 5, 2>, Add<Sequential<Conv2D<3, Stride<2>, Same>, BatchNorm, ReLU, Conv2D<3, Same>, BatchNorm>,
    # Conv2D<1, Stride<2>, Same>>, ReLU, AveragePool2D<3>, Flatten, Dense<4>; as above.
    down_made = slots([conv_of(2, 3), 3, conv_of(3, 3), 3, conv_of(2, 3, 1), [(3, 4), (4,)]])

    def down(x, norm):
        c0, n0, c1, n1, shortcut, d = down_made
        h = F.relu(norm(n0, conv2d(x, *c0, stride=2, padding="same")))
        h = norm(n1, conv2d(h, *c1, padding="same"))
        h = F.relu(h + conv2d(x, *shortcut, stride=2, padding="same"))
        return average_pool2d(h, 3).reshape(len(x), -1) @ d[0] + d[1]

    for name, function, layers, shape in (
        ("residual", plain, made, (5, 4, 2)),
        ("projection", down, down_made, (6, 5, 2)),
    ):
        x = leaf(draws(10, 3, *shape))
        y = function(x, BatchNorm.train)
        loss = F.cross_entropy(y, labels_of(12, 3, 4))
        loss.backward()
        out.case(name, y, x.grad, gradients(layers))
        out.add(f"{name}_loss", loss)
        out.add(f"{name}_moved", torch.cat([n.moved for n in layers if isinstance(n, BatchNorm)]))
        out.add(f"{name}_inferred", function(x, BatchNorm.infer))

    resnet8(out)
    out.write()


def resnet8(out):
    """MLPerf Tiny's ResNet-8 as zoo::ResNet8 has it, two rows of (32, 32, 3).

    Kernels are scaled to the largest power of two within He's uniform bound, sqrt(6 / fan_in), and gamma is 1 + draws, so
    that the signal keeps its size; the other slots as above.
    """
    stream = [100]
    layers = []

    def take(*shape):
        scale = 0.5
        if len(shape) > 1:
            fan_in, scale = math.prod(shape[:-1]), 1.0
            while scale * scale * fan_in > 6:
                scale /= 2
        stream[0] += 1
        return leaf(draws(stream[0] - 1, *shape, scale=scale))

    def conv(filters, cin, k=3):
        layers.append([take(k, k, cin, filters), take(filters)])
        return layers[-1]

    def norm(channels):
        layers.append(BatchNorm(stream[0], channels, gamma_offset=1.0))
        stream[0] += 4
        return layers[-1]

    stem = conv(16, 3), norm(16)
    one = conv(16, 16), norm(16), conv(16, 16), norm(16)
    two = conv(32, 16), norm(32), conv(32, 32), norm(32), conv(32, 16, 1)
    three = conv(64, 32), norm(64), conv(64, 64), norm(64), conv(64, 32, 1)
    dense = [take(64, 10), take(10)]
    layers.append(dense)

    def forward(x, mode):
        h = F.relu(mode(stem[1], conv2d(x, *stem[0], padding="same")))
        c0, n0, c1, n1 = one
        h = F.relu(h + mode(n1, conv2d(F.relu(mode(n0, conv2d(h, *c0, padding="same"))), *c1, padding="same")))
        for c0, n0, c1, n1, shortcut in (two, three):
            inner = F.relu(mode(n0, conv2d(h, *c0, stride=2, padding="same")))
            inner = mode(n1, conv2d(inner, *c1, padding="same"))
            h = F.relu(inner + conv2d(h, *shortcut, stride=2, padding="same"))
        return average_pool2d(h, 8).reshape(len(x), -1) @ dense[0] + dense[1]

    x = leaf(draws(10, ROWS, 32, 32, 3))
    out.add("resnet8_inferred", F.softmax(forward(x, BatchNorm.infer), 1))
    y = forward(x, BatchNorm.train)
    loss = F.cross_entropy(y, labels_of(12, ROWS, 10))
    loss.backward()
    out.add("resnet8_logits", y)
    out.add("resnet8_loss", loss)
    learned = [p for layer in layers for p in (layer.learned() if isinstance(layer, BatchNorm) else layer)]
    out.digest("resnet8_gradients", [p.grad for p in [x] + learned])


if __name__ == "__main__":
    convolutions()
    wide_convolutions()
    pools()
    decoders()
    normalisation()
