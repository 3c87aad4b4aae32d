// SPDX-License-Identifier: BSL-1.0
//
// 3. What the compiler knows about a network. Nothing here runs on data: every line is a constant, and a budget that does
//    not hold stops the build.
#include <tenon/tenon.hpp>

#include <boost/hana.hpp>

#include <cstdio>

using namespace tenon;
namespace hana = boost::hana;

// Layers compose. A block is a type as well, and can be named and reused: y = x + Dense(GELU(Dense(x))).
using Branch = Residual<Dense<32>, GELU, Dense<32>>;

// 4 by 6 values; three of those blocks, each with weights of its own; two branches side by side, 8 + 16 values.
using Net = Network<Input<4, 6>, Flatten, Dense<32>, LayerNorm, Repeat<3, Branch>,
                    Concat<Dense<8>, Sequential<Dense<16>, Tanh>>, Dense<5>, Softmax>;

// A layer, a block and a network are empty types: making them costs nothing.
static_assert(std::is_empty_v<Branch> && std::is_empty_v<Net>);

// Shapes: of the input, behind each layer of the list (counted from 0), and of the output.
static_assert(std::is_same_v<Net::input_shape, Shape<4, 6>>);
static_assert(std::is_same_v<Net::shape_after<0>, Shape<24>>);
static_assert(std::is_same_v<Net::shape_after<4>, Shape<24>>);
static_assert(std::is_same_v<Net::output_shape, Shape<5>>);

// Costs: learned values, their bytes in memory (padding for the SIMD kernels included), multiply-adds of one row.
constexpr std::size_t dense(std::size_t in, std::size_t out) { return in * out + out; }
static_assert(Net::parameter_count ==
              dense(24, 32) + 2 * 32 + 3 * 2 * dense(32, 32) + dense(32, 8) + dense(32, 16) + dense(24, 5));
static_assert(Net::parameter_bytes<Float32> >= sizeof(float) * Net::parameter_count);
static_assert(Net::macs == 24 * 32 + 3 * 2 * 32 * 32 + 32 * 8 + 32 * 16 + 24 * 5);

// Memory for the values between the layers, one row at a time: planned by the compiler, and a budget that you can set.
static_assert(Net::workspace_bytes<Float32> <= 1024, "the sensor node has 1 KiB to spare");

// The topology as a number, the same with every compiler: it stands in weight files, so that a file cannot be loaded into
// another network by mistake.
static_assert(Net::hash != Network<Input<4, 6>, Flatten, Dense<5>, Softmax>::hash);

// The layers are a Boost.Hana tuple of types, so whatever Hana can ask of types can be asked of a network.
constexpr auto activations = hana::make_set(hana::type_c<ReLU>, hana::type_c<Tanh>, hana::type_c<Softmax>);
constexpr auto found = hana::count_if(Net::layers, [](auto layer) { return hana::contains(activations, layer); });
static_assert(found == hana::size_c<1>);  // the Softmax; a block counts as one layer

int main()
{
    std::puts(summary<Net>().c_str());
    std::printf("topology %016llx\n", static_cast<unsigned long long>(Net::hash));
}
