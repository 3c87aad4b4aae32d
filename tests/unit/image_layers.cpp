// SPDX-License-Identifier: BSL-1.0
// What tables and files say of the layers that make images larger, normalise groups of channels or drop whole ones, and a
// network of all of them: rows alone and together, written and folded, through a file.
#include <tenon/inference.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/model/model.hpp>
#include <tenon/network/summary.hpp>

#include <doctest/doctest.h>
#include <support/files.hpp>

#include <vector>

using namespace tenon;

namespace {

using Net = Network<Input<6, 5, 2>, ZeroPadding2D<Padding<0, 1>>, Conv2D<6, Kernel<3>, NoBias>, GroupNorm<Groups<3>>,
                    ReLU, SpatialDropout<Rate<1, 5>>, Conv2DTranspose<5, Kernel<3>, Stride<2>, Padding<Same>>,
                    BatchNorm, ReLU, Upsample2D<2, Interpolation<Bilinear>>>;

template <class Some>
std::vector<float> run(const Model<Some>& model, std::size_t rows)
{
    std::vector<float> x(rows * Some::input_shape::size), y(rows * Some::output_shape::size);
    Random random{Seed{3}};
    for (float& value : x) value = static_cast<float>(random.normal());
    Session<Some, Rows<4>> session{model.parameters()};
    session.run(x, y);
    return y;
}

}  // namespace

TEST_CASE("the summary")
{
    const std::string text = summary<Net>();
    CAPTURE(text);
    const auto shows = [&](const char* line) { return text.find(line) != std::string::npos; };
    CHECK(shows("zero_padding2d_1 (ZeroPadding2D)      (6, 7, 2)              0      0\n"));
    CHECK(shows("group_normalization_1 (GroupNorm)     (4, 5, 6)             12      0\n"));
    CHECK(shows("spatial_dropout_1 (SpatialDropout)    (4, 5, 6)              0      0\n"));
    CHECK(shows("conv2d_transpose_1 (Conv2DTranspose)  (8, 10, 5)           275  5,400\n"));
    CHECK(shows("up_sampling2d_1 (Upsample2D)          (16, 20, 5)            0      0\n"));
}

TEST_CASE("rows together are rows alone, and the folded network predicts the same")
{
    const Model<Net> model{Seed{1}};
    const std::vector<float> many = run(model, 7), one = run(model, 1);
    for (std::size_t i = 0; i < one.size(); ++i) REQUIRE(many[i] == one[i]);
    const std::vector<float> made = run(fold_batch_norm(model), 7);
    for (std::size_t i = 0; i < many.size(); ++i) REQUIRE(made[i] == doctest::Approx(many[i]).epsilon(1e-4));
}

TEST_CASE("through a file")
{
    const support::Folder folder;
    const Model<Net> model{Seed{1}};
    save(model, folder / "weights.safetensors");
    Model<Net> read{uninitialized};
    load(read, folder / "weights.safetensors");
    CHECK(read.parameters().fingerprint() == model.parameters().fingerprint());
    CHECK(run(read, 3) == run(model, 3));
    const support::Bytes bytes = support::read_bytes(folder / "weights.safetensors");
    const std::string header(bytes.begin(), bytes.begin() + 2000);
    CHECK(header.find(R"("conv2d_transpose_1/kernel":{"dtype":"F32","shape":[3,3,5,6])") != std::string::npos);
    CHECK(header.find(R"("group_normalization_1/gamma":{"dtype":"F32","shape":[6])") != std::string::npos);
}
