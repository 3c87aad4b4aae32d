// SPDX-License-Identifier: BSL-1.0
// The table as it prints.
#include <tenon/layers/layers.hpp>
#include <tenon/network/summary.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace tenon;

namespace mine {

struct Scale {
    template <class In>
    struct rule {
        using output = In;
        static constexpr auto slots = tenon::slots(slot<In>("scale", init::ones));
    };
};

}  // namespace mine

namespace {

// Bytes depend on the instruction set's padding.
template <class Net, class P = Float32>
std::string bytes()
{
    return "Weights: " + detail::grouped(Net::template parameter_bytes<P>) +
           " bytes\nWorkspace: " + detail::grouped(Net::template workspace_bytes<P>) + " bytes for one row\n";
}

}  // namespace

TEST_CASE("the multilayer perceptron, as Keras counts it")
{
    using Mlp = Network<Input<28, 28, 1>, Flatten, Dense<128>, ReLU, Dense<10>, Softmax>;
    CHECK(summary<Mlp>() ==
          "Layer (type)         Output shape  Parameters     MACs\n"
          "======================================================\n"
          "input (Input)        (28, 28, 1)            0        0\n"
          "flatten_1 (Flatten)  (784)                  0        0\n"
          "dense_1 (Dense)      (128)            100,480  100,352\n"
          "relu_1 (ReLU)        (128)                  0        0\n"
          "dense_2 (Dense)      (10)               1,290    1,280\n"
          "softmax_1 (Softmax)  (10)                   0        0\n"
          "------------------------------------------------------\n"
          "Parameters: 101,770\n"
          "MACs per row: 101,632\n" +
              bytes<Mlp>());
    const std::string fine = summary<Mlp, Float64>();
    CHECK(fine.find(bytes<Mlp, Float64>()) != std::string::npos);
    // Twice, but for what fills up the last registers: narrower ones waste less.
    CHECK(Mlp::parameter_bytes<Float64> <= 2 * Mlp::parameter_bytes<Float32>);
    CHECK(Mlp::parameter_bytes<Float64> >= 8 * Mlp::parameter_count);
}

TEST_CASE("blocks are indented, layers of a kind counted through them, a user's layer named by its type")
{
    using Net = Network<Input<8>, Residual<Dense<8>, PReLU>,
                        Concat<Dense<3>, Sequential<LayerNormWith<VarianceEpsilon<1, 10>>, ELUWith<Alpha<1, 2>>>>,
                        Repeat<2, Dense<5, NoBias>>, Dropout<Rate<1, 2>>, mine::Scale, mine::Scale>;
    CHECK(summary<Net>() ==
          "Layer (type)                  Output shape  Parameters  MACs\n"
          "============================================================\n"
          "input (Input)                 (8)                    0     0\n"
          "residual_1 (Residual)         (8)                   80    64\n"
          "  dense_1 (Dense)             (8)                   72    64\n"
          "  prelu_1 (PReLU)             (8)                    8     0\n"
          "concat_1 (Concat)             (11)                  43    24\n"
          "  dense_2 (Dense)             (3)                   27    24\n"
          "  sequential_1 (Sequential)   (8)                   16     0\n"
          "    layer_norm_1 (LayerNorm)  (8)                   16     0\n"
          "    elu_1 (ELU)               (8)                    0     0\n"
          "repeat_1 (Repeat)             (5)                   80    80\n"
          "  dense_3 (Dense)             (5)                   55    55\n"
          "  dense_4 (Dense)             (5)                   25    25\n"
          "dropout_1 (Dropout)           (5)                    0     0\n"
          "Scale_1 (Scale)               (5)                    5     0\n"
          "Scale_2 (Scale)               (5)                    5     0\n"
          "------------------------------------------------------------\n"
          "Parameters: 213\n"
          "MACs per row: 168\n" +
              bytes<Net>());
}

TEST_CASE("a network without parameters, and large numbers")
{
    CHECK(summary<Network<Input<3>, ReLU>>() ==
          "Layer (type)   Output shape  Parameters  MACs\n"
          "=============================================\n"
          "input (Input)  (3)                    0     0\n"
          "relu_1 (ReLU)  (3)                    0     0\n"
          "---------------------------------------------\n"
          "Parameters: 0\n"
          "MACs per row: 0\n"
          "Weights: 0 bytes\n"
          "Workspace: 0 bytes for one row\n");
    CHECK(summary<Network<Input<1000>, Dense<100000>>>().find(
              "dense_1 (Dense)  (100000)      100,100,000  100,000,000\n") != std::string::npos);
    CHECK(detail::grouped(0) == "0");
    CHECK(detail::grouped(999) == "999");
    CHECK(detail::grouped(1000) == "1,000");
    CHECK(detail::grouped(1234567) == "1,234,567");
}

TEST_CASE("running statistics count as parameters, as in Keras")
{
    using Net = Network<Input<4>, Dense<6>, BatchNorm>;
    CHECK(Net::parameter_count == 30 + 24);
    CHECK(Net::trainable_count == 30 + 12);
    CHECK(summary<Net>().find("Parameters: 54\n") != std::string::npos);
}
