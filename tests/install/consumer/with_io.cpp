// SPDX-License-Identifier: BSL-1.0
#include <tenon/data/idx.hpp>
#include <tenon/io/safetensors.hpp>
#include <tenon/tenon.hpp>

using namespace tenon;

using Net = Network<Input<3>, Dense<2>>;

int main()
{
    const Model<Net> model{Seed{1}};
    save(model, "consumer.safetensors");
    Model<Net> restored{uninitialized};
    load(restored, "consumer.safetensors");
    return restored.parameters().fingerprint() == model.parameters().fingerprint() ? 0 : 1;
}
