// SPDX-License-Identifier: BSL-1.0
// Parameters, multiply-adds and bytes: numbers worked out by hand or taken from Keras's summary().
#include <tenon/inference.hpp>

using namespace tenon;

namespace {

using Mlp = Network<Input<28, 28, 1>, Flatten, Dense<128>, ReLU, Dense<10>, Softmax>;
static_assert(Mlp::parameter_count == 101'770);
static_assert(Mlp::macs == 784 * 128 + 128 * 10);

// One layer each.
static_assert(Network<Input<7>, Dense<3>>::parameter_count == 7 * 3 + 3);
static_assert(Network<Input<7>, Dense<3>>::macs == 21);
static_assert(Network<Input<7>, Dense<3, NoBias>>::parameter_count == 21);
static_assert(Network<Input<7>, Dense<3, NoBias>>::macs == 21);
static_assert(Network<Input<7>, ReLU>::parameter_count == 0 && Network<Input<7>, ReLU>::macs == 0);
static_assert(Network<Input<7>, Flatten>::parameter_count == 0);
static_assert(Network<Input<4, 5, 6>, PReLU>::parameter_count == 6);
static_assert(Network<Input<4, 5, 6>, LayerNorm>::parameter_count == 12);
static_assert(Network<Input<4, 5, 6>, Softmax>::parameter_count == 0);
static_assert(Network<Input<4>, Dropout<Rate<1, 2>>>::parameter_count == 0);

// Blocks add up what they hold; repeated and shared specs count as often as they stand there.
using Inner = Residual<Dense<9>, PReLU, Dense<5>>;
constexpr std::size_t inner = (5 * 9 + 9) + 9 + (9 * 5 + 5);
static_assert(Network<Input<5>, Inner>::parameter_count == inner);
static_assert(Network<Input<5>, Inner>::macs == 90);
static_assert(Network<Input<5>, Inner, Inner>::parameter_count == 2 * inner);
static_assert(Network<Input<5>, Repeat<7, Inner>>::parameter_count == 7 * inner);
static_assert(Network<Input<5>, Repeat<7, Inner>>::macs == 7 * 90);
static_assert(Network<Input<5>, Repeat<3, Dense<8>>>::parameter_count == (5 * 8 + 8) + 2 * (8 * 8 + 8));
static_assert(Network<Input<5>, Sequential<Inner, Dense<2>>>::parameter_count == inner + 12);
static_assert(Network<Input<5>, Concat<Inner, Dense<3>, ReLU, Sequential<Inner, Dense<2>>>>::parameter_count ==
              inner + 18 + (inner + 12));
static_assert(Network<Input<5>, Concat<Inner, Dense<3>, ReLU, Sequential<Inner, Dense<2>>>>::macs ==
              90 + 15 + (90 + 10));

// Bytes: never fewer than the values; a multiple of the cache line where there is SIMD, exact where there is none.
template <class Net>
constexpr bool bytes_are_right()
{
    constexpr std::size_t f = Net::template parameter_bytes<Float32>, d = Net::template parameter_bytes<Float64>;
    constexpr bool padded = simd::width < float >> 1;
    static_assert(f >= 4 * Net::parameter_count && d >= 8 * Net::parameter_count);
    static_assert(padded ? f % 64 == 0 && d % 64 == 0 : f == 4 * Net::parameter_count && d == 8 * Net::parameter_count);
    return true;
}
static_assert(bytes_are_right<Mlp>() && bytes_are_right<Network<Input<7>, Dense<3>>>());
static_assert(bytes_are_right<Network<Input<5>, Concat<Inner, Dense<3>, ReLU>>>());
static_assert(bytes_are_right<Network<Input<5>, LayerNorm, PReLU, Dense<1>>>());
static_assert(Network<Input<7>, ReLU>::parameter_bytes<Float32> == 0);
// 784 × 128 needs no padding on any instruction set, and 128 values none for the line.
static_assert(Network<Input<784>, Dense<128>>::parameter_bytes<Float32> == 4 * (784 * 128 + 128));

// What training keeps of one row: outputs but the last, of the fused chain, and what LayerNorm notes down.
template <class... Layers>
constexpr std::size_t kept = Network<Input<6>, Layers...>::template activation_bytes<Float32> / 4;
static_assert(kept<Dense<5>> == 0 && kept<Dense<5>, ReLU> == 0 && kept<Dense<5>, ReLU, Dense<3>> == 5);
static_assert(kept<Dense<5>, GELU, Dense<3>> == 10);  // its derivative needs the value before it
static_assert(kept<Dense<5>, Tanh, Dropout<Rate<1, 2>>, Dense<3>> == 10 && kept<Flatten, Dense<3>, Flatten> == 0);
static_assert(kept<LayerNorm, Dense<3>> == 6 + 2 && kept<Reshape<2, 3>, LayerNorm, Flatten> == 2 * 2);
static_assert(kept<Residual<Dense<4>, ReLU, Dense<6>>, Dense<3>> == 6 + (4 + 6));
static_assert(kept<Concat<Sequential<Dense<4>, ReLU, Dense<6>>, LayerNorm>> == 4 + 2);

}  // namespace
