// SPDX-License-Identifier: BSL-1.0
//
// Datasets that are augmented before they are joined: rows of the same number would get the same draws.
// error: tenon: datasets that vary by epoch are not joined: join them first, then augment what they make.
#include <tenon/data/augment.hpp>
#include <tenon/data/shards.hpp>

using namespace tenon;

int main()
{
    const data::LabelledImages<Shape<4, 4, 1>> images;
    const data::Augment vary{data::FlipHorizontal{}};
#ifdef TENON_TWIN
    const auto both = vary(data::join(std::vector{images, images}));
#else
    const auto both = data::join(std::vector{vary(images), vary(images)});
#endif
    return static_cast<int>(both.size());
}
