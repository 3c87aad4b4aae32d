// SPDX-License-Identifier: BSL-1.0
//
// Rows that are no images.
// error: tenon: augmentation takes images: (height, width, channels).
// note: Shape<784>
#include <tenon/data/augment.hpp>

using namespace tenon;

#ifdef TENON_TWIN
using Rows784 = data::TensorDataset<Shape<28, 28, 1>, data::Label>;
#else
using Rows784 = data::TensorDataset<Shape<784>, data::Label>;
#endif

int main()
{
    const auto varied = data::Augment{data::Shift{0.1}}(Rows784{});
    return static_cast<int>(varied.size());
}
