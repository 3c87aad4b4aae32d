// SPDX-License-Identifier: BSL-1.0
//
// 7. Topologies are types, so programs can rewrite them: cut a network, put another end on it, swap layers.
#include <tenon/network/rewrite.hpp>
#include <tenon/tenon.hpp>

#include <boost/hana.hpp>

#include <cstdio>
#include <vector>

using namespace tenon;
namespace hana = boost::hana;

using Net = Network<Input<2>, Dense<16>, Tanh, Dropout<Rate<1, 10>>, Dense<16>, Tanh, Dense<2>, Softmax>;

// The first five layers are what the network knows of its input; a new end for three classes stands on them.
using Features = rewrite::truncate<Net, 5>;
using ThreeClasses = rewrite::append<Features, Dense<3>, Softmax>;
static_assert(std::is_same_v<Features::output_shape, Shape<16>>);
static_assert(std::is_same_v<ThreeClasses::output_shape, Shape<3>>);

// The layer at place 1 becomes another one.
static_assert(std::is_same_v<rewrite::replace<Net, 1, ReLU>::layer<1>, ReLU>);

// What inference really runs: each Dense swallows its activation, Dropout is gone. The weights keep their places, so one
// block of them serves both.
using Running = rewrite::fuse<Net>;
static_assert(Net::layer_count == 7 && Running::layer_count == 4);
static_assert(Running::parameter_bytes<Float32> == Net::parameter_bytes<Float32>);

// A rewrite of your own: any Hana algorithm over Net::layers, and hana::unpack to make a Network of the result.
constexpr auto relu_for_tanh = [](auto layer) {
    if constexpr (layer == hana::type_c<Tanh>)
        return hana::type_c<ReLU>;
    else
        return layer;
};
constexpr auto to_network = [](auto... layers) {
    return hana::type_c<Network<Input<2>, typename decltype(layers)::type...>>;
};
using WithReLU = decltype(hana::unpack(hana::transform(Net::layers, relu_for_tanh), to_network))::type;
static_assert(std::is_same_v<
              WithReLU, Network<Input<2>, Dense<16>, ReLU, Dropout<Rate<1, 10>>, Dense<16>, ReLU, Dense<2>, Softmax>>);

namespace {

// Points in the unit square with the label of the band that they lie in: above or below a curve, or bands of it.
data::TensorDataset<Shape<2>, data::Label> bands(int classes)
{
    Random random{Seed{2}};
    std::vector<float> points;
    std::vector<std::int32_t> labels;
    for (int i = 0; i < 1500; ++i) {
        const double x = 2 * random.uniform() - 1, y = 2 * random.uniform() - 1, height = y - x * x + 0.4;
        points.insert(points.end(), {static_cast<float>(x), static_cast<float>(y)});
        labels.push_back(classes == 2 ? height > 0 : height > 0.4 ? 2 : height > -0.4 ? 1 : 0);
    }
    return {points, labels};
}

// Copies every parameter that both networks have by the same name and shape.
template <class From, class To>
int copy_common(const Model<From>& from, Model<To>& to)
{
    int copied = 0;
    for (const SlotInfo& source : from.parameters().slots())
        for (const SlotInfo& target : to.parameters().slots()) {
            const bool same = source.ordinal == target.ordinal && std::string_view{source.slot} == target.slot &&
                              std::string_view{source.layer.data, source.layer.size} ==
                                  std::string_view{target.layer.data, target.layer.size} &&
                              source.size == target.size;
            if (!same) continue;
            for (std::size_t i = 0; i < source.size; ++i)
                to.parameters().logical(target, i) = from.parameters().logical(source, i);
            ++copied;
        }
    return copied;
}

}  // namespace

int main()
{
    // Learn two classes; carry the features over; learn three classes from there in fewer epochs.
    Model<Net> model{Seed{1}};
    Trainer{model, CrossEntropy{}, Adam{.learning_rate = 1e-2}}.fit(bands(2),
                                                                    {.epochs = 30, .progress = Progress::silent});

    Model<ThreeClasses> other{Seed{1}};
    const int copied = copy_common(model, other);
    Trainer{other, CrossEntropy{}, Adam{.learning_rate = 1e-2}}.fit(bands(3),
                                                                    {.epochs = 10, .progress = Progress::silent});

    const double two = evaluate(model, bands(2), CrossEntropy{}).accuracy;
    const double three = evaluate(other, bands(3), CrossEntropy{}).accuracy;
    std::printf("two classes %.3f; %d parameters carried over; three classes %.3f\n", two, copied, three);
    return copied == 4 && two > 0.95 && three > 0.9 ? 0 : 1;
}
