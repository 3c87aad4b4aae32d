// SPDX-License-Identifier: BSL-1.0
//
// The networks of MLPerf Tiny in int8 on the board, one after the other: returns the number of outputs that differ in any bit from
// those of the host's kernels.
#include "networks.hpp"

#include <autoencoder.hpp>
#include <ds_cnn.hpp>
#include <mobilenet.hpp>
#include <resnet8.hpp>

using namespace tenon;
using namespace tenon::literals;

// The RAM of the reference implementation's arenas: 10, 100, 200 and 200 KiB. With vectors, images are padded first.
static_assert(TENON_SIMD || cost<firmware::Autoencoder, Int8>::ram <= 2_KiB);
static_assert(TENON_SIMD || cost<firmware::ResNet8, Int8>::ram <= 52_KiB);
static_assert(TENON_SIMD || cost<firmware::DsCnn, Int8>::ram <= 24_KiB);
static_assert(TENON_SIMD || cost<firmware::MobileNet, Int8>::ram <= 100_KiB);

namespace {

template <class Net>
int count_wrong(const FrozenWeights<Net, Int8>& weights, const signed char* input, const signed char* expected)
{
    static Tensor<std::int8_t, typename Net::output_shape> output;
    static Session<Net, Rows<1>, Int8> session{weights};
    session.run_rows(1, input, output.data());
    int wrong = 0;
    for (std::size_t i = 0; i < output.size(); ++i) wrong += output[i] != expected[i];
    return wrong;
}

}  // namespace

int main()
{
    using namespace firmware;
    return count_wrong(autoencoder::weights<Autoencoder>, autoencoder::golden_input_0, autoencoder::golden_output_0) +
           count_wrong(ds_cnn::weights<DsCnn>, ds_cnn::golden_input_0, ds_cnn::golden_output_0) +
           count_wrong(resnet8::weights<ResNet8>, resnet8::golden_input_0, resnet8::golden_output_0) +
           count_wrong(mobilenet::weights<MobileNet>, mobilenet::golden_input_0, mobilenet::golden_output_0);
}
