// SPDX-License-Identifier: BSL-1.0
// Weights from bits in logical order, and the headers of float weights that have them.
#include <tenon/io/export_header.hpp>
#include <tenon/model/stored.hpp>

#include "support/files.hpp"

#include <doctest/doctest.h>

using namespace tenon;

namespace {

using Net =
    Network<Input<4, 4, 4>, Conv2D<6, Kernel<3>, Groups<2>>, BatchNorm, ReLU, Residual<Conv2D<6, Kernel<1>>, PReLU>,
            Conv2DTranspose<3, Kernel<3>, Stride<2>>, Flatten, Dense<20>>;

// Learned values 0, 1, 2, …, then statistics.
template <class P, class Unit>
void check_places()
{
    static constexpr auto bits = [] {
        FrozenBits<Unit, Net::parameter_count> made{};
        for (std::size_t i = 0; i < Net::parameter_count; ++i)
            made.at[i] = std::bit_cast<Unit>(stored_t<P>(static_cast<float>(i % 256)));
        return made;
    }();
    static constexpr FrozenWeights<Net, P> weights = freeze_bits<Net, P>(bits);
    std::size_t next = 0;
    float sum = 0, expected = 0;
    for (const Role role : {Role::learned, Role::statistics})
        for (const SlotInfo& slot : slot_table<Net, float>)
            for (std::size_t i = 0; slot.role == role && i < slot.size; ++i, ++next) {
                CHECK(static_cast<float>(weights.values[slot.offset + slot.index(i)]) ==
                      static_cast<float>(next % 256));
                expected += static_cast<float>(next % 256);
            }
    CHECK(next == Net::parameter_count);
    for (const auto value : weights.values) sum += static_cast<float>(value);
    CHECK(sum == expected);  // padding is zero
}

}  // namespace

TEST_CASE("freeze_bits puts every value into its place")
{
    check_places<Float32, char32_t>();
    check_places<Float16, char16_t>();
    check_places<BFloat16, char16_t>();
}

TEST_CASE("export_header: float weights as strings of their bits, with a sample")
{
    using Small = Network<Input<2>, Dense<2>>;
    const support::Folder folder;
    const std::string path = folder / "weights.hpp";
    Model<Small> model{uninitialized};
    const float values[] = {1.0f, -0.0f, 0.5f, -2.0f};
    for (std::size_t i = 0; i < 4; ++i) model.parameters().layer<0>().kernel(i / 2, i % 2) = values[i];
    model.parameters().layer<0>().bias(0) = 0.25f;
    const auto text_of = [&] {
        const support::Bytes read = support::read_bytes(path);
        return std::string(read.begin(), read.end());
    };
    export_header(model, path, {.name = "small"});
    CHECK(text_of().find("namespace small {") != std::string::npos);
    CHECK(text_of().find("tenon::FrozenBits<char32_t, 6> values_0{\n    "
                         "U\"\\x3f800000\\x80000000\\x3f000000\\xc0000000\\x3e800000\\x00000000\"};") !=
          std::string::npos);
    CHECK(text_of().find("tenon::FrozenWeights<Net, tenon::Float32> weights") != std::string::npos);
    export_header(store_as<Float16>(model), path);
    CHECK(text_of().find("tenon::FrozenBits<char16_t, 6> values_0{\n    "
                         "u\"\\x3c00\\x8000\\x3800\\xc000\\x3400\\x0000\"};") != std::string::npos);
    CHECK(text_of().find("tenon::FrozenWeights<Net, tenon::Float16> weights") != std::string::npos);
    export_header(store_as<BFloat16>(model), path);
    CHECK(text_of().find("u\"\\x3f80\\x8000\\x3f00\\xc000\\x3e80\\x0000\"};") != std::string::npos);
    CHECK(text_of().find("tenon::FrozenWeights<Net, tenon::BFloat16> weights") != std::string::npos);

    // One zero of four is not enough, unless it is asked for; each output has its own inputs then.
    const ExportOptions lists{.target = targets::scalar, .skip_zeros = true};
    const auto few = try_export_header(model, path, lists);
    REQUIRE(!few);
    CHECK(
        few.error() ==
        "tenon: export_header: skip_zeros: no Dense layer has the zeros to be faster without them, 70 %; found 2 to 2: "
        "25.0 %");
    export_header(model, path, {.target = targets::scalar, .skip_zeros = true, .least = 0.25});
    CHECK(text_of().find("bits_of_values_0{\n    U\"\\x3f800000\\x3f000000\\xc0000000\"};") != std::string::npos);
    CHECK(text_of().find("bits_of_first_0{\n    u\"\\x0000\\x0001\\x0001\"};") != std::string::npos);
    CHECK(text_of().find("std::uint32_t ends_0[] = {\n    2, 3,\n};") != std::string::npos);
    CHECK(text_of().find("bits_of_bias_0{\n    U\"\\x3e800000\\x00000000\"};") != std::string::npos);
    CHECK(text_of().find("bits_of_rest{};") != std::string::npos);
    CHECK(text_of().find("tenon::SparseWeights<Net, tenon::Float32, 0> weights{") != std::string::npos);
    const auto halves = try_export_header(store_as<Float16>(model), path, lists);
    REQUIRE(!halves);
    CHECK(halves.error() == "tenon: export_header: skip_zeros: expected weights of Float32 or Int8, found 16 bits");
    CHECK(!try_export_header(model, path, {.target = targets::avx2, .skip_zeros = true, .least = 0.25}));

    model.parameters().layer<0>().bias(0) = std::numeric_limits<float>::infinity();
    const auto refused = try_export_header(model, path);
    REQUIRE(!refused);
    CHECK(refused.error() == "tenon: export_header: expected finite outputs of the sample, found inf");
}
