// SPDX-License-Identifier: BSL-1.0
// A block of weights serves the network as written and each rewritten one: they predict the same.
#include <tenon/model/model.hpp>
#include <tenon/network/rewrite.hpp>

#include <boost/hana/for_each.hpp>

#include <doctest/doctest.h>

#include <support/predictions.hpp>

#include <algorithm>
#include <cmath>

using namespace tenon;

namespace {

using Half = Dropout<Rate<1, 2>>;
using Block = Residual<Dense<8>, ReLU, Half, Dense<8>, Tanh>;
using Deep = Network<Input<8>, Block, Concat<Sequential<Dense<5>, Half, ELU>, Dense<3, NoBias>>, PReLU,
                     Repeat<2, Block>, LayerNorm, Dense<6>, SiLU, Dense<2>, Softmax>;

// The chain as it stands, without any rewrite.
template <class Net>
auto run_plain(const Parameters<Net>& parameters, const Tensor<float, typename Net::input_shape>& x)
{
    using C = typename Net::chain;
    Tensor<float, typename Net::output_shape> y;
    AlignedBuffer<float> workspace{chain_workspace<float, C, 1>()};
    infer_chain<C, 1>(1, blocks_of<C>(parameters.data()), x.data(), y.data(), workspace.data());
    return y;
}

template <class Rewritten>
Parameters<Rewritten> same_weights(const Parameters<Deep>& parameters)
{
    Parameters<Rewritten> copy;
    REQUIRE(copy.size() == parameters.size());
    std::copy(parameters.data(), parameters.data() + parameters.size(), copy.data());
    return copy;
}

Tensor<float, Shape<8>> sample(std::uint64_t seed)
{
    Random random{Seed{seed}};
    Tensor<float, Shape<8>> x;
    for (float& value : x) value = static_cast<float>(random.normal());
    return x;
}

}  // namespace

TEST_CASE("as written, fused for inference and fused for training: the same predictions")
{
    Model<Deep> model{Seed{3}};
    predictions::shake(model.parameters());
    const auto inference = same_weights<rewrite::fuse<Deep>>(model.parameters());
    const auto training = same_weights<rewrite::fuse<Deep, Purpose::training>>(model.parameters());
    const auto without = same_weights<rewrite::without_dropout<Deep>>(model.parameters());
    for (std::uint64_t i = 0; i < 20; ++i) {
        const auto x = sample(i);
        const auto y = model.predict(x);
        const auto plain = run_plain(model.parameters(), x);
        CHECK(run_plain(inference, x) == y);
        for (std::size_t j = 0; j < 2; ++j) {
            CHECK(std::fabs(y[j] - plain[j]) < 1e-6f);
            CHECK(std::fabs(y[j] - run_plain(training, x)[j]) < 1e-6f);
            CHECK(std::fabs(y[j] - predict<rewrite::without_dropout<Deep>>(without, x)[j]) < 1e-6f);
        }
    }
}

TEST_CASE("a truncated network predicts what the whole one has after that layer")
{
    using Start = rewrite::truncate<Deep, 1>;
    Model<Deep> model{Seed{4}};
    Parameters<Start> start;
    REQUIRE(start.size() <= model.parameters().size());
    std::copy(model.parameters().data(), model.parameters().data() + start.size(), start.data());
    const auto x = sample(1);
    std::vector<double> weights = naive::logical(model.parameters()), in(x.begin(), x.end());
    weights.resize(Start::parameter_count);
    CHECK(predictions::difference(predict<Start>(start, x).data(), naive::predict<Start>(weights, in)) < 1e-5);
    CHECK(naive::logical(start) == weights);
}

TEST_CASE("a Hana algorithm over the layers at run time")
{
    int dense = 0;
    boost::hana::for_each(Deep::layers, [&](auto layer) {
        dense += std::is_same_v<typename decltype(layer)::type, Dense<6>> ||
                 std::is_same_v<typename decltype(layer)::type, Dense<2>>;
    });
    CHECK(dense == 2);
}
