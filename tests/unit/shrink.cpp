// SPDX-License-Identifier: BSL-1.0
// A shrunk network predicts what the large one does when nobody listens to the units that were taken away.
#include <tenon/compression/shrink.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace tenon;

namespace {

using Mlp =
    Network<Input<11>, Dense<37>, BatchNorm, ReLU, Dropout<Rate<1, 4>>, Dense<29, NoBias>, PReLU, Dense<5>, Softmax>;
using Cnn = Network<Input<9, 9, 2>, Conv2D<21, Kernel<3>>, BatchNorm, ReLU, MaxPool2D<2>, DepthwiseConv2D<Kernel<2>>,
                    ReLU, Conv2D<18, Kernel<1>, NoBias>, BatchNorm, Tanh, Flatten, Dense<13>, ReLU, Dense<4>>;
using Pooled = Network<Input<8, 8, 3>, Conv2D<20, Kernel<3>>, ReLU, GlobalAveragePool2D, Dense<6>>;
using Blocks =
    Network<Input<6, 6, 4>, Conv2D<4, Kernel<1>>,
            Residual<Conv2D<19, Kernel<3>, Padding<Same>>, BatchNorm, ReLU, Conv2D<4, Kernel<3>, Padding<Same>>>,
            Concat<Conv2D<3, Kernel<1>>, Conv2D<2, Kernel<1>>>, Sequential<Flatten, Dense<9>, ReLU, Dense<5>>>;
using Sequence =
    Network<Input<12, 3>, Conv1D<10, Kernel<3>>, ReLU, MaxPool1D<2>, Conv1D<6, Kernel<2>>, Flatten, Dense<3>>;

static_assert(std::is_same_v<shrink<Mlp, Keep<0, 24>, KeepShare<4, 1, 2>>,
                             Network<Input<11>, Dense<24>, BatchNorm, ReLU, Dropout<Rate<1, 4>>, Dense<15, NoBias>,
                                     PReLU, Dense<5>, Softmax>>);
static_assert(std::is_same_v<shrink<Mlp>, Mlp>);
static_assert(shrink<Cnn, Keep<0, 7>, Keep<6, 5>>::parameter_count < Cnn::parameter_count / 2);

// Random weights and statistics everywhere, none of them small.
template <class Net, class P>
Model<Net, P> random_model(std::uint64_t seed)
{
    Model<Net, P> model{Seed{seed}};
    Random random{Seed{seed + 100}};
    for (const SlotInfo& slot : model.parameters().slots())
        for (std::size_t i = 0; i < slot.size; ++i) {
            const double value = random.normal();
            model.parameters().logical(slot, i) = static_cast<typename P::scalar>(
                std::string(slot.slot) == "moving_variance" ? 0.5 + value * value : value);
        }
    return model;
}

// The places of the `count` columns of the largest norm in a kernel, found the slow way.
template <class Net, class P>
std::vector<bool> strongest(const Model<Net, P>& model, std::size_t slot, std::size_t count, double power)
{
    const SlotInfo& kernel = model.parameters().slots()[slot];
    const std::size_t units = kernel.extents[kernel.rank - 1];
    std::vector<double> norm(units, 0.0);
    for (std::size_t i = 0; i < kernel.size; ++i)
        norm[i % units] += std::pow(std::abs(static_cast<double>(model.parameters().logical(kernel, i))), power);
    std::vector<bool> kept(units, false);
    for (std::size_t k = 0; k < count; ++k) {
        std::size_t best = units;
        for (std::size_t u = 0; u < units; ++u)
            if (!kept[u] && (best == units || norm[u] > norm[best])) best = u;
        kept[best] = true;
    }
    return kept;
}

// Clears what the kernel `slot` does with the inputs that are not kept; its inputs are (places, channels).
template <class Net, class P>
void ignore(Model<Net, P>& model, std::size_t slot, const std::vector<bool>& kept)
{
    const SlotInfo& kernel = model.parameters().slots()[slot];
    const std::size_t units = kernel.extents[kernel.rank - 1];
    for (std::size_t i = 0; i < kernel.size; ++i)
        if (!kept[i / units % kept.size()]) model.parameters().logical(kernel, i) = 0;
}

template <class Net, class Small, class P>
void check_equal(const Model<Net, P>& naive, const Model<Small, P>& small, double tolerance)
{
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        Tensor<typename P::scalar, typename Net::input_shape> input;
        Random random{Seed{seed}};
        for (auto& value : input) value = static_cast<typename P::scalar>(random.normal());
        const auto expected = naive.predict(input);
        const auto found = small.predict(input);
        for (std::size_t i = 0; i < expected.size(); ++i)
            CHECK(static_cast<double>(found[i]) ==
                  doctest::Approx(static_cast<double>(expected[i])).epsilon(tolerance));
    }
    // Nothing is left where no value belongs.
    double all = 0, used = 0;
    const auto& parameters = small.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) all += std::abs(static_cast<double>(parameters.data()[i]));
    for (const SlotInfo& slot : parameters.slots())
        for (std::size_t i = 0; i < slot.size; ++i) used += std::abs(static_cast<double>(parameters.logical(slot, i)));
    CHECK(all == doctest::Approx(used).epsilon(1e-12));
}

template <class Net>
std::size_t slot_of(const char* name)
{
    std::size_t s = 0;
    for (const SlotInfo& slot : Parameters<Net>::slots()) {
        if (detail::slot_name(slot) == name) return s;
        ++s;
    }
    FAIL(name);
    return 0;
}

// One narrowed layer: whose kernel, how many, and whose kernel takes them.
struct Cut {
    const char* narrowed;
    std::size_t count;
    const char* user;
};

template <class P, class Net, class Small>
void check_shrunk(const Model<Net, P>& model, const Model<Small, P>& small, std::vector<Cut> cuts, double power,
                  double tolerance)
{
    Model<Net, P> naive = model;
    for (const Cut& cut : cuts)
        ignore(naive, slot_of<Net>(cut.user), strongest(model, slot_of<Net>(cut.narrowed), cut.count, power));
    check_equal(naive, small, tolerance);
}

}  // namespace

TEST_CASE("Dense to Dense: batch normalisation, slopes and dropout between")
{
    const auto model = random_model<Mlp, Float64>(1);
    check_shrunk(model, keep_strongest<Keep<0, 24>>(model), {{"dense_1/kernel", 24, "dense_2/kernel"}}, 1, 1e-10);
    check_shrunk(model, keep_strongest<Keep<0, 1>, KeepShare<4, 1, 3>>(model, UnitNorm::l2),
                 {{"dense_1/kernel", 1, "dense_2/kernel"}, {"dense_2/kernel", 10, "dense_3/kernel"}}, 2, 1e-10);
    const auto single = random_model<Mlp, Float32>(2);
    check_shrunk(single, keep_strongest<Keep<4, 17>>(single), {{"dense_2/kernel", 17, "dense_3/kernel"}}, 1, 1e-3);
}

TEST_CASE("convolutions: a pool, a depthwise one and Flatten between")
{
    const auto model = random_model<Cnn, Float64>(3);
    check_shrunk(model, keep_strongest<Keep<0, 7>, Keep<6, 5>, Keep<10, 9>>(model),
                 {{"conv2d_1/kernel", 7, "conv2d_2/kernel"},
                  {"conv2d_2/kernel", 5, "dense_1/kernel"},
                  {"dense_1/kernel", 9, "dense_2/kernel"}},
                 1, 1e-9);
    const auto pooled = random_model<Pooled, Float64>(4);
    check_shrunk(pooled, keep_strongest<Keep<0, 6>>(pooled), {{"conv2d_1/kernel", 6, "dense_1/kernel"}}, 1, 1e-10);
    const auto sequence = random_model<Sequence, Float64>(5);
    check_shrunk(sequence, keep_strongest<Keep<0, 3>, Keep<3, 4>>(sequence, UnitNorm::l2),
                 {{"conv1d_1/kernel", 3, "conv1d_2/kernel"}, {"conv1d_2/kernel", 4, "dense_1/kernel"}}, 2, 1e-10);
}

TEST_CASE("inside Residual and Sequential, with other blocks left alone")
{
    const auto model = random_model<Blocks, Float64>(6);
    const auto small = keep_strongest<Within<1, Keep<0, 8>>, Within<3, Keep<1, 4>>>(model);
    static_assert(
        std::is_same_v<
            decltype(small)::network,
            Network<Input<6, 6, 4>, Conv2D<4, Kernel<1>>,
                    Residual<Conv2D<8, Kernel<3>, Padding<Same>>, BatchNorm, ReLU, Conv2D<4, Kernel<3>, Padding<Same>>>,
                    Concat<Conv2D<3, Kernel<1>>, Conv2D<2, Kernel<1>>>,
                    Sequential<Flatten, Dense<4>, ReLU, Dense<5>>>>);
    check_shrunk(model, small, {{"conv2d_2/kernel", 8, "conv2d_3/kernel"}, {"dense_1/kernel", 4, "dense_2/kernel"}}, 1,
                 1e-9);
    check_equal(model, keep_strongest<>(model), 1e-14);
}

TEST_CASE("units of equal norm: the first stay")
{
    Model<Mlp> model{uninitialized};
    for (std::size_t u = 0; u < 37; ++u) model.parameters().layer<0>().kernel(0, u) = u % 2 == 0 ? 1.0f : -1.0f;
    for (std::size_t u = 0; u < 37; ++u) model.parameters().layer<0>().bias(u) = static_cast<float>(u);
    const auto small = keep_strongest<Keep<0, 5>>(model);
    for (std::size_t u = 0; u < 5; ++u) CHECK(small.parameters().layer<0>().bias(u) == static_cast<float>(u));
}

TEST_CASE("units whose weights are no numbers count as the largest, and do not upset the order of the others")
{
    Model<Mlp> model{uninitialized};
    const auto layer = model.parameters().layer<0>();
    for (std::size_t u = 0; u < 37; ++u) {
        layer.kernel(0, u) = u % 4 == 1 ? std::nanf("") : static_cast<float>(u * 5 % 37);
        layer.bias(u) = static_cast<float>(u);
    }
    // Nine are no numbers; of the others unit 22 has the largest weight, 36.
    const auto small = keep_strongest<Keep<0, 10>>(model);
    const float kept[] = {1, 5, 9, 13, 17, 21, 22, 25, 29, 33};
    for (std::size_t u = 0; u < 10; ++u) CHECK(small.parameters().layer<0>().bias(u) == kept[u]);
}
