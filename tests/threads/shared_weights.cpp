// SPDX-License-Identifier: BSL-1.0
// One model, many threads that predict: by the model itself, by sessions of one row and of many.
#include <tenon/layers/layers.hpp>
#include <tenon/model/model.hpp>

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace tenon;

namespace {

using Policy =
    Network<Input<13>, Dense<64>, Tanh, LayerNorm, Residual<Dense<64>, ReLU>, Concat<Dense<3>, Dense<5>>, Softmax>;

}  // namespace

TEST_CASE("threads share weights without sharing anything that is written")
{
    const Model<Policy> model{Seed{5}};
    Tensor<float, Shape<13>> observation{};
    observation[0] = 1.0f;
    const auto expected = model.predict(observation);
    std::vector<float> many(13 * 20, 0.0f), many_expected(8 * 20);
    for (std::size_t r = 0; r < 20; ++r) many[13 * r] = static_cast<float>(r);
    Session<Policy, Rows<6>>{model.parameters()}.run(many, many_expected);

    std::vector<int> wrong(6, 0);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t)
        threads.emplace_back([&, t] {
            Session<Policy> session{model.parameters()};
            Session<Policy, Rows<6>> batched{model.parameters()};
            std::vector<float> y(8 * 20);
            for (int i = 0; i < 200; ++i) {
                wrong[t] += model.predict(observation) != expected;
                wrong[t] += session.run(observation) != expected;
                batched.run(many, y);
                wrong[t] += y != many_expected;
            }
        });
    for (std::thread& thread : threads) thread.join();
    for (const int count : wrong) CHECK(count == 0);
}
