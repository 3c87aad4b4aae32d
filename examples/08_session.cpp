// SPDX-License-Identifier: BSL-1.0
//
// 8. Inference for real-time code: no allocation, any number of threads, one set of weights.
#include <tenon/inference.hpp>
#include <tenon/model/model.hpp>

#include <cstdio>
#include <thread>
#include <vector>

using namespace tenon;

using Policy = Network<Input<13>, Dense<64>, Tanh, Dense<64>, Tanh, Dense<4>>;

int main()
{
    // A Model owns the weights, on the heap. predict is const: threads may share a model.
    const Model<Policy> model{Seed{5}};
    Tensor<float, Shape<13>> observation{};
    observation[0] = 1.0f;
    const Tensor<float, Shape<4>> expected = model.predict(observation);

    // A Session has room for the values between the layers inside itself, so that running it allocates nothing. One per
    // thread; all of them read the same weights, which must live as long as they do.
    std::vector<std::thread> threads;
    std::vector<int> wrong(4, 0);
    for (std::size_t t = 0; t < wrong.size(); ++t)
        threads.emplace_back([&, t] {
            Session<Policy> session{model.parameters()};
            for (int i = 0; i < 10000; ++i) {
                const auto action = session.run(observation);
                for (std::size_t j = 0; j < action.size(); ++j) wrong[t] += action[j] != expected[j];
            }
        });
    for (std::thread& thread : threads) thread.join();
    std::printf("a session takes %zu bytes; mismatches: %d %d %d %d\n", sizeof(Session<Policy>), wrong[0], wrong[1],
                wrong[2], wrong[3]);

    // Many rows at a time are faster than one by one: here 32 at a time, and any number in a call.
    std::vector<float> inputs(100 * 13, 0.25f), outputs(100 * 4);
    Session<Policy, Rows<32>> batched{model.parameters()};
    batched.run(inputs, outputs);
    std::printf("first of 100 rows: %.6f\n", static_cast<double>(outputs[0]));
    return wrong[0] + wrong[1] + wrong[2] + wrong[3];
}
