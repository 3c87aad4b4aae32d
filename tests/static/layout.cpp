// SPDX-License-Identifier: BSL-1.0
// Where parameters lie: slots on cache lines, apart from each other, inside the block; layouts that are one-to-one; names.
#include <tenon/inference.hpp>

#include <string_view>

using namespace tenon;

namespace {

template <class Net, class T>
constexpr bool lies_right()
{
    constexpr auto& table = slot_table<Net, T>;
    constexpr std::size_t bytes = Net::template parameter_bytes<std::conditional_t<sizeof(T) == 4, Float32, Float64>>;
    constexpr std::size_t step = detail::aligned<T>(1);
    std::size_t values = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
        const SlotInfo& slot = table[i];
        if (slot.offset % step != 0) return false;
        if ((slot.offset + slot.storage) * sizeof(T) > bytes) return false;
        if (slot.storage < slot.size) return false;
        for (std::size_t j = 0; j < i; ++j)
            if (table[j].offset < slot.offset + slot.storage && slot.offset < table[j].offset + table[j].storage)
                return false;
        std::size_t product = 1;
        for (std::size_t a = 0; a < slot.rank; ++a) product *= slot.extents[a];
        if (product != slot.size) return false;
        values += slot.size;
    }
    return values == Net::parameter_count;
}

// Every logical index of a slot has a place of its own within the slot's storage.
template <class T, class S, class Layout>
constexpr bool is_one_to_one()
{
    constexpr std::size_t size = Layout::template size<T, S>;
    bool used[size == 0 ? 1 : size] = {};
    for (std::size_t i = 0; i < S::size; ++i) {
        const std::size_t at = Layout::template index<T, S>(i);
        if (at >= size || used[at]) return false;
        used[at] = true;
    }
    return true;
}

template <class T>
constexpr bool layouts_are_one_to_one()
{
    static_assert(is_one_to_one<T, Shape<3, 5>, layout::RowMajor>());
    static_assert(is_one_to_one<T, Shape<1, 1>, layout::Panels>() && is_one_to_one<T, Shape<7, 3>, layout::Panels>());
    static_assert(is_one_to_one<T, Shape<5, 16>, layout::Panels>() && is_one_to_one<T, Shape<5, 17>, layout::Panels>());
    static_assert(is_one_to_one<T, Shape<3, 64>, layout::Panels>() && is_one_to_one<T, Shape<3, 65>, layout::Panels>());
    static_assert(is_one_to_one<T, Shape<4, 33>, layout::Panels>() &&
                  is_one_to_one<T, Shape<2, 130>, layout::Panels>());
    static_assert(is_one_to_one<T, Shape<1>, layout::PanelBias>() && is_one_to_one<T, Shape<10>, layout::PanelBias>());
    static_assert(is_one_to_one<T, Shape<17>, layout::PanelBias>() && is_one_to_one<T, Shape<65>, layout::PanelBias>());
    static_assert(layout::RowMajor::index<T, Shape<3, 5>>(7) == 7 && layout::RowMajor::size<T, Shape<3, 5>> == 15);
    // A bias has a scalar for every column of its kernel's panels.
    static_assert(layout::PanelBias::size<T, Shape<17>> * 4 == layout::Panels::size<T, Shape<4, 17>>);
    return true;
}
static_assert(layouts_are_one_to_one<float>() && layouts_are_one_to_one<double>());

using Mlp = Network<Input<28, 28, 1>, Flatten, Dense<128>, ReLU, Dense<10>, Softmax>;
using Inner = Residual<Dense<9>, PReLU, Dense<5>>;
using Nested = Network<Input<5>, Inner, Concat<Inner, Dense<3>, ReLU, Sequential<LayerNorm, Dense<7, NoBias>>>,
                       Repeat<3, Sequential<Dense<20>, PReLU>>, LayerNorm, Dense<1>>;
static_assert(lies_right<Mlp, float>() && lies_right<Mlp, double>());
static_assert(lies_right<Nested, float>() && lies_right<Nested, double>());
static_assert(lies_right<Network<Input<3>, ReLU>, float>() && slot_table<Network<Input<3>, ReLU>, float>.size() == 0);
static_assert(lies_right<Network<Input<1>, Dense<1>>, float>());

// Names count the layers of a kind, through blocks, in the order of the network.
constexpr bool is_named(const SlotInfo& slot, std::string_view layer, std::size_t ordinal, std::string_view name)
{
    return std::string_view(slot.layer.data, slot.layer.size) == layer && slot.ordinal == ordinal && slot.slot == name;
}
constexpr auto& mlp = slot_table<Mlp, float>;
static_assert(mlp.size() == 4 && mlp.end() - mlp.begin() == 4);
static_assert(is_named(mlp[0], "dense", 1, "kernel") && mlp[0].rank == 2 && mlp[0].extents[0] == 784 &&
              mlp[0].extents[1] == 128 && mlp[0].size == 784 * 128 && mlp[0].offset == 0);
static_assert(is_named(mlp[1], "dense", 1, "bias") && mlp[1].rank == 1 && mlp[1].extents[0] == 128);
static_assert(is_named(mlp[2], "dense", 2, "kernel") && is_named(mlp[3], "dense", 2, "bias"));
static_assert(mlp[0].role == Role::learned && mlp[3].role == Role::learned);

constexpr auto& nested = slot_table<Nested, float>;
static_assert(nested.size() == 5 + 5 + 2 + 3 + 3 * 3 + 2 + 2);
static_assert(is_named(nested[0], "dense", 1, "kernel") && is_named(nested[1], "dense", 1, "bias"));
static_assert(is_named(nested[2], "prelu", 1, "slope") && is_named(nested[3], "dense", 2, "kernel"));
static_assert(is_named(nested[5], "dense", 3, "kernel") && is_named(nested[7], "prelu", 2, "slope"));
static_assert(is_named(nested[10], "dense", 5, "kernel"));
static_assert(is_named(nested[12], "layer_norm", 1, "gamma") && is_named(nested[13], "layer_norm", 1, "beta"));
static_assert(is_named(nested[14], "dense", 6, "kernel") && is_named(nested[15], "dense", 7, "kernel"));
static_assert(is_named(nested[17], "prelu", 3, "slope") && is_named(nested[23], "prelu", 5, "slope"));
static_assert(is_named(nested[24], "layer_norm", 2, "gamma") && is_named(nested[27], "dense", 10, "bias"));

// Running statistics lie behind everything that is learned, in a block of their own.
struct Counts {
    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<Shape<3>>("a", init::ones));
        static constexpr auto statistics = tenon::slots(slot<Shape<5>>("s", init::ones),
                                                        slot<Shape<7>>("t", init::zeros));
    };
};
using WithStatistics = Network<Input<4>, Counts, Dense<3>, Sequential<Counts, Concat<Counts, ReLU>>, Dense<2>>;
static_assert(lies_right<WithStatistics, float>() && lies_right<WithStatistics, double>());
static_assert(WithStatistics::trainable_count == 3 + 15 + 3 + 3 + 14);
static_assert(WithStatistics::parameter_count == WithStatistics::trainable_count + 3 * 12);
constexpr bool statistics_lie_behind = [] {
    constexpr std::size_t learned = chain_storage<float, WithStatistics::chain>();
    std::size_t statistics = 0;
    for (const SlotInfo& slot : slot_table<WithStatistics, float>) {
        if ((slot.role == Role::statistics) != (slot.offset >= learned)) return false;
        statistics += slot.role == Role::statistics;
    }
    return statistics == 6;
}();
static_assert(statistics_lie_behind);
static_assert(is_named(slot_table<WithStatistics, float>[1], "Counts", 1, "s"));
static_assert(is_named(slot_table<WithStatistics, float>[10], "Counts", 3, "t"));

}  // namespace
