// SPDX-License-Identifier: BSL-1.0
// Windows that slide over an image: the options Kernel, Stride, Dilation, Padding and Groups, and the arithmetic of output
// sizes, as Keras and TensorFlow define it.
#pragma once

#include <tenon/layers/bound.hpp>
#include <tenon/layers/options.hpp>

namespace tenon::inline TENON_ISA {

namespace kind {
struct kernel;
struct stride;
struct dilation;
struct padding;
struct groups;
}  // namespace kind

namespace detail {

// Its own class, so that an option with a wrong number stays valid and nothing else is reported.
template <std::size_t... Values>
struct WindowSizes {
    static_assert(sizeof...(Values) == 1 || sizeof...(Values) == 2, "tenon: give one size, or height and width.");
    static_assert(((Values > 0) && ...), "tenon: the sizes of a window must be positive.");
};

// One number for both axes, or height and width.
template <std::size_t... Values>
struct PerAxis {
    // clang-format off
    enum : bool { asked = requires { sizeof(WindowSizes<Values...>); } };
// clang-format on

static constexpr std::size_t values[sizeof...(Values) + 1] = {(Values > 0 ? Values : 1)..., 1};
static constexpr std::size_t height = values[0];
static constexpr std::size_t width = values[sizeof...(Values) == 0 ? 0 : sizeof...(Values) - 1];
};

}  // namespace detail

// Kernel<3>: 3 × 3; Kernel<1, 5>: height 1, width 5. In one dimension: the length.
template <std::size_t... Size>
struct Kernel : detail::PerAxis<Size...> {
    using option_kind = kind::kernel;
};
// Steps of the window; default 1 (pools: the window's size).
template <std::size_t... Steps>
struct Stride : detail::PerAxis<Steps...> {
    using option_kind = kind::stride;
};
// Distance between the kernel's taps; default 1.
template <std::size_t... Steps>
struct Dilation : detail::PerAxis<Steps...> {
    using option_kind = kind::dilation;
};
// Input and output channels fall into this many groups that do not see each other; default 1.
template <std::size_t Count>
struct Groups {
    using option_kind = kind::groups;
    static constexpr std::size_t count = Count;
};

// What Padding<…> takes besides numbers.
enum class PaddingMode : std::size_t { valid, same };
inline constexpr PaddingMode Valid = PaddingMode::valid;
inline constexpr PaddingMode Same = PaddingMode::same;

// Padding<Valid> (the default), Padding<Same>, or zeros by number: Padding<1> on every side, Padding<1, 2> above and below,
// left and right, Padding<top, bottom, left, right>.
// Same means what Keras means: the output has ceil(input / stride) positions, and of an odd number of padding rows the
// extra one lies behind. (PyTorch's kernel / 2 on both sides differs for even kernels and for strides above 1.)
template <auto... Values>
struct Padding {
    using option_kind = kind::padding;

    static constexpr std::size_t count = sizeof...(Values);
    static constexpr std::size_t values[sizeof...(Values) + 1] = {static_cast<std::size_t>(Values)..., 0};
    static constexpr bool is_mode = (std::is_same_v<std::remove_const_t<decltype(Values)>, PaddingMode> || ...);
    static constexpr bool same = is_mode && values[0] == static_cast<std::size_t>(PaddingMode::same);
    static constexpr std::size_t top = is_mode ? 0 : values[0];
    static constexpr std::size_t bottom = is_mode ? 0 : values[count == 4 ? 1 : 0];
    static constexpr std::size_t left = is_mode ? 0 : values[count == 4 ? 2 : count == 2 ? 1 : 0];
    static constexpr std::size_t right = is_mode ? 0 : values[count == 4 ? 3 : count == 2 ? 1 : 0];

    static_assert(is_mode ? count == 1 : count == 1 || count == 2 || count == 4,
                  "tenon: Padding takes Same, Valid, or one, two or four numbers of zeros.");
};

// One axis of a sliding window: the padding before and after, and the number of positions (0: it does not fit).
struct WindowAxis {
    std::size_t before;
    std::size_t after;
    std::size_t positions;
};

// `same` overrules the two numbers of zeros.
constexpr WindowAxis window_axis(std::size_t input, std::size_t kernel, std::size_t stride, std::size_t dilation,
                                 bool same, std::size_t before, std::size_t after)
{
    if (kernel == 0 || stride == 0 || dilation == 0) return {before, after, 0};
    const std::size_t reach = (kernel - 1) * dilation + 1;
    if (same) {
        const std::size_t positions = (input + stride - 1) / stride;
        const std::size_t needed = (positions - 1) * stride + reach;
        const std::size_t total = needed > input ? needed - input : 0;
        return {total / 2, total - total / 2, positions};
    }
    const std::size_t padded = before + input + after;
    return {before, after, padded < reach ? 0 : (padded - reach) / stride + 1};
}

}  // namespace tenon
