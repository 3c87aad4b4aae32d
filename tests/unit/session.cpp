// SPDX-License-Identifier: BSL-1.0
// Sessions: one row or many, any number of rows, shared weights, nothing outside the buffers, constant size.
#include <tenon/layers/layers.hpp>
#include <tenon/model/model.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

using namespace tenon;

namespace {

using Policy = Network<Input<13>, Dense<64>, Tanh, LayerNorm, Residual<Dense<64>, ReLU>, Dense<5>, Softmax>;

std::vector<float> inputs(std::size_t rows)
{
    Random random{Seed{4}};
    std::vector<float> x(rows * 13);
    for (float& value : x) value = static_cast<float>(random.normal());
    return x;
}

template <std::size_t R>
std::vector<float> run(const Model<Policy>& model, const std::vector<float>& x)
{
    Session<Policy, Rows<R>> session{model.parameters()};
    std::vector<float> y(x.size() / 13 * 5);
    session.run(x, y);
    return y;
}

}  // namespace

TEST_CASE("one row at a time has the bits of predict")
{
    const Model<Policy> model{Seed{1}};
    const std::vector<float> x = inputs(20), y = run<1>(model, x);
    Session<Policy> session{model.parameters()};
    for (std::size_t r = 0; r < 20; ++r) {
        const TensorView<const float, Shape<13>> row{x.data() + 13 * r};
        const auto predicted = model.predict(row), ran = session.run(row);
        for (std::size_t j = 0; j < 5; ++j) {
            CHECK(predicted[j] == y[5 * r + j]);
            CHECK(ran[j] == y[5 * r + j]);
        }
    }
}

TEST_CASE("many rows have the same bits however many at a time, as long as none is alone")
{
    const Model<Policy> model{Seed{1}};
    const std::vector<float> x = inputs(24), y = run<24>(model, x), alone = run<1>(model, x);
    CHECK(run<2>(model, x) == y);
    CHECK(run<3>(model, x) == y);
    CHECK(run<8>(model, x) == y);
    CHECK(run<22>(model, x) == y);  // 22 and 2
    CHECK(run<100>(model, x) == y);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::fabs(y[i] - alone[i]) < 1e-6f);
}

TEST_CASE("any number of rows: nothing is read or written beyond them")
{
    const Model<Policy> model{Seed{1}};
    const std::vector<float> x = inputs(70), expected = run<1>(model, x);
    for (std::size_t rows = 0; rows <= 70; rows += rows < 10 ? 1 : 7) {
        CAPTURE(rows);
        // Inputs behind the rows are NaN: one that is used shows.
        std::vector<float> some(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(13 * rows));
        some.resize(13 * 70, std::numeric_limits<float>::quiet_NaN());
        std::vector<float> y(5 * 71, -3.0f);
        Session<Policy, Rows<32>> session{model.parameters()};
        session.run_rows(rows, some.data(), y.data());
        bool close = true, untouched = true;
        for (std::size_t i = 0; i < 5 * rows; ++i) close = close && std::fabs(y[i] - expected[i]) < 1e-6f;
        for (std::size_t i = 5 * rows; i < y.size(); ++i) untouched = untouched && y[i] == -3.0f;
        CHECK(close);
        CHECK(untouched);
    }
}

TEST_CASE("the number of rows is what both ranges have room for")
{
    const Model<Policy> model{Seed{1}};
    const std::vector<float> x = inputs(10), expected = run<4>(model, x);
    Session<Policy, Rows<4>> session{model.parameters()};
    std::vector<float> y(5 * 6 + 4, -3.0f);  // six rows and a part of one
    session.run(x, y);
    for (std::size_t i = 0; i < 30; ++i) CHECK(y[i] == expected[i]);
    for (std::size_t i = 30; i < 34; ++i) CHECK(y[i] == -3.0f);
    std::fill(y.begin(), y.end(), -3.0f);
    session.run(std::span<const float>(x.data(), 13 * 2 + 12), std::span<float>(y));
    for (std::size_t i = 0; i < 10; ++i) CHECK(y[i] == expected[i]);
    for (std::size_t i = 10; i < 34; ++i) CHECK(y[i] == -3.0f);
    session.run(std::vector<float>{}, y);
    CHECK(y[10] == -3.0f);
}

TEST_CASE("a session keeps nothing from one run to the next")
{
    const Model<Policy> model{Seed{1}};
    const std::vector<float> x = inputs(3);
    Session<Policy> session{model.parameters()};
    const TensorView<const float, Shape<13>> first{x.data()};
    const auto y = session.run(first);
    Tensor<float, Shape<13>> bad;
    for (float& value : bad) value = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(session.run(bad)[0]));
    CHECK(session.run(first) == y);
    Session<Policy> copy = session;  // the weights are shared
    CHECK(copy.run(first) == y);
}

TEST_CASE("its size is a constant: a pointer and the workspace")
{
    using One = Session<Policy>;
    using Many = Session<Policy, Rows<32>>;
    CHECK(sizeof(One) >= Policy::workspace_bytes<Float32>);
    CHECK(sizeof(One) <= Policy::workspace_bytes<Float32> + 128);
    CHECK(sizeof(Many) >= Policy::workspace_bytes<Float32, 32>);
    CHECK(sizeof(Many) <= Policy::workspace_bytes<Float32, 32> + 128);
    CHECK(std::is_trivially_copyable_v<One>);
    CHECK(std::is_trivially_destructible_v<One>);
}

TEST_CASE("weights that move are seen; double precision computes in double")
{
    Model<Policy> model{Seed{1}};
    Session<Policy> session{model.parameters()};
    const std::vector<float> x = inputs(1);
    const TensorView<const float, Shape<13>> row{x.data()};
    const auto before = session.run(row);
    model.parameters().layer<0>().kernel(0, 0) += 0.5f;
    CHECK(session.run(row) != before);
    CHECK(session.run(row) == model.predict(row));

    const Model<Policy, Float64> fine{Seed{1}};
    Session<Policy, Rows<1>, Float64> fine_session{fine.parameters()};
    Tensor<double, Shape<13>> sample;
    for (std::size_t i = 0; i < 13; ++i) sample[i] = static_cast<double>(x[i]);
    const auto y = fine_session.run(sample);
    CHECK(y == fine.predict(sample));
    for (std::size_t j = 0; j < 5; ++j) CHECK(std::fabs(y[j] - static_cast<double>(before[j])) < 1e-6);
}
