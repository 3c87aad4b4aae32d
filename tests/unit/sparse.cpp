// SPDX-License-Identifier: BSL-1.0
// Kernels without zeros against their naive twin, which multiplies by every one of them.
#include <tenon/compression/n_of_m.hpp>
#include <tenon/compression/prune.hpp>
#include <tenon/compression/skip_zeros.hpp>
#include <tenon/tenon.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using namespace tenon;

namespace {

// A random (K, N) matrix with that share of zeros, row-major, and the steps of its table.
template <class T>
struct Matrix {
    static constexpr std::size_t lanes = kernels::sparse_lanes<T>;
    std::size_t inputs, outputs;
    std::vector<T> dense, values, bias;
    std::vector<std::uint8_t> places;
    std::vector<std::uint16_t> first;
    std::vector<std::uint32_t> ends;

    Matrix(std::size_t k, std::size_t n, double zeros, std::uint64_t seed)
        : inputs{k}, outputs{n}, dense(k * n), bias((n + lanes - 1) / lanes * lanes), ends((n + lanes - 1) / lanes)
    {
        Random random{Seed{seed}};
        for (T& w : dense) w = random.uniform() < zeros ? T(0) : static_cast<T>(random.normal());
        for (std::size_t i = 0; i < n; ++i) bias[i] = static_cast<T>(random.normal());
        const auto weight = [this](std::size_t i, std::size_t j) { return dense[i * outputs + j]; };
        kernels::CountSparseSteps count;
        kernels::each_sparse_step<T>(k, n, weight, count);
        values.resize(count.steps * lanes);
        places.resize(count.steps * lanes);
        first.resize(count.steps);
        kernels::FillSparseSteps<T, decltype(weight)> fill{weight, values.data(), places.data(), first.data(),
                                                           ends.data()};
        kernels::each_sparse_step<T>(k, n, weight, fill);
        CHECK(fill.steps == count.steps);
        CHECK(fill.panels == ends.size());
    }
    kernels::SparseMatrix<T> view() const
    {
        return {values.data(), places.data(), first.data(), ends.data(), bias.data()};
    }
};

template <class T, std::size_t N>
void check_matrix(std::size_t inputs, double zeros)
{
    CAPTURE(inputs);
    CAPTURE(N);
    CAPTURE(zeros);
    if (!kernels::sparse_fits<T>(inputs)) return;
    const Matrix<T> matrix{inputs, N, zeros, 7 * inputs + N};
    std::size_t left = 0;
    for (const T w : matrix.dense) left += w != 0 ? 1 : 0;
    for (const T w : matrix.values) left -= w != 0 ? 1 : 0;
    CHECK(left == 0);
    // In a vector of exactly its size: what is read beyond it is the sanitiser's.
    std::vector<T> x(inputs), y(N + 8, T(77));
    Random random{Seed{inputs}};
    for (T& value : x) value = static_cast<T>(random.normal());
    kernels::sparse_gemv<T, N>(x.data(), matrix.view(), y.data(), kernels::ReLU{});
    for (std::size_t n = 0; n < N; ++n) {
        double sum = static_cast<double>(matrix.bias[n]), size = std::abs(sum);
        for (std::size_t k = 0; k < inputs; ++k) {
            const double product = static_cast<double>(x[k]) * static_cast<double>(matrix.dense[k * N + n]);
            sum += product;
            size += std::abs(product);
        }
        const double bound = 1e-15 + size * static_cast<double>(std::numeric_limits<T>::epsilon()) * 4;
        CHECK(std::abs(static_cast<double>(y[n]) - (sum > 0 ? sum : 0)) <= bound);
    }
    for (std::size_t n = N; n < y.size(); ++n) CHECK(y[n] == T(77));
}

// Groups of four with two weights, one and none.
template <std::size_t K, std::size_t N>
void check_fours()
{
    CAPTURE(K);
    CAPTURE(N);
    constexpr std::size_t lanes = kernels::FourMatrix<float>::lanes, panels = (N + lanes - 1) / lanes;
    Random random{Seed{K + N}};
    std::vector<float> dense(K * N), values(kernels::four_values<float>(K, panels)), bias(panels * lanes), x(K),
        y(N + 8, 77.0f);
    std::vector<std::uint32_t> places(kernels::four_words<float>(K, panels));
    for (std::size_t n = 0; n < N; ++n)
        for (std::size_t k = 0; k < K; k += 4)
            for (std::size_t i = 0; i < 2; ++i)
                dense[(k + random.below(4)) * N + n] = static_cast<float>(random.below(4) == 0 ? 0 : random.normal());
    for (std::size_t n = 0; n < N; ++n) bias[n] = static_cast<float>(random.normal());
    for (float& value : x) value = static_cast<float>(random.normal());
    const auto weight = [&](std::size_t k, std::size_t n) { return dense[k * N + n]; };
    REQUIRE(kernels::is_two_of_four(K, N, weight));
    kernels::fill_fours(K, N, weight, values.data(), places.data());
    kernels::four_gemv<float, K, N>(x.data(), {values.data(), places.data(), bias.data()}, y.data(), kernels::ReLU{});
    for (std::size_t n = 0; n < N; ++n) {
        double sum = static_cast<double>(bias[n]), size = std::abs(sum);
        for (std::size_t k = 0; k < K; ++k) {
            const double product = static_cast<double>(x[k]) * static_cast<double>(dense[k * N + n]);
            sum += product;
            size += std::abs(product);
        }
        CHECK(std::abs(static_cast<double>(y[n]) - (sum > 0 ? sum : 0)) <= 1e-15 + size * 5e-7);
    }
    for (std::size_t n = N; n < y.size(); ++n) CHECK(y[n] == 77.0f);
    dense[0] = dense[N] = dense[2 * N] = 1.0f;
    CHECK(!kernels::is_two_of_four(K, N, weight));
}

template <class T>
void check_sizes()
{
    for (const double zeros : {0.0, 0.5, 0.9, 0.99, 1.0})
        for (const std::size_t inputs : {1u, 15u, 16u, 31u, 32u, 33u, 47u, 64u, 100u, 257u, 784u}) {
            check_matrix<T, 1>(inputs, zeros);
            check_matrix<T, 7>(inputs, zeros);
            check_matrix<T, 16>(inputs, zeros);
            check_matrix<T, 17>(inputs, zeros);
            check_matrix<T, 37>(inputs, zeros);
        }
}

using Net =
    Network<Input<200>, Dense<67>, ReLU, Dropout<Rate<1, 2>>, Dense<40, NoBias>, Tanh, LayerNorm, Dense<9>, Softmax>;

template <class P>
void check_model()
{
    Model<Net, P> model{Seed{3}};
    prune(model, {.sparsity = 0.95, .layers = {"dense_1"}});
    prune(model, {.sparsity = 0.9, .layers = {"dense_2"}});
    Tensor<typename P::scalar, Shape<200>> input;
    Random random{Seed{4}};
    for (auto& value : input) value = static_cast<typename P::scalar>(random.normal());
    const auto expected = model.predict(input);
    const auto check = [&](const SparseModel<Net, P>& sparse) {
        const auto found = sparse.predict(input);
        SparseSession<SparseModel<Net, P>, Rows<4>> session{sparse};
        std::vector<typename P::scalar> rows(7 * 200), outputs(7 * 9);
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = input[i % 200];
        session.run_rows(7, rows.data(), outputs.data());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(static_cast<double>(found[i]) == doctest::Approx(static_cast<double>(expected[i])).epsilon(1e-4));
            // Rows together: the layers that are not sparse sum in another order then.
            for (std::size_t r = 0; r < 7; ++r)
                CHECK(static_cast<double>(outputs[r * 9 + i]) ==
                      doctest::Approx(static_cast<double>(expected[i])).epsilon(1e-4));
        }
    };
    SparseModel<Net, P> sparse = skip_zeros(model);
    CHECK(sparse.template of<0>() != nullptr);
    CHECK(sparse.template of<1>() != nullptr);
    CHECK(sparse.template of<3>() == nullptr);
    check(sparse);
    const SparseModel<Net, P> copy = sparse;
    check(SparseModel<Net, P>{std::move(sparse)});
    check(copy);
    check(skip_zeros(model, 0.0));
}

constexpr auto few = [] {
    struct {
        float values[64 * 24 + 24 + 24 * 2 + 2];
    } made{};
    for (std::size_t i = 0; i < 64 * 24; i += 11) made.values[i] = static_cast<float>(i % 7) - 2.5f;
    for (std::size_t i = 64 * 24; i < sizeof made.values / sizeof(float); ++i)
        made.values[i] = static_cast<float>(i % 5) / 4 - 0.5f;
    return made;
}();
using Small = Network<Input<64>, Dense<24>, ReLU, Dense<2>>;
constexpr auto frozen = freeze<Small>(few.values);
using Skipping = SkipZeros<frozen>;

static_assert(Skipping::skips<0> && !Skipping::skips<1>);

// The compiler runs it as well: all inputs 1.
constexpr float first_output()
{
    Tensor<float, Shape<64>> ones{};
    for (float& value : ones) value = 1;
    using C = rewritten_chain<Purpose::inference, Small::chain>;
    float workspace[Small::workspace_bytes<Float32> / sizeof(float)] = {}, y[2] = {};
    infer_sparse_chain<C, 1>(1, ones.data(), y, workspace, Skipping{});
    return y[0];
}

}  // namespace

TEST_CASE("sparse_gemv against the sum over all inputs")
{
    check_sizes<float>();
    check_sizes<double>();
}

TEST_CASE("a model without its zeros predicts the same, sessions and copies too")
{
    check_model<Float32>();
    check_model<Float64>();
}

TEST_CASE("two of four: the kernel against the sum over all inputs, and a model with such a layer")
{
    using Patterned = Network<Input<100>, Dense<37>, ReLU, Dense<5>>;
    if constexpr (kernels::fours_fit<float>(100)) {
        check_fours<4, 1>();
        check_fours<28, 16>();
        check_fours<32, 17>();
        check_fours<100, 37>();
        check_fours<784, 128>();
        Model<Patterned> model{Seed{3}};
        CHECK(!try_skip_zeros(model));
        keep_n_of_m<2, 4>(model);
        const SparseModel<Patterned> sparse = skip_zeros(model), copy = sparse;
        REQUIRE(copy.of<0>() != nullptr);
        CHECK(copy.of<0>()->fours != nullptr);
        CHECK(copy.of<0>()->fours != sparse.of<0>()->fours);
        Tensor<float, Shape<100>> input;
        Random random{Seed{4}};
        for (float& value : input) value = static_cast<float>(random.normal());
        const auto expected = model.predict(input), found = copy.predict(input);
        for (std::size_t i = 0; i < 5; ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-4));
        // Half of the values, and two bits for each.
        CHECK(copy.table_bytes() < Patterned::parameter_bytes<Float32> * 2 / 3);
    }
}

TEST_CASE("zeros that do not pay are refused, with what there is")
{
    Model<Net> model{Seed{3}};
    prune(model, {.sparsity = 0.5});
    const auto result = try_skip_zeros(model);
    REQUIRE(!result);
    const std::string needed = std::to_string(static_cast<int>(100 * kernels::sparse_pays_from<float> + 0.5));
    CHECK(result.error() == "tenon: skip_zeros: no Dense layer has the zeros to be faster without them, " + needed +
                                " %; found 200 to 67: 50.0 %, 67 to 40: 50.0 %, 40 to 9: 50.0 %");
    CHECK_THROWS_AS(skip_zeros(model), Error);
}

TEST_CASE("frozen weights: the tables are constants")
{
    constexpr float constant = first_output();
    Tensor<float, Shape<64>> ones{};
    for (float& value : ones) value = 1;
    const Skipping skipping{};
    SparseSession<Skipping> session{skipping};
    const auto expected = predict<Small>(frozen, ones);
    const auto found = session.run(ones);
    CHECK(constant == doctest::Approx(expected[0]).epsilon(1e-5));
    for (std::size_t i = 0; i < 2; ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}
