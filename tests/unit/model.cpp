// SPDX-License-Identifier: BSL-1.0
// Model and Parameters: access in logical order, names, fingerprints, copies and moves.
#include <tenon/layers/layers.hpp>
#include <tenon/model/model.hpp>

#include <doctest/doctest.h>

#include <support/predictions.hpp>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

using namespace tenon;

namespace {

using Net = Network<Input<3>, Dense<20>, PReLU, Sequential<LayerNorm, Dense<2, NoBias>>>;

std::string name_of(const SlotInfo& slot)
{
    return std::string(slot.layer.data, slot.layer.size) + '_' + std::to_string(slot.ordinal) + '/' + slot.slot;
}

}  // namespace

TEST_CASE("parameters by layer and by slot are the same values")
{
    Model<Net> model{uninitialized};
    Parameters<Net>& parameters = model.parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) CHECK(parameters.data()[i] == 0.0f);
    CHECK(parameters.size() * sizeof(float) == Net::parameter_bytes<Float32>);

    const auto slots = parameters.slots().begin();
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 20; ++j) parameters.layer<0>().kernel(i, j) = static_cast<float>(100 * i + j);
    for (std::size_t i = 0; i < 60; ++i)
        CHECK(parameters.logical(slots[0], i) == static_cast<float>(100 * (i / 20) + i % 20));
    parameters.layer<0>().bias(19) = 7.0f;
    CHECK(parameters.logical(slots[1], 19) == 7.0f);
    parameters.layer<1>().value<0>(4) = 8.0f;
    CHECK(parameters.logical(slots[2], 4) == 8.0f);
    const Parameters<Net>& constant = parameters;
    CHECK(constant.layer<0>().kernel(2, 5) == 205.0f);
    CHECK(constant.layer<0>().value<1>(19) == 7.0f);

    const char* names[] = {"dense_1/kernel", "dense_1/bias", "prelu_1/slope", "layer_norm_1/gamma", "layer_norm_1/beta",
                           "dense_2/kernel"};
    REQUIRE(parameters.slots().size() == 6);
    for (std::size_t i = 0; i < 6; ++i) CHECK(name_of(slots[i]) == names[i]);
}

TEST_CASE("the fingerprint sees every value, and nothing else")
{
    Model<Net> model{Seed{1}};
    const std::uint64_t before = model.parameters().fingerprint();
    CHECK(before == Model<Net>{Seed{1}}.parameters().fingerprint());
    for (const SlotInfo& slot : model.parameters().slots())
        for (std::size_t i = 0; i < slot.size; ++i) {
            float& value = model.parameters().logical(slot, i);
            const float kept = value;
            value = std::nextafter(kept, 10.0f);
            CHECK(model.parameters().fingerprint() != before);
            value = kept;
        }
    CHECK(model.parameters().fingerprint() == before);
    // Two values exchanged.
    float& a = model.parameters().layer<0>().kernel(0, 0);
    float& b = model.parameters().layer<0>().kernel(0, 1);
    std::swap(a, b);
    CHECK(model.parameters().fingerprint() != before);
    std::swap(a, b);
    // Padding is nobody's value.
    std::vector<bool> used(model.parameters().size(), false);
    for (const SlotInfo& slot : model.parameters().slots())
        for (std::size_t i = 0; i < slot.size; ++i) used[slot.offset + slot.index(i)] = true;
    for (std::size_t i = 0; i < used.size(); ++i)
        if (!used[i]) model.parameters().data()[i] = 3.0f;
    CHECK(model.parameters().fingerprint() == before);
    // Equal values in another topology are other weights.
    CHECK(Model<Network<Input<3>, ReLU>>{uninitialized}.parameters().fingerprint() !=
          Model<Network<Input<3>, Tanh>>{uninitialized}.parameters().fingerprint());
}

TEST_CASE("models are copied deeply and moved cheaply")
{
    Model<Net> a{Seed{1}};
    const std::uint64_t original = a.parameters().fingerprint();
    Model<Net> b = a;
    b.parameters().layer<0>().kernel(0, 0) += 1.0f;
    CHECK(a.parameters().fingerprint() == original);
    CHECK(b.parameters().fingerprint() != original);
    b = a;
    CHECK(b.parameters().fingerprint() == original);
    const float* memory = a.parameters().data();
    const Model<Net> c = std::move(a);
    CHECK(c.parameters().data() == memory);
    CHECK(c.parameters().fingerprint() == original);
    Parameters<Net> parameters = c.parameters();
    const Model<Net> d{std::move(parameters)};
    CHECK(d.parameters().fingerprint() == original);
    const Tensor<float, Shape<3>> x{1, 2, 3};
    CHECK(d.predict(x) == c.predict(x));
}

TEST_CASE("predict takes tensors, views, and types of the user that have a shape")
{
    struct Mine {
        using shape = Shape<3>;
        float values[3];
        const float* data() const { return values; }
    };
    const Model<Net> model{Seed{2}};
    const Tensor<float, Shape<3>> x{0.5f, -1.0f, 2.0f};
    const auto y = model.predict(x);
    CHECK(model.predict(TensorView<const float, Shape<3>>{x.data()}) == y);
    CHECK(model.predict(Mine{{0.5f, -1.0f, 2.0f}}) == y);
    CHECK(predict<Net>(model.parameters(), x) == y);
    static_assert(std::is_same_v<decltype(model.predict(x)), Tensor<float, Shape<2>>>);
}

TEST_CASE("a workspace too large for the stack is taken from the heap")
{
    using Wide = Network<Input<2>, Dense<20000>, LayerNorm, Dense<3>>;
    static_assert(Wide::workspace_bytes<Float32> > 64 * 1024);
    const Model<Wide> model{Seed{2}};
    const Tensor<float, Shape<2>> x{0.5f, -1.0f};
    const std::vector<double> wanted = naive::predict<Wide>(naive::logical(model.parameters()), {0.5, -1.0});
    CHECK(predictions::difference(model.predict(x).data(), wanted) < 1e-5);
}
