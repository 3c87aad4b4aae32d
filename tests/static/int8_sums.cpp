// SPDX-License-Identifier: BSL-1.0
// Constant weights in int8: that no sum can leave int32 is known while compiling.
#include <tenon/model/int8.hpp>

using namespace tenon;

namespace {

using Net = Network<Input<5, 5, 2>, Conv2D<3, Kernel<3>>, ReLU, Residual<DepthwiseConv2D<Kernel<3>, Padding<Same>>>,
                    Flatten, Dense<2>>;
using Chain = rewritten_chain<Purpose::inference, typename Net::chain>;
constexpr Int8Counts counts = FrozenWeights<Net, Int8>::counts;

struct Memory {
    std::int8_t kernel[counts.kernel_bytes] = {};
    std::int32_t bias[counts.channels] = {};
    std::int32_t multiplier[counts.channels] = {};
    std::int8_t shift[counts.channels] = {};
};

// Every weight -128; the last layer's 27 inputs alone may make 27 · 128 · 256 = 884,736. `last`: the bias of its second output.
template <std::int32_t Last, std::int16_t Zero>
struct Weights {
    static constexpr Memory memory = [] {
        Memory m{};
        for (auto& w : m.kernel) w = -128;
        using Dense = typename Chain::template bound<Chain::count - 1>;
        m.bias[counts.channels - detail::int8_channels<Dense>() + 1] = Last;
        return m;
    }();
    static constexpr FrozenWeights<Net, Int8> value = [] {
        FrozenWeights<Net, Int8> weights{};
        std::size_t kernel = 0, channel = 0, next = 0;
        const auto put = [&]<class B>(B) {
            weights.linear[next++] = {memory.kernel + kernel,
                                      memory.bias + channel,
                                      memory.multiplier + channel,
                                      memory.shift + channel,
                                      Zero,
                                      0,
                                      0,
                                      -128,
                                      127};
            kernel += detail::int8_kernel_bytes<B>();
            channel += detail::int8_channels<B>();
        };
        put(typename Chain::template bound<0>{});
        put(typename Chain::template bound<1>::rule::branches::template at<0>::template bound<0>{});
        put(typename Chain::template bound<Chain::count - 1>{});
        return weights;
    }();
};

static_assert(sums_fit(Weights<0, 0>::value));
static_assert(sums_fit(Weights<INT32_MAX - 884736, 0>::value));
static_assert(!sums_fit(Weights<INT32_MAX - 884735, 0>::value));
static_assert(!sums_fit(Weights<-INT32_MAX + 884735, 0>::value));
static_assert(sums_fit(Weights<-INT32_MAX + 884736, 0>::value));
// The kernel's zero point counts: -128 - 1 is larger.
static_assert(!sums_fit(Weights<INT32_MAX - 884736, 1>::value));
// -128 + 1 is smaller, 27 · 127 · 256 = 877,824.
static_assert(sums_fit(Weights<INT32_MAX - 877824, -1>::value));
static_assert(!sums_fit(Weights<INT32_MAX - 877823, -1>::value));

// A hundred thousand weights are within every compiler's limits.
using Mlp = Network<Input<784>, Dense<128>, ReLU, Dense<10>, Softmax>;
constexpr std::int8_t kernel[784 * 128] = {};
constexpr std::int32_t zeros[128] = {};
constexpr FrozenWeights<Mlp, Int8> mlp = [] {
    FrozenWeights<Mlp, Int8> weights{};
    for (auto& layer : weights.linear) layer = {kernel, zeros, zeros, kernel, 0, 0, 0, -128, 127};
    return weights;
}();
static_assert(sums_fit(mlp));

}  // namespace
