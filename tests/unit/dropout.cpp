// SPDX-License-Identifier: BSL-1.0
// Dropout: how much is dropped, what is kept, and that its mask depends on (seed, step, layer, row, position) alone.
#include <tenon/layers/layers.hpp>
#include <tenon/model/model.hpp>
#include <tenon/passes/training.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace tenon;

namespace {

template <class Net>
using chain_of = rewritten_chain<Purpose::training, typename Net::chain>;

// What a network of Dropouts makes of ones in training.
template <class Net>
std::vector<float> run(std::size_t rows, std::uint64_t seed, std::uint64_t step, std::size_t first_row = 0)
{
    using C = chain_of<Net>;
    constexpr std::size_t size = Net::input_shape::size;
    Tape<C, float> tape{rows};
    const std::vector<float> ones(rows * size, 1.0f);
    auto context = tape.context(Seed{seed}, step);
    context.first_row = first_row;
    train_forward<C>(rows, static_cast<const float*>(nullptr), ones.data(), tape, context);
    return {tape.output(), tape.output() + rows * Net::output_shape::size};
}

template <std::int64_t N, std::int64_t D>
using Drop = Network<Input<37>, Dropout<Rate<N, D>>>;

std::size_t zeros(const std::vector<float>& values)
{
    std::size_t count = 0;
    for (const float value : values) count += value == 0.0f;
    return count;
}

template <std::int64_t N, std::int64_t D>
void check_rate()
{
    constexpr std::size_t rows = 1000, n = rows * 37;
    constexpr double rate = static_cast<double>(N) / D;
    const std::vector<float> y = run<Drop<N, D>>(rows, 1, 1);
    const double dropped = static_cast<double>(zeros(y)), deviation = std::sqrt(n * rate * (1 - rate));
    CHECK(std::fabs(dropped - n * rate) <= 5 * deviation);
    bool scaled = true;
    for (const float value : y) scaled = scaled && (value == 0.0f || value == static_cast<float>(1.0 / (1.0 - rate)));
    CHECK(scaled);
    // Each position and its neighbour, each row and the next: dropped together as often as chance has it.
    double beside = 0, below = 0;
    for (std::size_t i = 0; i + 37 < n; ++i) {
        beside += y[i] == 0.0f && y[i + 1] == 0.0f;
        below += y[i] == 0.0f && y[i + 37] == 0.0f;
    }
    const double pairs = static_cast<double>(n - 37), both = rate * rate;
    CHECK(std::fabs(beside - pairs * both) <= 6 * std::sqrt(pairs * both) + 1e-9);
    CHECK(std::fabs(below - pairs * both) <= 6 * std::sqrt(pairs * both) + 1e-9);
}

}  // namespace

TEST_CASE("as many are dropped as the rate says, and the rest is scaled")
{
    check_rate<1, 2>();
    check_rate<1, 5>();
    check_rate<9, 10>();
    check_rate<1, 100>();
    check_rate<0, 1>();
}

TEST_CASE("the mask depends on seed and step, and on nothing else")
{
    const auto mask = run<Drop<1, 2>>(20, 1, 1);
    CHECK(run<Drop<1, 2>>(20, 1, 1) == mask);
    CHECK(run<Drop<1, 2>>(20, 2, 1) != mask);
    CHECK(run<Drop<1, 2>>(20, 1, 2) != mask);
    CHECK(run<Drop<1, 2>>(20, 2, 1) != run<Drop<1, 2>>(20, 1, 2));
    CHECK(run<Drop<1, 2>>(20, 0, 1) != run<Drop<1, 2>>(20, 1, 0));
}

TEST_CASE("however the rows are split")
{
    const auto whole = run<Drop<1, 3>>(20, 1, 1);
    for (const std::size_t cut : {std::size_t(1), std::size_t(7), std::size_t(13)}) {
        auto parts = run<Drop<1, 3>>(cut, 1, 1, 0);
        const auto rest = run<Drop<1, 3>>(20 - cut, 1, 1, cut);
        parts.insert(parts.end(), rest.begin(), rest.end());
        CHECK(parts == whole);
    }
}

TEST_CASE("layers draw apart, inside blocks as well")
{
    // Both halves are masks of their own: a quarter of all positions survives two masks of one half.
    using Twice = Network<Input<1000>, Dropout<Rate<1, 2>>, Dropout<Rate<1, 2>>>;
    const double kept = 1000.0 * 20 - static_cast<double>(zeros(run<Twice>(20, 1, 1)));
    CHECK(std::fabs(kept - 5000) < 5 * std::sqrt(20000 * 0.25 * 0.75));
    using Half = Dropout<Rate<1, 2>>;
    using Parts = Network<Input<1000>, Concat<Half, Half, Sequential<Half>, Repeat<2, Half>, Residual<Half>>>;
    const auto y = run<Parts>(1, 1, 1);
    const auto part = [&](std::size_t i) {
        return std::vector<float>(y.begin() + static_cast<std::ptrdiff_t>(1000 * i),
                                  y.begin() + static_cast<std::ptrdiff_t>(1000 * (i + 1)));
    };
    std::vector<std::vector<float>> parts;
    for (std::size_t i = 0; i < 5; ++i) parts.push_back(part(i));
    for (float& value : parts[4]) value -= 1.0f;  // what Residual adds
    for (std::size_t i = 0; i < 5; ++i)
        for (std::size_t j = 0; j < i; ++j) {
            double together = 0;
            for (std::size_t k = 0; k < 1000; ++k) together += parts[i][k] != 0.0f && parts[j][k] != 0.0f;
            const double chance = (i == 3 || j == 3) ? 0.125 : 0.25;
            CHECK(std::fabs(together - 1000 * chance) < 5 * std::sqrt(1000 * chance * (1 - chance)));
        }
}

TEST_CASE("the gradient goes where the value went")
{
    using C = chain_of<Drop<1, 3>>;
    constexpr std::size_t rows = 9;
    Tape<C, float> tape{rows};
    const std::vector<float> ones(rows * 37, 1.0f);
    const auto context = tape.context(Seed{4}, 5);
    train_forward<C>(rows, static_cast<const float*>(nullptr), ones.data(), tape, context);
    const std::vector<float> y(tape.output(), tape.output() + rows * 37);
    for (std::size_t i = 0; i < rows * 37; ++i) tape.output_gradient()[i] = 1.0f;
    std::vector<float> dx(rows * 37);
    train_backward<C>(rows, static_cast<const float*>(nullptr), StoreGradients<float>{nullptr}, ones.data(), tape,
                      context, dx.data());
    CHECK(dx == y);
}

TEST_CASE("at inference it is the identity")
{
    const Model<Drop<1, 2>> model{uninitialized};
    Tensor<float, Shape<37>> x;
    for (std::size_t i = 0; i < 37; ++i) x[i] = static_cast<float>(i);
    CHECK(model.predict(x) == x);
}

TEST_CASE("the masks of a seed never change")
{
    const auto y = run<Network<Input<64>, Dropout<Rate<1, 2>>>>(1, 42, 7);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 64; ++i) bits |= static_cast<std::uint64_t>(y[i] != 0.0f) << i;
    CHECK(bits == 0x522d44efe909a2a9u);
}
