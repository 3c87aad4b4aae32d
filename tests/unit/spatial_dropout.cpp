// SPDX-License-Identifier: BSL-1.0
// SpatialDropout: whole channels go, as many as the rate says, by a mask that depends on (seed, step, layer, row, channel)
// alone.
#include <tenon/layers/layers.hpp>
#include <tenon/model/model.hpp>
#include <tenon/network/rewrite.hpp>
#include <tenon/passes/training.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace tenon;

namespace {

constexpr std::size_t positions = 3 * 4, channels = 70;
template <std::int64_t N, std::int64_t D>
using Drop = Network<Input<3, 4, channels>, SpatialDropout<Rate<N, D>>>;
template <class Net>
using chain_of = rewritten_chain<Purpose::training, typename Net::chain>;

// What the network makes of `values` in training.
template <class Net>
std::vector<float> run(std::size_t rows, std::uint64_t seed, std::uint64_t step, std::size_t first_row = 0,
                       float value = 1.0f)
{
    using C = chain_of<Net>;
    Tape<C, float> tape{rows};
    const std::vector<float> x(rows * Net::input_shape::size, value);
    auto context = tape.context(Seed{seed}, step);
    context.first_row = first_row;
    train_forward<C>(rows, static_cast<const float*>(nullptr), x.data(), tape, context);
    return {tape.output(), tape.output() + rows * Net::output_shape::size};
}

template <std::int64_t N, std::int64_t D>
void check_rate()
{
    constexpr std::size_t rows = 300;
    constexpr double rate = static_cast<double>(N) / D, n = rows * channels;
    const auto y = run<Drop<N, D>>(rows, 1, 1);
    double dropped = 0, beside = 0, below = 0;
    bool whole = true, scaled = true;
    const auto at = [&](std::size_t r, std::size_t p, std::size_t c) { return y[(r * positions + p) * channels + c]; };
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < channels; ++c) {
            const float first = at(r, 0, c);
            for (std::size_t p = 1; p < positions; ++p) whole = whole && at(r, p, c) == first;
            scaled = scaled && (first == 0.0f || first == static_cast<float>(1.0 / (1.0 - rate)));
            dropped += first == 0.0f;
            if (c + 1 < channels) beside += first == 0.0f && at(r, 0, c + 1) == 0.0f;
            if (r + 1 < rows) below += first == 0.0f && at(r + 1, 0, c) == 0.0f;
        }
    CHECK(whole);
    CHECK(scaled);
    CHECK(std::fabs(dropped - n * rate) <= 5 * std::sqrt(n * rate * (1 - rate)));
    CHECK(std::fabs(beside - rows * (channels - 1) * rate * rate) <= 6 * std::sqrt(n * rate * rate) + 1e-9);
    CHECK(std::fabs(below - (rows - 1) * channels * rate * rate) <= 6 * std::sqrt(n * rate * rate) + 1e-9);
}

}  // namespace

TEST_CASE("whole channels are dropped, as many as the rate says, and the rest is scaled")
{
    check_rate<1, 2>();
    check_rate<1, 5>();
    check_rate<9, 10>();
    check_rate<0, 1>();
}

TEST_CASE("the mask depends on seed, step and row, and on no split of the rows")
{
    const auto mask = run<Drop<1, 2>>(20, 1, 1);
    CHECK(run<Drop<1, 2>>(20, 1, 1) == mask);
    CHECK(run<Drop<1, 2>>(20, 2, 1) != mask);
    CHECK(run<Drop<1, 2>>(20, 1, 2) != mask);
    for (const std::size_t cut : {std::size_t(1), std::size_t(13)}) {
        auto parts = run<Drop<1, 2>>(cut, 1, 1, 0);
        const auto rest = run<Drop<1, 2>>(20 - cut, 1, 1, cut);
        parts.insert(parts.end(), rest.begin(), rest.end());
        CHECK(parts == mask);
    }
}

TEST_CASE("layers draw apart; sequences lose channels as images do")
{
    using Twice = Network<Input<5, 1000>, SpatialDropout<Rate<1, 2>>, SpatialDropout<Rate<1, 2>>>;
    const auto y = run<Twice>(10, 1, 1);
    double kept = 0;
    for (std::size_t r = 0; r < 10; ++r)
        for (std::size_t c = 0; c < 1000; ++c) {
            const float first = y[r * 5000 + c];
            kept += first != 0.0f;
            for (std::size_t p = 1; p < 5; ++p) REQUIRE(y[r * 5000 + p * 1000 + c] == first);
        }
    CHECK(std::fabs(kept - 2500) < 5 * std::sqrt(10000 * 0.25 * 0.75));
}

TEST_CASE("the gradient goes where the value went; what is dropped is 0 even where it was infinite")
{
    using C = chain_of<Drop<1, 3>>;
    constexpr std::size_t rows = 4, size = positions * channels;
    Tape<C, float> tape{rows};
    const std::vector<float> ones(rows * size, 1.0f);
    const auto context = tape.context(Seed{4}, 5);
    train_forward<C>(rows, static_cast<const float*>(nullptr), ones.data(), tape, context);
    const std::vector<float> y(tape.output(), tape.output() + rows * size);
    for (std::size_t i = 0; i < rows * size; ++i) tape.output_gradient()[i] = 1.0f;
    std::vector<float> dx(rows * size);
    train_backward<C>(rows, static_cast<const float*>(nullptr), StoreGradients<float>{nullptr}, ones.data(), tape,
                      context, dx.data());
    CHECK(dx == y);
    const auto infinite = run<Drop<1, 3>>(rows, 4, 5, 0, std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < y.size(); ++i) REQUIRE((infinite[i] == 0.0f) == (y[i] == 0.0f));
}

TEST_CASE("at inference it is the identity, and the network that runs has none")
{
    Tensor<float, Shape<3, 4, channels>> x;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    CHECK(Model<Drop<1, 2>>{uninitialized}.predict(x) == x);
    using Net = Network<Input<4, 4, 2>, Conv2D<3, Kernel<2>>, SpatialDropout<Rate<1, 2>>, ReLU>;
    static_assert(std::is_same_v<rewrite::fuse<Net>, Network<Input<4, 4, 2>, Fused<Conv2D<3, Kernel<2>>, ReLU>>>);
    static_assert(Net::parameter_count == rewrite::without_dropout<Net>::parameter_count);
}

TEST_CASE("the masks of a seed never change")
{
    const auto y = run<Network<Input<2, 64>, SpatialDropout<Rate<1, 2>>>>(1, 42, 7);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 64; ++i) bits |= static_cast<std::uint64_t>(y[i] != 0.0f) << i;
    CHECK(bits == 0xef758504c3ab9101u);
}
