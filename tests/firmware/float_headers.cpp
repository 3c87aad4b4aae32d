// SPDX-License-Identifier: BSL-1.0
//
// Float weights from headers, in 32 and 16 bits: returns the number of outputs that are off by more than 1e-5.
#include "networks.hpp"

#include <mixed_f16.hpp>
#include <mixed_f32.hpp>
#if !TENON_SIMD
#    include <perceptron_bf16.hpp>
#    include <thin.hpp>
#endif

using namespace tenon;
using namespace firmware;

// The compiler runs it as well.
static_assert(mixed_f16::golden_holds<Mixed>());
#if !TENON_SIMD
static_assert(thin::golden_holds<Thin>());
static_assert(std::is_same_v<decltype(thin::weights<Thin>), const SparseWeights<Thin, Float32, 4, 7>>);
#endif

namespace {

// The processor's conversion against the plain one, for all numbers.
int count_converted_otherwise()
{
    using One = simd::Pack<float, 1>;
    int wrong = 0;
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        Fp16 value;
        value.bits = static_cast<std::uint16_t>(bits);
        const float wide = simd::load_widened<One>(&value).lanes, plain = value;
        wrong += std::bit_cast<std::uint32_t>(wide) != std::bit_cast<std::uint32_t>(plain);
    }
    return wrong;
}

}  // namespace

int main()
{
    int wrong = mixed_f32::self_test<Mixed>() + mixed_f16::self_test<Mixed>();
#if !TENON_SIMD
    Session<Perceptron, Rows<1>, BFloat16> session{perceptron_bf16::weights<Perceptron>};
    const auto output = session.run(TensorView<const float, Perceptron::input_shape>{perceptron_bf16::golden_input_0});
    for (std::size_t i = 0; i < output.size(); ++i)
        wrong += perceptron_bf16::differs(output[i], perceptron_bf16::golden_output_0[i]);
    SparseSession<SparseWeights<Thin, Float32, 4, 7>> without_zeros{thin::weights<Thin>};
    const auto few = without_zeros.run(TensorView<const float, Thin::input_shape>{thin::golden_input_0});
    for (std::size_t i = 0; i < few.size(); ++i) wrong += thin::differs(few[i], thin::golden_output_0[i]);
    wrong += thin::self_test<Thin>();
#endif
    return wrong + (count_converted_otherwise() != 0 ? 1 : 0);
}
