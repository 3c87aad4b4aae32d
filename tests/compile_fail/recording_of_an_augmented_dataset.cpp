// SPDX-License-Identifier: BSL-1.0
//
// A recording of rows that are others in each epoch.
// error: tenon: Recorded keeps one output for each row, and an augmented dataset's rows change with the epoch: use the teacher itself.
#include <tenon/tenon.hpp>

#include <tenon/data/dataset.hpp>
#include <tenon/distillation.hpp>

using namespace tenon;

using Net = Network<Input<6>, Dense<10>>;

struct Samples : data::TensorDataset<Shape<6>, data::Label> {
#ifndef TENON_TWIN
    using data::TensorDataset<Shape<6>, data::Label>::gather;
    void gather(std::span<const std::uint32_t>, float*, std::int32_t*, const data::EpochDraw&) const {}
#endif
};

int main()
{
    Model<Net> teacher{Seed{1}};
    const Samples samples{};
    const distillation::Recorded recorded{teacher, samples};
    return static_cast<int>(recorded.size());
}
