// SPDX-License-Identifier: BSL-1.0
// Chains longer than the 256 operands at which clang stops folding.
#include <tenon/inference.hpp>

using namespace tenon;

namespace {

template <class Indices>
struct Deep;
template <std::size_t... I>
struct Deep<std::index_sequence<I...>> {
    using type = Network<Input<8>, std::conditional_t<I % 2 == 0, Dense<8 + I % 3>, ReLU>...>;
};
template <std::size_t N>
using deep = typename Deep<std::make_index_sequence<N>>::type;

static_assert(deep<200>::layer_count == 200 && deep<300>::layer_count == 300);
static_assert(std::is_same_v<deep<300>::output_shape, Shape<8 + 298 % 3>>);
static_assert(std::is_same_v<deep<300>::shape_after<255>, Shape<8 + 254 % 3>>);

// Sizes 8, 10, 9, 8, 10, 9, … of 150 Dense layers.
constexpr std::size_t count_by_hand(std::size_t layers)
{
    std::size_t in = 8, count = 0;
    for (std::size_t i = 0; i < layers; i += 2) {
        const std::size_t out = 8 + i % 3;
        count += in * out + out;
        in = out;
    }
    return count;
}
static_assert(deep<200>::parameter_count == count_by_hand(200) && deep<300>::parameter_count == count_by_hand(300));
static_assert(slot_table<deep<300>, float>.size() == 300 && slot_table<deep<300>, float>[299].ordinal == 150);
static_assert(deep<300>::workspace_bytes<Float32> == 2 * 4 * detail::aligned<float>(10) || simd::width<float> == 1);
static_assert(deep<300>::hash != deep<299>::hash && deep<300>::hash != deep<200>::hash);
static_assert(chain_tape<rewritten_chain<Purpose::training, deep<300>::chain>>().row > 149 * 8);

// A Repeat is a chain as well.
using Repeated = Network<Input<4>, Repeat<290, Dense<4>>>;
static_assert(Repeated::parameter_count == 290 * 20 && Repeated::macs == 290 * 16);
static_assert(slot_table<Repeated, float>[579].ordinal == 290);

}  // namespace
