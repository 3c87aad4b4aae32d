// SPDX-License-Identifier: BSL-1.0
// The MLPerf Tiny networks: the published multiply-adds, and the fused network against the written one.
#include <tenon/inference.hpp>
#include <tenon/model/model.hpp>
#include <tenon/zoo/mlperf_tiny.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace tenon;

static_assert(zoo::ResNet8::macs == 12'501'632);
static_assert(zoo::DsCnn::macs == 2'656'768);
static_assert(zoo::MobileNetV1Quarter::macs == 7'489'664);
static_assert(zoo::Autoencoder::macs == 264'192);

namespace {

template <class Net>
void compare()
{
    const auto model = std::make_unique<Model<Net>>(Seed{1});
    Random random{Seed{2}};
    std::vector<float> x(Net::input_shape::size), plain(Net::output_shape::size), fused(plain.size());
    for (float& value : x) value = static_cast<float>(random.normal());
    using Chain = typename Net::chain;
    const float* weights = model->parameters().data();
    AlignedBuffer<float> arena{chain_workspace<float, Chain, 1>() + 16};
    AlignedBuffer<float> workspace{Net::template workspace_bytes<Float32> / sizeof(float) + 16};
    infer_chain<Chain, 1>(1, blocks_of<Chain>(weights), static_cast<const float*>(x.data()), plain.data(), arena.data());
    infer<Net, 1>(1, weights, static_cast<const float*>(x.data()), fused.data(), workspace.data());
    for (std::size_t i = 0; i < plain.size(); ++i) CHECK(fused[i] == doctest::Approx(plain[i]).epsilon(1e-4));
}

}  // namespace

TEST_CASE("each network runs, fused as written")
{
    compare<zoo::ResNet8>();
    compare<zoo::DsCnn>();
    compare<zoo::MobileNetV1Quarter>();
    compare<zoo::Autoencoder>();
}
