// SPDX-License-Identifier: BSL-1.0
// Dense layers on int8 as lists without zeros against the naive twin that multiplies by every one of them, networks with such
// layers, and the headers that are written so.
#include <tenon/compression/prune.hpp>
#include <tenon/compression/quantize.hpp>
#include <tenon/io/export_header.hpp>
#include <tenon/kernels/reference/int8.hpp>
#include <tenon/model/int8_sparse.hpp>

#include "support/files.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace tenon;

namespace {

// Lists of all outputs of a (K, N) matrix.
std::vector<std::int8_t> lists_of(std::size_t inputs, std::size_t units, const std::vector<std::int8_t>& w)
{
    std::vector<std::int8_t> lists;
    for (std::size_t n = 0; n < units; ++n)
        kernels::each_int8_sparse_part(
            inputs, [&](std::size_t k) { return w[k * units + n]; }, io::detail::Int8ListWriter{lists});
    return lists;
}

void check_dense(std::size_t inputs, std::size_t units, double zeros, Random& random)
{
    CAPTURE(inputs);
    CAPTURE(units);
    CAPTURE(zeros);
    std::vector<std::int8_t> w(inputs * units), x(2 * inputs), shifts(units);
    for (std::int8_t& q : w)
        q = random.uniform() < zeros ? std::int8_t{0}
                                     : static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
    for (std::int8_t& q : x) q = static_cast<std::int8_t>(static_cast<int>(random.below(256)) - 128);
    std::vector<std::int32_t> bias(units), moved(units), multiplier(units), shift(units);
    kernels::reference::Int8Factors factors{};
    factors.input_zero = static_cast<std::int32_t>(random.below(256)) - 128;
    factors.output_zero = static_cast<std::int32_t>(random.below(256)) - 128;
    factors.lowest = random.below(2) == 0 ? -128 : factors.output_zero;
    factors.highest = 127;
    for (std::size_t n = 0; n < units; ++n) {
        bias[n] = static_cast<std::int32_t>(random.below(20001)) - 10000;
        const FixedPoint factor = fixed_point((0.2 + random.uniform()) / 2000.0);
        multiplier[n] = factor.multiplier;
        shift[n] = factor.shift;
        shifts[n] = static_cast<std::int8_t>(factor.shift);
        std::int32_t total = 0;
        for (std::size_t k = 0; k < inputs; ++k) total += w[k * units + n];
        moved[n] = bias[n] - factors.input_zero * total;
    }
    factors.multiplier = multiplier.data();
    factors.shift = shift.data();
    std::vector<std::int8_t> expected(2 * units), found(2 * units + 1, std::int8_t{77});
    kernels::reference::int8_dense(2, inputs, units, x.data(), w.data(), bias.data(), factors, expected.data());

    // Of exactly its size: what is read beyond it is the sanitiser's.
    const std::vector<std::int8_t> lists = lists_of(inputs, units, w);
    const Int8Linear layer{lists.data(),
                           moved.data(),
                           multiplier.data(),
                           shifts.data(),
                           0,
                           static_cast<std::int8_t>(factors.input_zero),
                           static_cast<std::int8_t>(factors.output_zero),
                           static_cast<std::int8_t>(factors.lowest),
                           127};
    kernels::int8_sparse_dense(2, inputs, units, x.data(), layer, found.data());
    CHECK(found.back() == 77);
    found.pop_back();
    CHECK(found == expected);
}

// Three outputs of five inputs: one without weights, one with an odd number, one with two. Multiplier: 1/2 of the sum.
using Small = Network<Input<5>, Dense<3>, Tanh>;
constexpr std::int8_t lists[] = {0, 0, 2, 0, 0, 10, 3, -20, 1, 30, 0, 0, 1, 0, 1, 7, 1, 9};
constexpr std::int32_t bias[] = {40, -6, 8}, multiplier[] = {1 << 30, 1 << 30, 1 << 30};
constexpr std::int8_t shift[] = {0, 0, 0};
constexpr SparseWeights<Small, Int8, 0> weights = [] {
    SparseWeights<Small, Int8, 0> made{};
    made.tables.input = {0.5f, 0};
    made.tables.output = {0.25f, 0};
    made.tables.linear[0] = {lists, bias, multiplier, shift, 0, 0, 0, -128, 127};
    for (int q = -128; q < 128; ++q) made.tables.table[0].at[q + 128] = static_cast<std::int8_t>(-(q + 1));
    return made;
}();
constexpr Tensor<std::int8_t, Shape<5>> input{3, 4, -5, 2, 1};
// Sums: 40; -6 + 3·10 - 2·20 + 1·30 = 14; 8 + 4·7 - 5·9 = -9, whose half is -4 (upwards).
constexpr auto output = predict<Small>(weights, input);
static_assert(output[0] == -21 && output[1] == -8 && output[2] == 3);

}  // namespace

TEST_CASE("lists without zeros give the bits of the dense layer")
{
    Random random{Seed{1}};
    for (const double zeros : {0.0, 0.5, 0.9, 0.99, 1.0})
        for (const std::size_t inputs : {1u, 2u, 7u, 64u, 255u, 256u, 257u, 784u})
            for (const std::size_t units : {1u, 3u, 4u, 5u, 17u}) check_dense(inputs, units, zeros, random);
}

TEST_CASE("lists: distances beyond a byte are walked, odd numbers filled up")
{
    std::vector<std::int8_t> w(600);
    w[0] = 5;
    w[599] = -5;
    const std::vector<std::int8_t> found = lists_of(600, 1, w);
    // 599 = 255 + 255 + 89: four parts; of one weight two.
    CHECK(found == std::vector<std::int8_t>{2, 0, 0, 5, -1, 0, -1, 0, 89, -5});
    w[0] = 0;
    w[599] = 0;
    w[3] = 1;
    CHECK(lists_of(600, 1, w) == std::vector<std::int8_t>{1, 0, 3, 1, 0, 0});
}

TEST_CASE("a network with lists: predict and sessions, int8 and float")
{
    SparseSession<SparseWeights<Small, Int8, 0>> session{weights};
    const auto found = session.run(input);
    for (std::size_t i = 0; i < 3; ++i) CHECK(found[i] == output[i]);
    Tensor<float, Shape<5>> values;
    for (std::size_t i = 0; i < 5; ++i) values[i] = 0.5f * static_cast<float>(input[i]);
    const auto of_floats = session.run(values), predicted = predict<Small>(weights, values);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(of_floats[i] == 0.25f * static_cast<float>(output[i]));
        CHECK(predicted[i] == of_floats[i]);
    }
}

TEST_CASE("export_header: zeros are left out where that pays, refused with what there is where not")
{
    using Net = Network<Input<40>, Dense<8>, ReLU, Sequential<Dense<8>, Tanh>, Dense<4>>;
    const support::Folder folder;
    const std::string path = folder / "weights.hpp";
    Model<Net> model{Seed{3}};
    std::vector<float> examples(20 * 40);
    Random random{Seed{4}};
    for (float& value : examples) value = static_cast<float>(random.normal());
    const auto pruned = [&](double first, double last) {
        Model<Net> copy = model;
        prune(copy, {.sparsity = first, .layers = {"dense_1"}});
        prune(copy, {.sparsity = last, .layers = {"dense_3"}});
        return quantize(copy, std::span<const float>(examples), {.method = Calibration::min_max});
    };
    const auto text_of = [&] {
        const support::Bytes read = support::read_bytes(path);
        return std::string(read.begin(), read.end());
    };
    const Model<Net, Int8> thin = pruned(0.9, 0.25);
    REQUIRE(try_export_header(thin, path, {.target = targets::cortex_m_dsp, .skip_zeros = true}));
    CHECK(text_of().find("tenon::SparseWeights<Net, tenon::Int8, 0> weights{{") != std::string::npos);
    CHECK(text_of().find("<tenon/model/int8_sparse.hpp>") != std::string::npos);
    // Whatever is asked for: layers inside blocks stay as they are.
    REQUIRE(try_export_header(thin, path, {.target = targets::scalar, .skip_zeros = true, .least = 0.2}));
    CHECK(text_of().find("tenon::SparseWeights<Net, tenon::Int8, 0, 2> weights{{") != std::string::npos);

    const auto refused = try_export_header(pruned(0.625, 0.25), path,
                                           {.target = targets::cortex_m_dsp, .skip_zeros = true});
    REQUIRE(!refused);
    CHECK_MESSAGE(
        refused.error().find("no Dense layer has the zeros to be faster without them, 80 %; found 40 to 8: 6") !=
            std::string::npos,
        refused.error());
    REQUIRE(try_export_header(pruned(0.625, 0.25), path, {.target = targets::scalar, .skip_zeros = true}));
    const auto vectors = try_export_header(thin, path, {.target = targets::avx2, .skip_zeros = true});
    REQUIRE(!vectors);
    CHECK(vectors.error().find("expected a target without vectors") != std::string::npos);
}
