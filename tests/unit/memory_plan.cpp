// SPDX-License-Identifier: BSL-1.0
// The inference plan is executed on paper: every scalar of the arena remembers who wrote it last, so that a value which is
// overwritten while it is still needed is seen, and the size is compared with the least that any plan can do.
#include <tenon/network/network.hpp>

#include <doctest/doctest.h>

#include <support/topologies.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace tenon;

namespace {

// A chain's plan as values, so that what follows is compiled once.
struct Planned;
struct PlannedChain {
    std::size_t arena = 0;
    std::vector<Planned> layers;
};
struct Planned {
    std::size_t output;  // scalars for all rows
    std::size_t padded;  // the same, up to a whole number of cache lines
    bool view, in_place;
    bool to_arena, to_output;
    std::size_t offset, scratch;
    std::size_t workspace;  // of a layer that is not a block
    std::size_t widest;     // of Concat, whose branches are made apart; 0 otherwise
    std::vector<PlannedChain> branches;
};

template <class T, class C, std::size_t Rows>
PlannedChain describe();

template <class T, class B, std::size_t Rows>
Planned describe_layer()
{
    Planned layer{};
    layer.output = Rows * B::output::size;
    layer.padded = detail::aligned<T>(Rows * B::output::size);
    layer.view = is_view<B>();
    layer.in_place = in_place<B>();
    if constexpr (HasBranches<B>) {
        [&layer]<class... Cs>(List<Cs...>) {
            layer.branches = {describe<T, Cs, Rows>()...};
        }(typename B::rule::branches{});
        if constexpr (requires { B::rule::widest; }) layer.widest = detail::aligned<T>(Rows * B::rule::widest);
    } else {
        layer.workspace = detail::aligned<T>(layer_workspace<T, B, Rows>());
    }
    return layer;
}

template <class T, class C, std::size_t Rows>
PlannedChain describe()
{
    constexpr auto& plan = inference_plan<T, C, Rows>;
    using Place = typename std::remove_cvref_t<decltype(plan)>::Place;
    PlannedChain chain;
    chain.arena = plan.size;
    [&]<std::size_t... I>(std::index_sequence<I...>)
    {
        chain.layers = {describe_layer<T, typename C::template bound<I>, Rows>()...};
    }
    (std::make_index_sequence<C::count>{});
    for (std::size_t i = 0; i < C::count; ++i) {
        chain.layers[i].to_arena = plan.place[i] == Place::arena;
        chain.layers[i].to_output = plan.place[i] == Place::output;
        chain.layers[i].offset = plan.offset[i];
        chain.layers[i].scratch = plan.scratch[i];
    }
    return chain;
}

// A value: the caller's memory, or a piece of the arena, with the mark of who wrote it last.
struct Place {
    bool in_arena = false;
    std::size_t first = 0, size = 0;
    int mark = 0;
};

struct Simulation {
    std::vector<int> arena;
    int marks = 0;
    std::string error;

    void write(Place& place)
    {
        place.mark = ++marks;
        if (!place.in_arena) return;
        if (place.first + place.size > arena.size()) {
            error += "a value ends behind the arena; ";
            return;
        }
        for (std::size_t i = 0; i < place.size; ++i) arena[place.first + i] = place.mark;
    }
    void read(const Place& place)
    {
        if (!place.in_arena) return;
        for (std::size_t i = 0; i < place.size; ++i)
            if (place.first + i >= arena.size() || arena[place.first + i] != place.mark) {
                error += "a value was overwritten before it was read; ";
                return;
            }
    }

    // A chain whose own arena begins at `base` of the whole one.
    void run(const PlannedChain& chain, const Place& x, Place& y, std::size_t base)
    {
        Place value = x;
        bool is_input = true, is_output = false;
        for (const Planned& layer : chain.layers) {
            if (layer.view) continue;
            if (!layer.to_arena && !layer.to_output) error += "a value is to be written over the caller's input; ";
            if (layer.offset % step_of_arena != 0 || layer.scratch % step_of_arena != 0) error += "not aligned; ";
            Place out = y;
            if (layer.to_arena) out = {true, base + layer.offset, layer.output, 0};
            const bool same = layer.to_output ? is_output : !is_input && !is_output && value.first == out.first;
            if (same && !layer.in_place) error += "a layer that cannot work in place is told to; ";
            run(layer, value, out, base + layer.scratch);
            if (!same) read(value);  // the value that was made does not overlap the one that was read
            if (layer.to_output) y = out;
            value = out;
            is_input = false;
            is_output = layer.to_output;
        }
        if (is_input) {
            read(x);
            write(y);  // copied
        } else if (!is_output) {
            error += "the last value is not in the caller's output; ";
        }
    }

    // Blocks as passes/forward/blocks.hpp runs them.
    void run(const Planned& layer, const Place& x, Place& y, std::size_t scratch)
    {
        read(x);
        for (const PlannedChain& branch : layer.branches) {
            Place part = y;
            if (layer.widest != 0) part = {true, scratch, branch.layers.empty() ? 0 : branch.layers.back().output, 0};
            run(branch, x, part, scratch + layer.widest);
            read(part);
            read(x);  // for the next branch, or for the addition of a Residual
            y = layer.widest == 0 ? part : y;
        }
        if (layer.workspace != 0) {
            Place work{true, scratch, layer.workspace, 0};
            write(work);
            read(x);
        }
        if (layer.branches.empty() || layer.widest != 0) write(y);
    }

    std::size_t step_of_arena = 1;
};

// The least arena: at each step the value that is read and the one that is written (unless they are the caller's, or one)
// exist together with the layer's scratch, and nothing else does. Layers that work in place behind the last one that does
// not can do so in the caller's output.
std::size_t least(const PlannedChain& chain);

std::size_t least_scratch(const Planned& layer)
{
    std::size_t most = 0;
    for (const PlannedChain& branch : layer.branches) most = std::max(most, least(branch));
    return layer.workspace + layer.widest + most;
}

std::size_t least(const PlannedChain& chain)
{
    std::vector<const Planned*> steps;
    for (const Planned& layer : chain.layers)
        if (!layer.view) steps.push_back(&layer);
    std::size_t from = steps.size();  // steps from here on write the output
    while (from > 0 && (from == steps.size() || steps[from]->in_place)) --from;
    std::size_t most = 0, held = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const bool stays = steps[i]->in_place && i > 0;
        const std::size_t made = i >= from || stays ? 0 : steps[i]->padded;
        most = std::max(most, held + made + least_scratch(*steps[i]));
        held = i >= from ? 0 : steps[i]->padded;
    }
    return most;
}

void check_plan(const PlannedChain& chain, std::size_t alignment, const char* which)
{
    CAPTURE(which);
    Simulation simulation;
    simulation.step_of_arena = alignment;
    simulation.arena.resize(chain.arena);
    Place x{}, y{};
    simulation.run(chain, x, y, 0);
    CHECK(simulation.error == "");
    CHECK(chain.arena == least(chain));
}

// As written and as it runs.
template <class Net>
void check_network()
{
    const char* which = __PRETTY_FUNCTION__;
    using C = typename Net::chain;
    using Fused = rewritten_chain<Purpose::inference, C>;
    check_plan(describe<float, C, 1>(), detail::aligned<float>(1), which);
    check_plan(describe<double, Fused, 5>(), detail::aligned<double>(1), which);
}

}  // namespace

TEST_CASE("no value is overwritten while it lives, and the arena is as small as can be")
{
    topologies::Corners::each([]<class Net>() { check_network<Net>(); });
    topologies::Blocks::each([]<class Net>() { check_network<Net>(); });
}

TEST_CASE("the same for networks drawn at random")
{
    topologies::each_random<0, 80>([]<class Net>() { check_network<Net>(); });
}

namespace {

// A layer of a user that works in place and needs scratch, one that asks for much scratch and one for little.
template <std::size_t Scratch, bool InPlace>
struct Needs {
    static constexpr bool in_place = InPlace;
    template <class In>
    struct rule {
        using output = In;
        template <class T, std::size_t Rows>
        static constexpr std::size_t workspace = Rows* Scratch;
    };
};

}  // namespace

TEST_CASE("scratch of layers lies apart from what they read and write")
{
    check_network<Network<Input<12>, Needs<10, false>>>();
    check_network<Network<Input<12>, Needs<10, true>>>();
    check_network<Network<Input<12>, Dense<5>, Needs<10, true>, Dense<7>>>();
    check_network<Network<Input<12>, Dense<5>, Dense<9>, Needs<100, true>, Dense<7>>>();
    check_network<Network<Input<12>, Dense<5>, Dense<9>, Needs<100, false>, Needs<3, true>, Needs<200, true>>>();
    check_network<Network<Input<12>, Dense<5>, Residual<Needs<33, true>, Needs<50, false>>, Needs<200, false>>>();
    check_network<Network<Input<12>, Concat<Needs<33, true>, Needs<50, false>>, Needs<20, false>, Needs<2, true>>>();
}

TEST_CASE("workspaces by hand")
{
    const auto line = [](std::size_t values) { return detail::aligned<float>(values) * 4; };
    CHECK(Network<Input<784>, Dense<128>>::workspace_bytes<Float32> == 0);
    CHECK(Network<Input<784>, ReLU>::workspace_bytes<Float32> == 0);
    CHECK(Network<Input<784>, Dense<128>, ReLU>::workspace_bytes<Float32> == 0);
    CHECK(Network<Input<784>, Dense<128>, Softmax>::workspace_bytes<Float32> == 0);
    CHECK(Network<Input<784>, Dense<128>, ReLU, Dense<10>>::workspace_bytes<Float32> == line(128));
    CHECK(Network<Input<784>, Dense<128>, ReLU, Dense<10>, Softmax>::workspace_bytes<Float32> == line(128));
    CHECK(Network<Input<784>, Dense<128>, LayerNorm, PReLU, Dense<10>>::workspace_bytes<Float32> == line(128));
    CHECK(Network<Input<784>, Dense<64>, Dense<64>, Dense<64>, Dense<4>>::workspace_bytes<Float32> == 2 * line(64));
}

TEST_CASE("training keeps each value on the tape, apart from all others")
{
    const auto check = []<class Net>() {
        const char* which = __PRETTY_FUNCTION__;
        CAPTURE(which);
        using C = rewritten_chain<Purpose::training, typename Net::chain>;
        constexpr auto& plan = training_plan<C>;
        for (std::size_t rows : {std::size_t(1), std::size_t(16), std::size_t(33)}) {
            CAPTURE(rows);
            std::size_t end = 0;
            C::for_each([&]<std::size_t I>() {
                using B = typename C::template bound<I>;
                const bool stored = !is_view<B>() && I + 1 != computing_layers<C>;
                if (stored) {
                    CHECK(plan.output[I].scalars(rows) >= end);
                    CHECK(plan.output[I].scalars(rows) % 16 == 0);
                    end = plan.output[I].scalars(rows) + rows * B::output::size;
                    CHECK(plan.widest >= B::output::size);
                }
                CHECK(plan.kept[I].scalars(rows) >= end);
                end = plan.kept[I].scalars(rows) + layer_tape<B>().scalars(rows);
                CHECK(plan.scratch.scalars(rows) >= layer_training_workspace<B>().scalars(rows));
            });
            CHECK(chain_tape<C>().scalars(rows) >= end);
        }
    };
    topologies::Blocks::each(check);
    topologies::each_random<500, 20>(check);
}

TEST_CASE("a network's workspace is the plan of the chain that runs")
{
    using Net = Network<Input<12>, Dense<40>, Dropout<Rate<1, 2>>, ReLU, Dense<12>, topologies::Branchy>;
    using Fused = rewritten_chain<Purpose::inference, typename Net::chain>;
    CHECK(Net::workspace_bytes<Float32> == 4 * describe<float, Fused, 1>().arena);
    CHECK(Net::workspace_bytes<Float64, 32> == 8 * describe<double, Fused, 32>().arena);
}
