// SPDX-License-Identifier: BSL-1.0
//
// One network on a board, int8 from flash: -DNETWORK=ResNet8 -DHEADER=<resnet8.hpp> -DNAMESPACE=resnet8. Prints what an inference
// costs; the exit status is the number of outputs that differ in any bit from those of the host's kernels.
#include "measure.hpp"
#include "networks.hpp"

#include HEADER

namespace weights = NAMESPACE;
using Net = firmware::NETWORK;
using namespace tenon;

namespace {

// All the RAM there is to it but for the stack.
Tensor<std::int8_t, Net::input_shape> input;
Tensor<std::int8_t, Net::output_shape> output;
detail::Int8Workspace<Net::workspace_bytes<Int8>> workspace;

template <class W>
void infer_one(const W& own)
{
    if constexpr (requires { typename W::skips; })
        infer_int8<Net, 1, typename W::skips>(1, own.tables.view(), input.data(), output.data(), workspace.values);
    else
        infer_int8<Net, 1>(1, own.view(), input.data(), output.data(), workspace.values);
}

}  // namespace

int main()
{
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = weights::golden_input_0[i];
    firmware::start_counter();
    const firmware::StackPaint paint;
    const std::uint64_t before = firmware::nanoseconds();
    infer_one(weights::weights<Net>);
    const std::uint64_t after = firmware::nanoseconds();

    firmware::print("instructions", firmware::instructions(after - before));
    firmware::print("macs", Net::macs);
    firmware::print("weights", static_cast<std::uint32_t>(cost<Net, Int8>::flash));
    firmware::print("ram", static_cast<std::uint32_t>(cost<Net, Int8>::ram));
    firmware::print("stack", static_cast<std::uint32_t>(paint.used()));
    // The type says what the linker will find.
    static_assert(sizeof(input) + sizeof(output) + Net::workspace_bytes<Int8> == cost<Net, Int8>::ram);
    int wrong = 0;
    for (std::size_t i = 0; i < output.size(); ++i) wrong += output[i] != weights::golden_output_0[i];
    return wrong;
}
