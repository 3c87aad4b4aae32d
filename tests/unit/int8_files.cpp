// SPDX-License-Identifier: BSL-1.0
// Integers in files: what is saved comes back; what others wrote is taken or refused with a reason; headers for firmware.
#include <tenon/compression/quantize.hpp>
#include <tenon/io/export_header.hpp>
#include <tenon/io/int8_safetensors.hpp>

#include "support/files.hpp"

#include <doctest/doctest.h>

using namespace tenon;

namespace {

using Net = Network<Input<6, 5, 2>, Conv2D<4, Kernel<3>>, Tanh, Residual<DepthwiseConv2D<Kernel<3>, Padding<Same>>>,
                    Concat<Conv2D<3, Kernel<1>>, Conv2D<2, Kernel<1>>>, Flatten, Dense<3>, Softmax>;
using Small = Network<Input<3>, Dense<2>, ReLU>;

template <class N>
Model<N, Int8> example(std::uint64_t seed)
{
    Random random{Seed{seed}};
    std::vector<float> x(20 * N::input_shape::size);
    for (float& value : x) value = static_cast<float>(2.0 * random.uniform() - 1.0);
    return quantize(Model<N>{Seed{seed}}, std::span<const float>(x));
}

void check_equal(const Int8Description& a, const Int8Description& b)
{
    CHECK(a.input == b.input);
    CHECK(a.values == b.values);
    REQUIRE(a.layers.size() == b.layers.size());
    for (std::size_t i = 0; i < a.layers.size(); ++i) {
        CHECK(a.layers[i].kernel == b.layers[i].kernel);
        CHECK(a.layers[i].bias == b.layers[i].bias);
        CHECK(a.layers[i].scale == b.layers[i].scale);
        CHECK(a.layers[i].zero_point == b.layers[i].zero_point);
    }
}

}  // namespace

TEST_CASE("int8 files: saved integers come back")
{
    const support::Folder folder;
    const std::string path = folder / "net.safetensors";
    Int8Description d = example<Net>(1).description();
    d.layers[1].zero_point = 5;
    const Model<Net, Int8> model{d};
    save(model, path);
    const Model<Net, Int8> read = load_int8<Net>(path);
    check_equal(model.description(), read.description());
    io::SafetensorsFile file{path};
    for (const char* name :
         {"input/output_scale", "conv2d_1/kernel", "conv2d_3/bias", "depthwise_conv2d_1/kernel_scale",
          "dense_1/kernel_zero_point", "tanh_1/output_zero_point", "residual_1/output_scale", "concat_1/output_scale",
          "conv2d_2/output_scale", "dense_1/output_scale"})
        CHECK_MESSAGE(file.header().find(name) != io::SafetensorsHeader::none, name);
    CHECK(!try_load_int8<Small>(path));
}

TEST_CASE("int8 files: what others wrote")
{
    const support::Folder folder;
    const std::string path = folder / "small.safetensors";
    const std::vector<std::int8_t> kernel{10, -20, 30, -40, 50, -60}, short_kernel{1, 2, 3}, zero{-3}, none{0};
    const std::vector<std::int32_t> bias{100, -100};
    const std::vector<float> one{0.02f}, two{0.02f, 0.03f}, three{1.0f, 1.0f, 1.0f}, negative{-1.0f};
    using T = io::TensorToWrite;
    const auto bytes = [](const std::vector<std::int8_t>& v) { return std::span<const std::int8_t>(v); };
    const auto floats = [](const std::vector<float>& v) { return std::span<const float>(v); };
    // One scale for the kernel, no zero point of its own.
    const std::vector<T> good{
        {"input/output_scale", {1}, floats(one)},       {"input/output_zero_point", {1}, bytes(zero)},
        {"dense_1/kernel", {3, 2}, bytes(kernel)},      {"dense_1/bias", {2}, std::span<const std::int32_t>(bias)},
        {"dense_1/kernel_scale", {1}, floats(one)},     {"dense_1/output_scale", {1}, floats(two).first(1)},
        {"dense_1/output_zero_point", {1}, bytes(none)}};
    io::write_safetensors(path, good);
    const Model<Small, Int8> model = load_int8<Small>(path);
    CHECK(model.description().layers[0].zero_point == 0);
    const auto y = model.predict(Tensor<std::int8_t, Shape<3>>{50, -60, 70});
    // By hand: (53·10 - 57·30 + 73·50 + 100) = 2570, (-53·20 + 57·40 - 73·60 - 100) < 0; · 0.02 · 0.02 / 0.02 = 51.4 → 51.
    CHECK(static_cast<int>(y[0]) == 51);
    CHECK(static_cast<int>(y[1]) == 0);

    const auto refused = [&](std::size_t which, T tensor, const char* words) {
        std::vector<T> bad = good;
        bad[which] = std::move(tensor);
        io::write_safetensors(path, bad);
        const auto result = try_load_int8<Small>(path);
        REQUIRE(!result);
        CHECK_MESSAGE(result.error().find(words) != std::string::npos, result.error());
        CHECK(result.error().find(path) == 0);
    };
    refused(2, {"dense_1/kernel", {2, 3}, bytes(kernel)}, "expected (3, 2), found (2, 3)");
    refused(2, {"dense_1/kernel", {3}, bytes(short_kernel)}, "expected 6 values, found 3");
    refused(2, {"dense_2/kernel", {3, 2}, bytes(kernel)}, "expected a tensor 'dense_1/kernel'");
    refused(3, {"dense_1/bias", {1}, floats(one)}, "expected dtype I32, found F32");
    refused(4, {"dense_1/kernel_scale", {3}, floats(three)}, "expected 2 values or one, found 3");
    refused(5, {"dense_1/output_scale", {1}, floats(negative)}, "scales above 0");
}

TEST_CASE("int8 files: another network's file is refused, or taken on request")
{
    using Other = Network<Input<3>, Dense<2>, Tanh>;
    using Same = Network<Input<3>, Dense<2>>;
    const support::Folder folder;
    const std::string path = folder / "a.safetensors";
    save(example<Small>(2), path);
    const auto result = try_load_int8<Same>(path);
    REQUIRE(!result);
    CHECK(result.error().find("another topology") != std::string::npos);
    CHECK(try_load_int8<Same>(path, {.check_topology = false}));
    CHECK(!try_load_int8<Other>(path, {.check_topology = false}));  // lacks tanh_1's scale
}

TEST_CASE("int8 files: a header has every byte in the layout of its target")
{
    const support::Folder folder;
    const std::string path = folder / "weights.hpp";
    const Model<Small, Int8> model = example<Small>(3);
    export_header(model, path, {.target = targets::cortex_m_dsp, .name = "small"});
    const support::Bytes read = support::read_bytes(path);
    const std::string text(read.begin(), read.end());
    CHECK(text.find("namespace small {") != std::string::npos);
    CHECK(text.find("Net::hash == 0x") != std::string::npos);
    // Four channels (two of them padding) of four inputs (one of them padding): words of two inputs of two channels, the first
    // channel's bytes plus 128.
    constexpr std::size_t inputs[] = {0, 0, 2, 2, 1, 1, 3, 3};
    std::string expected = "kernel_0[17] =\n    \"";
    const std::vector<std::int8_t>& kernel = model.description().layers[0].kernel;
    for (std::size_t i = 0; i < 16; ++i) {
        const std::size_t n = i / 8 * 2 + i % 2, k = inputs[i % 8];
        unsigned byte = n < 2 && k < 3 ? static_cast<unsigned char>(kernel[k * 2 + n]) : 0;
        if (n == 0 && k < 3) byte ^= 128;
        expected += '\\';
        for (int shift = 6; shift >= 0; shift -= 3) expected += static_cast<char>('0' + (byte >> shift & 7));
    }
    CHECK(text.find(expected + "\";") != std::string::npos);
}
